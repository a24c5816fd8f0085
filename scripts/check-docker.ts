/**
 * The Dockerfile built and run: `npm run check:docker`. The image is small; the server runs as another user than root, with a
 * root that cannot be written and no capabilities, answers, refuses strangers, and ends in order. Needs Docker and its images.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { temporaryFolder, writeTinyGuard } from '../packages/guard/test/tiny-guard.node.ts';

const IMAGE = 'harmaug-check';
const KEY = 'a-key-of-this-check';
const MOST_MB = 500;
const START_S = 60;

/** @throws Error with what docker said */
function docker(...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync('docker', args, { encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (error || status !== 0) throw new Error(`docker ${args[0]}: ${error?.message ?? stderr.trim().slice(-2000)}`);
  return stdout.trim();
}

const facts: (readonly [string, boolean])[] = [];

async function check(): Promise<void> {
  docker('build', '--tag', IMAGE, path.join(import.meta.dirname, '..'));
  const sizeMb = Number(docker('image', 'inspect', '--format', '{{.Size}}', IMAGE)) / 1e6;
  facts.push([`the image has ${sizeMb.toFixed(0)} MB, at most ${MOST_MB}`, sizeMb <= MOST_MB]);
  const guard = await writeTinyGuard(await temporaryFolder());
  chmodSync(guard, 0o755);
  const container = docker(
    ...['run', '--detach', '--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'],
    ...['--publish', '127.0.0.1::8080', '--volume', `${guard}:/guard:ro`, '--env', `HARMAUG_API_KEYS=${KEY}`, IMAGE],
  );
  try {
    const url = `http://${docker('port', container, '8080/tcp').split('\n')[0]}`;
    const isReady = () =>
      fetch(`${url}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      );
    for (let second = 0; second < START_S && !(await isReady()); second++) await sleep(1000);
    const ask = async (key: string) => {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` };
      return (await fetch(`${url}/v1/moderations`, { method: 'POST', headers, body: '{"input":"cake"}' })).status;
    };
    facts.push(['it answers', (await ask(KEY)) === 200]);
    facts.push(['it refuses strangers', (await ask('a-key-of-nobody')) === 401]);
    facts.push(['it is not root', docker('exec', container, 'id', '-u') !== '0']);
    const write = spawnSync('docker', ['exec', container, 'touch', '/app/file']);
    facts.push(['it cannot write its root', write.status !== 0]);
    docker('stop', '--time', '20', container);
    facts.push(['it ends with code 0', docker('inspect', '--format', '{{.State.ExitCode}}', container) === '0']);
  } finally {
    docker('rm', '--force', container);
    await rm(guard, { recursive: true });
  }
}

try {
  docker('info');
  await check();
  for (const [fact, isTrue] of facts) console.log(`${isTrue ? 'yes' : 'NO '}  ${fact}`);
  process.exitCode = facts.every(([, isTrue]) => isTrue) ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
