/** recipe.yaml of a run folder: what the run was really made with, defaults and flags included. */
import { renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import type { Pipeline } from './pipeline.node.ts';

/** Keys of settings where `null` and `undefined` mean "none". */
const OFF = ['prefix', 'system'];

/** @param others further sections, as they are */
export function writeResolved(
  folder: string,
  { file, folder: from, ...sections }: Pipeline,
  others: Readonly<Record<string, unknown>> = {},
): void {
  const all = Object.entries({ ...sections, ...others });
  const given = Object.fromEntries(all.filter(([, section]) => section !== undefined));
  const content = stringify(given, (key, value) => (OFF.includes(key) && value === null ? 'none' : value));
  const head = `# ${path.basename(file)} with defaults and flags filled in. Relative paths begin in ${path.resolve(from)}\n`;
  const target = path.join(folder, 'recipe.yaml');
  writeFileSync(`${target}.part`, head + content, { mode: 0o600 });
  renameSync(`${target}.part`, target);
}
