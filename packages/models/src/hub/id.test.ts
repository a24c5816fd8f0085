import fc from 'fast-check';
import { ConfigError } from 'onnx-grad';
import { describe, expect, it } from 'vitest';
import { formatHubId, type HubId, parseHubId } from './id.ts';

const commit = '0123456789abcdef0123456789abcdef01234567';

describe('a hub id', () => {
  it.each([
    ['microsoft/deberta-v3-xsmall', 'model', 'microsoft/deberta-v3-xsmall', 'main'],
    ['hf:microsoft/deberta-v3-xsmall', 'model', 'microsoft/deberta-v3-xsmall', 'main'],
    ['owner/name@v1.0', 'model', 'owner/name', 'v1.0'],
    [`owner/name@${commit}`, 'model', 'owner/name', commit],
    ['owner/name@refs/pr/3', 'model', 'owner/name', 'refs/pr/3'],
    ['hf:datasets/owner/name@main', 'dataset', 'owner/name', 'main'],
    ['a/b', 'model', 'a/b', 'main'],
    ['_a/b_c.d-e', 'model', '_a/b_c.d-e', 'main'],
  ] as const)('%s names a repository and a revision', (text, kind, repo, revision) => {
    expect(parseHubId(text)).toEqual({ kind, repo, revision });
  });

  it.each([
    'minilm',
    './owner/name',
    '../name',
    '/owner/name',
    'owner/name/',
    'a/b/c',
    'owner\\name',
    'C:/models',
    '~/models',
    'owner/.name',
    'owner/na--me',
    'owner/na..me',
    'owner/name.git',
    'owner/na me',
    'owner/café',
    '',
    '/',
    `${'a'.repeat(97)}/b`,
  ])('is not %j', (text) => {
    expect(parseHubId(text)).toBeNull();
    expect(() => parseHubId(`hf:${text}`)).toThrow(ConfigError);
  });

  it.each([
    '',
    '..',
    'a/../b',
    '/main',
    'main/',
    'a//b',
    'a b',
    'a\\b',
    'a\0',
    '.hidden',
    'x.lock',
    'a@b',
    'é',
    'x'.repeat(201),
  ])('has no revision %j', (revision) => {
    expect(() => parseHubId(`owner/name@${revision}`)).toThrow('is no hub id. Expected owner/name');
  });

  it('is any text at worst no id or an error, and never a path that leads elsewhere', () => {
    const character = fc.constantFrom(...'ab./\\@:-_ \0hfé%~');
    const texts = fc.oneof(
      fc.string(),
      fc.array(character, { maxLength: 24 }).map((list) => list.join('')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        let id: HubId | null;
        try {
          id = parseHubId(text);
        } catch (error) {
          return error instanceof ConfigError;
        }
        if (id === null) return true;
        const parts = [...id.repo.split('/'), ...id.revision.split('/')];
        const isPlain = parts.every((part) => /^[\w.-]+$/.test(part) && !/^\.{1,2}$/.test(part));
        return isPlain && JSON.stringify(parseHubId(formatHubId(id))) === JSON.stringify(id);
      }),
      { numRuns: 3000 },
    );
  });
});
