/** The READMEs' programs, the package's and the repository's, run as they stand, on a tiny guard. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { temporaryFolder, writeTinyGuard } from './tiny-guard.node.ts';

it.each([
  ['../README.md', 'guards/mine', /^(un)?safe 0\.\d{3} \{ prompt: \[ 0, 19 \], response: \[ 0, 18 \] \}\n(un)?safe\n$/],
  ['../../../README.md', 'quickstart/guard', /^(un)?safe 0\.\d{3} \{ prompt: \[ 0, 31 \] \}\n(un)?safe\n$/],
])('of %s prints verdict, score and place', async (file, guard, printed) => {
  const folder = await temporaryFolder();
  await mkdir(path.join(folder, path.dirname(guard)));
  await writeTinyGuard(path.join(folder, guard));
  await symlink(path.join(import.meta.dirname, '../../../node_modules'), path.join(folder, 'node_modules'));
  const readme = readFileSync(path.join(import.meta.dirname, file), 'utf8');
  const [, program] = readme.match(/```ts\n(.*?)```/s)!;
  const flags = ['--conditions=source', '--input-type=module-typescript', '--no-warnings', '--eval', program!];
  const { stdout } = await promisify(execFile)(process.execPath, flags, { cwd: folder });
  expect(stdout).toMatch(printed);
  await rm(folder, { recursive: true });
});
