import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const folder = new URL('..', import.meta.url);
const readme = readFileSync(new URL('README.md', folder), 'utf8');
const programs = [...readme.matchAll(/```ts\n(.*?)```\n(?:(?!```).)*?```text\n(.*?)```/gs)];

it.each(programs.map(([, program, printed]) => [program!, printed!]))(
  'the README’s program prints what it shows: %#',
  async (program, printed) => {
    const flags = ['--conditions=source', '--input-type=module-typescript', '--no-warnings', '--eval', program];
    const { stdout } = await promisify(execFile)(process.execPath, flags, { cwd: folder });
    expect(stdout).toBe(printed);
  },
);

it('the README has two programs', () => {
  expect(programs).toHaveLength(2);
});
