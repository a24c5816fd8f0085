import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises';
import { FormatError } from 'onnx-grad';

/** Reading and writing whole files, with limits and without half-written results. */

/** The most that one read call takes; Node refuses more than 2^31 - 1 bytes at once. */
const MAX_READ_BYTES = 2 ** 30;

/**
 * Bytes `begin` to `begin + lengthBytes` of an open file.
 * @throws FormatError when the file ends before
 */
export async function readExactly(
  handle: FileHandle,
  begin: number,
  lengthBytes: number,
  file: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(lengthBytes);
  for (let done = 0; done < lengthBytes; ) {
    const { bytesRead } = await handle.read(bytes, done, Math.min(lengthBytes - done, MAX_READ_BYTES), begin + done);
    if (bytesRead === 0) throw new FormatError(`${file} ended while it was being read.`, { file });
    done += bytesRead;
  }
  return bytes;
}

/**
 * A whole file, of at most `limitBytes`.
 * @throws FormatError when it is larger or not a regular file; the operating system's error when it cannot be opened
 */
export async function readLimited(path: string, limitBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const handle = await open(path, 'r');
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new FormatError(`${path} is not a regular file.`, { file: path });
    if (stat.size > limitBytes) {
      throw new FormatError(`${path} has ${stat.size} bytes, expected at most ${limitBytes}.`, { file: path });
    }
    return await readExactly(handle, 0, stat.size, path);
  } finally {
    await handle.close();
  }
}

/** Writes chunks to `path` aside and renames, so that a reader sees the old file or the whole new one. */
export async function writeAside(path: string, chunks: Iterable<Uint8Array>): Promise<void> {
  const aside = `${path}.${process.pid}.${Math.random().toString(36).slice(2, 8)}.tmp`;
  const handle = await open(aside, 'wx');
  try {
    for (const chunk of chunks) await handle.writeFile(chunk);
    await handle.sync();
    await handle.close();
    await rename(aside, path);
  } catch (error) {
    await handle.close().catch(() => undefined);
    await rm(aside, { force: true });
    throw error;
  }
}

/**
 * Names in a folder.
 * @throws FormatError when there is no such folder
 */
export async function listFolder(folder: string): Promise<Set<string>> {
  try {
    return new Set(await readdir(folder));
  } catch (cause) {
    const code = (cause as { code?: string }).code;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw cause;
    const problem = code === 'ENOENT' ? 'does not exist' : 'is not a folder';
    throw new FormatError(`${folder} ${problem}. Expected a Hugging Face checkpoint folder.`, { file: folder, cause });
  }
}
