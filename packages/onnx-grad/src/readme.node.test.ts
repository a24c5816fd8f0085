import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

it('the README shows a program and what it prints', async () => {
  const folder = new URL('..', import.meta.url);
  const readme = await readFile(new URL('README.md', folder), 'utf8');
  const [, program] = readme.match(/```ts\n(.*?)```/s)!;
  const [, printed] = readme.match(/```text\n(.*?)```/s)!;
  const flags = ['--conditions=source', '--input-type=module-typescript', '--no-warnings', '--eval', program!];
  const { stdout } = await promisify(execFile)(process.execPath, flags, { cwd: folder });
  expect(stdout).toBe(printed);
});
