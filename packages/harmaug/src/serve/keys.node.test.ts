import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { keyCheck, parseKeys, readKeys } from './keys.node.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'harmaug-keys-'));
afterAll(() => rmSync(folder, { recursive: true }));
const fileOf = (text: string) => {
  const file = path.join(folder, 'keys');
  writeFileSync(file, text);
  return file;
};

describe('API keys', () => {
  it('come from the environment and a file', () => {
    const file = fileOf('# of the shop\nkey-of-shop-1\n\n  key-of-shop-2  \r\n');
    expect(readKeys({ HARMAUG_API_KEYS: 'env-key-one, env-key-two' }, file)).toEqual([
      ...['env-key-one', 'env-key-two', 'key-of-shop-1', 'key-of-shop-2'],
    ]);
    expect(readKeys({}, undefined)).toEqual([]);
  });

  it('are refused when they are mistakes, without being told', () => {
    expect(() => parseKeys('long-enough short', 'keys.txt')).toThrow('keys.txt: key 2 has fewer than 8 characters.');
    expect(() => readKeys({}, fileOf('# none\n'))).toThrow(/names no key/);
    expect(() => readKeys({}, path.join(folder, 'none'))).toThrow(/cannot be read \(ENOENT\)/);
  });

  it('are known whole, whichever of them, and nothing else is', () => {
    const isKnown = keyCheck(['first-key', 'second-key'])!;
    expect(['first-key', 'second-key'].map(isKnown)).toEqual([true, true]);
    expect(['', 'first', 'first-key2', 'FIRST-KEY', 'first-key,second-key'].map(isKnown)).toEqual(Array(5).fill(false));
    expect(keyCheck([])).toBeNull();
  });
});
