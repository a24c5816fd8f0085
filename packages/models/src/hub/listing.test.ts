import { posix, win32 } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSafePath, readTreeEntry } from './listing.ts';

const oid = 'a'.repeat(40);

describe('a path in a repository', () => {
  it.each(['config.json', 'onnx/model.onnx', 'a b/ü.txt', '.gitattributes', '...'])('may be %j', (path) => {
    expect(isSafePath(path)).toBe(true);
  });

  it.each([
    '',
    '/etc/passwd',
    '../x',
    'a/../b',
    'a/./b',
    'a//b',
    'a/',
    'a\\b',
    'C:x',
    'a/D:/b',
    'a\0b',
    'a\nb',
    'x'.repeat(256),
    'x/'.repeat(600),
  ])('is not %j', (path) => {
    expect(isSafePath(path)).toBe(false);
  });

  it('stays inside the folder it is joined to, on every system', () => {
    const character = fc.constantFrom(...'ab.:/\\~\0 ');
    fc.assert(
      fc.property(fc.array(character, { maxLength: 12 }), (list) => {
        const path = list.join('');
        if (!isSafePath(path)) return true;
        return (
          posix.resolve('/base', path).startsWith('/base/') && win32.resolve('C:\\base', path).startsWith('C:\\base\\')
        );
      }),
      { numRuns: 5000 },
    );
  });
});

describe('an entry of the listing', () => {
  it('is a file with its size and hashes, or a folder', () => {
    const lfs = { oid: 'b'.repeat(64), size: 7, pointerSize: 130 };
    expect(readTreeEntry({ type: 'directory', path: 'onnx', oid, size: 0 })).toBeNull();
    expect(readTreeEntry({ type: 'file', path: 'a', oid, size: 3 })).toMatchObject({
      sizeBytes: 3,
      gitHash: oid,
      sha256: null,
    });
    expect(readTreeEntry({ type: 'file', path: 'a', oid, size: 7, lfs })).toMatchObject({
      sizeBytes: 7,
      sha256: lfs.oid,
    });
  });

  it.each([
    [null, 'no object'],
    [{ path: 'a' }, 'no object with a type'],
    [{ type: 'file', path: 3 }, 'without a path'],
    [{ type: 'file', path: '../a', oid, size: 1 }, 'lists "../a", which is no name'],
    [{ type: 'file', path: 'a', oid, size: -1 }, 'a size that is none'],
    [{ type: 'file', path: 'a', oid, size: 1.5 }, 'a size that is none'],
    [{ type: 'file', path: 'a', oid, size: '1' }, 'a size that is none'],
    [{ type: 'file', path: 'a', oid, size: 2 ** 50 }, 'a size that is none'],
    [{ type: 'file', path: 'a', oid: 'x', size: 1 }, 'without its hash'],
    [{ type: 'file', path: 'a', oid: `${'../'.repeat(13)}a`, size: 1 }, 'without its hash'],
    [{ type: 'file', path: 'a', oid, size: 1, lfs: { oid: 'short', size: 1 } }, 'without its hash'],
  ])('is refused: %j', (entry, problem) => {
    expect(readTreeEntry(entry)).toContain(problem);
  });
});
