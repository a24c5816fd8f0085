/** The peers' Python environments, in bench/peers/.venv*, which git ignores. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

const folder = import.meta.dirname;

/** Peers whose versions clash have environments of their own. */
const environments = {
  torch: { venv: '.venv', requirements: 'requirements.txt' },
  distilabel: { venv: '.venv-distilabel', requirements: 'requirements-distilabel.txt' },
  datatrove: { venv: '.venv-datatrove', requirements: 'requirements-datatrove.txt' },
} as const;

export type EnvironmentName = keyof typeof environments;

const pythonOf = (name: EnvironmentName) => path.join(folder, environments[name].venv, 'bin', 'python');

/** A Python with the peers, or `null` with one line on stderr where they are not installed. */
export function findPython(name: EnvironmentName = 'torch'): string | null {
  if (existsSync(pythonOf(name))) return pythonOf(name);
  process.stderr.write('The peers are left out: they are not installed. Install them with: npm run bench -- setup\n');
  return null;
}

/** Makes the environments that are not there, and installs what their requirements name. @param only one of them */
export function setUpPeers(only?: string): void {
  for (const [name, { venv, requirements }] of Object.entries(environments)) {
    if (only !== undefined && only !== name) continue;
    const python = pythonOf(name as EnvironmentName);
    if (!existsSync(python)) run('python3', ['-m', 'venv', path.join(folder, venv)]);
    run(python, ['-m', 'pip', 'install', '--requirement', path.join(folder, requirements)]);
  }
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
