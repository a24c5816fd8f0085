import { isObject, type JsonObject, quote } from '../files/json.ts';

/** A repository's files as the hub lists them. Nothing of it is trusted: names become paths, sizes memory and disk. */

export interface RepoFile {
  /** In the repository, with slashes. */
  readonly path: string;
  readonly sizeBytes: number;
  /** SHA-1 of git's blob: of the file itself, or of the pointer where `sha256` is there. */
  readonly gitHash: string;
  /** Of a file kept in large-file storage. */
  readonly sha256: string | null;
  /** Another name of the same bytes, of use to Python's library only. */
  readonly xetHash: string | null;
}

export const MAX_FILES = 100_000; // ours, of one repository
const MAX_FILE_BYTES = 2 ** 40; // ours; the hub's own limit is 500 GB
const MAX_PATH = 1024;
const MAX_SEGMENT_BYTES = 255; // most file systems

/** The name that Python's library gives the bytes in its cache. */
export function blobName({ sha256, gitHash }: RepoFile): string {
  return sha256 ?? gitHash;
}

/** Whether a path stays inside the folder it is joined to, on every system. */
export function isSafePath(path: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (path.length > MAX_PATH || /[\\\u0000-\u001f\u007f]/.test(path)) return false;
  return path.split('/').every((segment) => {
    const bytes = new TextEncoder().encode(segment).byteLength;
    return (
      segment !== '' && segment !== '.' && segment !== '..' && !/^[A-Za-z]:/.test(segment) && bytes <= MAX_SEGMENT_BYTES
    );
  });
}

/**
 * An entry of `/api/models/owner/name/tree/<commit>`.
 * @returns `null` for a folder; a sentence about what is wrong with it
 */
export function readTreeEntry(entry: unknown): RepoFile | string | null {
  if (!isObject(entry) || typeof entry.type !== 'string') return 'lists an entry that is no object with a type';
  if (entry.type !== 'file') return null;
  const lfs = isObject(entry.lfs) ? entry.lfs : {};
  return readFile({
    path: entry.path,
    size: lfs.size ?? entry.size,
    gitHash: entry.oid,
    sha256: lfs.oid,
    xetHash: entry.xetHash,
  });
}

/** Fields as they came. */
export function readFile({ path, size, gitHash, sha256, xetHash }: JsonObject): RepoFile | string {
  if (typeof path !== 'string') return 'lists a file without a path';
  if (!isSafePath(path)) return `lists ${quote(path)}, which is no name for a file inside a folder`;
  if (!Number.isSafeInteger(size) || (size as number) < 0 || (size as number) > MAX_FILE_BYTES) {
    return `lists ${quote(path)} with a size that is none`;
  }
  const isHex = (value: unknown, digits: number): value is string =>
    typeof value === 'string' && value.length === digits && /^[0-9a-f]+$/.test(value);
  const hash = sha256 ?? null;
  if (!isHex(gitHash, 40) || (hash !== null && !isHex(hash, 64))) return `lists ${quote(path)} without its hash`;
  return { path, sizeBytes: size as number, gitHash, sha256: hash, xetHash: isHex(xetHash, 64) ? xetHash : null };
}
