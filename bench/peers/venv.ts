/** The Python environment of the peers, in bench/peers/.venv, which git ignores. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

const folder = import.meta.dirname;
const python = path.join(folder, '.venv', 'bin', 'python');

/** The peers' Python, or `null` with one line on stderr where it is not installed. */
export function findPython(): string | null {
  if (existsSync(python)) return python;
  process.stderr.write('The peers are left out: they are not installed. Install them with: npm run bench -- setup\n');
  return null;
}

/** Makes the environment, if it is not there, and installs what peers/requirements.txt names. */
export function setUpPeers(): void {
  if (!existsSync(python)) run('python3', ['-m', 'venv', path.join(folder, '.venv')]);
  run(python, ['-m', 'pip', 'install', '--requirement', path.join(folder, 'requirements.txt')]);
  process.stderr.write('The peers are installed.\n');
}

function run(command: string, args: string[]): void {
  process.stderr.write(`${command} ${args.join(' ')}\n`);
  const { error, status } = spawnSync(command, args, { stdio: ['ignore', 2, 2] });
  if (error || status !== 0) {
    throw new Error(
      `${command} failed (${error?.message ?? `exit code ${status}`}). It needs Python 3.11 or newer with venv.`,
    );
  }
}
