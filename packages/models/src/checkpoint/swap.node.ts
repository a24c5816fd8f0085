/**
 * Replacing a whole folder so that a process killed at any moment leaves the old one or the new one whole. A folder
 * cannot be renamed onto one that has files in it, so the old one steps aside first; a reader that finds nothing in its
 * place takes it from there.
 */
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';

/** Writes with `write` into a fresh folder beside `folder`, then puts it in its place. One writer at a time. */
export async function replaceFolder(folder: string, write: (aside: string) => Promise<void>): Promise<void> {
  const [aside, previous] = [`${folder}.writing`, `${folder}.previous`];
  await mkdir(path.dirname(path.resolve(folder)), { recursive: true });
  if (!existsSync(folder) && existsSync(previous)) await rename(previous, folder); // killed between the two renames
  await rm(aside, { recursive: true, force: true });
  await mkdir(aside, { mode: 0o700 });
  await write(aside);
  await rm(previous, { recursive: true, force: true });
  if (existsSync(folder)) await rename(folder, previous);
  await rename(aside, folder);
  await rm(previous, { recursive: true, force: true });
}

/** Where the whole folder is now: in its place, or aside when a process was killed between the two renames. */
export function findFolder(folder: string): string {
  return !existsSync(folder) && existsSync(`${folder}.previous`) ? `${folder}.previous` : folder;
}
