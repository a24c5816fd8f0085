import { statfs } from 'node:fs/promises';
import { HubError } from './errors.ts';

/** What the disk refuses, in a sentence with the remedy. */

/** @throws HubError when the disk says that it has less room */
export async function expectSpace(folder: string, neededBytes: number): Promise<void> {
  const disk = await statfs(folder).catch(() => null); // not every system says
  if (disk === null || disk.bavail * disk.bsize >= neededBytes) return;
  throw fullDisk(folder, `${megabytes(neededBytes)} are needed, ${megabytes(disk.bavail * disk.bsize)} are free`);
}

/** Errors of the file system as ours; others as they are. @param folder of the cache */
export function diskError(error: unknown, folder: string): unknown {
  const { code, syscall } = error as { code?: unknown; syscall?: unknown };
  if (error instanceof HubError || typeof code !== 'string' || typeof syscall !== 'string') return error;
  if (code === 'ENOSPC' || code === 'EDQUOT') return fullDisk(folder, code, error);
  const remedy = 'Set HF_HOME to a folder that can be written to.';
  return new HubError('disk', `The cache ${folder} cannot be used (${code}). ${remedy}`, { cause: error });
}

function fullDisk(folder: string, problem: string, cause?: unknown): HubError {
  const remedy = 'Make room, or set HF_HOME to a folder on another disk; what was fetched is kept.';
  return new HubError('disk', `The disk of ${folder} is full: ${problem}. ${remedy}`, { cause });
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}
