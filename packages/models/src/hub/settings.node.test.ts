import { homedir } from 'node:os';
import path from 'node:path';
import { ConfigError } from 'onnx-grad';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/tokenizer-fixtures.node.ts';
import { openHub } from './settings.node.ts';

const nowhere = { HF_HOME: '/nonexistent' };

describe('the hub of an environment', () => {
  it.each([
    [{}, path.join(homedir(), '.cache', 'huggingface', 'hub')],
    [{ XDG_CACHE_HOME: '/x' }, '/x/huggingface/hub'],
    [{ HF_HOME: '/h', XDG_CACHE_HOME: '/x' }, '/h/hub'],
    [{ HF_HOME: '~/h' }, path.join(homedir(), 'h', 'hub')],
    [{ HF_HUB_CACHE: '/c', HF_HOME: '/h' }, '/c'],
    [{ HUGGINGFACE_HUB_CACHE: '/old' }, '/old'],
  ])('%j has its cache in %s', (env, cache) => {
    expect(openHub({ env }).cache).toBe(path.resolve(cache));
  });

  it('has a cache that the caller chooses first', () => {
    expect(openHub({ env: { HF_HUB_CACHE: '/c' }, cache: '/mine' }).cache).toBe(path.resolve('/mine'));
  });

  it('is huggingface.co, or what HF_ENDPOINT names', () => {
    expect(openHub({ env: nowhere }).endpoint).toBe('https://huggingface.co');
    expect(openHub({ env: { ...nowhere, HF_ENDPOINT: 'https://mirror.example/hf/' } }).endpoint).toBe(
      'https://mirror.example/hf',
    );
    for (const bad of ['mirror', 'ftp://x', 'https://me:secret@x', 'file:///x']) {
      expect(() => openHub({ env: { ...nowhere, HF_ENDPOINT: bad } })).toThrow(ConfigError);
    }
  });

  it.each([
    ['1', true],
    ['true', true],
    ['ON', true],
    ['0', false],
    ['', false],
  ])('with HF_HUB_OFFLINE=%s stays offline: %s', (value, isOffline) => {
    expect(openHub({ env: { ...nowhere, HF_HUB_OFFLINE: value } }).isOffline).toBe(isOffline);
  });
});

describe('the token', () => {
  it('is that of HF_TOKEN, else of the file that Python’s library keeps, else none', async () => {
    const home = await temporaryFolder([['token', 'hf_saved\n']]);
    const other = await temporaryFolder([['mine', 'hf_other']]);
    expect(openHub({ env: { HF_HOME: home, HF_TOKEN: ' hf_given ' } }).token).toBe('hf_given');
    expect(openHub({ env: { HF_HOME: home } }).token).toBe('hf_saved');
    expect(openHub({ env: { HF_HOME: home, HF_TOKEN_PATH: path.join(other, 'mine') } }).token).toBe('hf_other');
    expect(openHub({ env: { HF_HOME: home, HF_HUB_DISABLE_IMPLICIT_TOKEN: '1' } }).token).toBeNull();
    expect(openHub({ env: nowhere }).token).toBeNull();
  });

  it('is refused, unshown, when it cannot be one', () => {
    const open = () => openHub({ env: { ...nowhere, HF_TOKEN: 'hf_se\ncret' } });
    expect(open).toThrow('HF_TOKEN does not hold a token');
    expect(open).not.toThrow('cret');
  });
});
