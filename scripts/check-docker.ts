/**
 * The Dockerfile built and run: `npm run check:docker`. The image is small; the server runs as another user than root, with a
 * root that cannot be written and no capabilities, answers, refuses strangers, reloads, and ends in order. Needs Docker and
 * its images.
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
const HEALTH_S = 1; // between Docker's looks, here
const LAST_TEXTS = 250;

/** @throws Error with what docker said */
function docker(...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync('docker', args, { encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (error || status !== 0) throw new Error(`docker ${args[0]}: ${error?.message ?? stderr.trim().slice(-2000)}`);
  return stdout.trim();
}

/** Whether it does within START_S seconds. */
async function comesTrue(condition: () => Promise<boolean>): Promise<boolean> {
  const end = performance.now() + START_S * 1000;
  while (!(await condition().catch(() => false))) {
    if (performance.now() > end) return false;
    await sleep(50);
  }
  return true;
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
    ...['--health-interval', `${HEALTH_S}s`],
    ...['--publish', '127.0.0.1::8080', '--volume', `${guard}:/guard:ro`, '--env', `HARMAUG_API_KEYS=${KEY}`, IMAGE],
  );
  try {
    const url = `http://${docker('port', container, '8080/tcp').split('\n')[0]}`;
    const call = (route: string, init: RequestInit = {}, key = KEY) => {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` };
      return fetch(`${url}${route}`, { ...init, headers });
    };
    const ask = async (input: unknown, key = KEY) =>
      (await call('/v1/moderations', { method: 'POST', body: JSON.stringify({ input }) }, key)).status;
    const metric = async (name: string) => {
      const line = (await (await call('/metrics')).text()).split('\n').find((text) => text.startsWith(name));
      return Number(line?.split(' ').at(-1) ?? 0);
    };
    const isReady = async () => (await call('/readyz')).ok;
    facts.push([`it is ready within ${START_S} s`, await comesTrue(isReady)]);
    facts.push(['it answers', (await ask('cake')) === 200]);
    facts.push(['it refuses strangers', (await ask('cake', 'a-key-of-nobody')) === 401]);
    const health = async () => docker('inspect', '--format', '{{.State.Health.Status}}', container) === 'healthy';
    facts.push(['Docker finds it healthy', await comesTrue(health)]);
    facts.push(['it is not root', docker('exec', container, 'id', '-u') !== '0']);
    const capabilities = docker('exec', container, 'grep', '-E', 'Cap(Prm|Eff|Bnd)', '/proc/1/status');
    facts.push(['it has no capabilities', !/[1-9a-f]/.test(capabilities.replaceAll(/Cap\w+:/g, ''))]);
    const write = spawnSync('docker', ['exec', '--user', 'root', container, 'touch', '/app/file']);
    facts.push(['not even root can write', write.status !== 0]);
    docker('kill', '--signal', 'HUP', container);
    const isReloaded = async () => (await metric('harmaug_reloads_total{result="done"}')) === 1;
    facts.push(['it reloads at SIGHUP', await comesTrue(isReloaded)]);
    const last = ask(Array.from({ length: LAST_TEXTS }, () => 'Tea and cake. '.repeat(250)));
    const isAtWork = async () => (await metric('harmaug_texts_in_work')) > 0;
    const wasAtWork = await comesTrue(isAtWork);
    docker('stop', '--time', '20', container);
    facts.push(['it answers what it had taken in when it is stopped', wasAtWork && (await last) === 200]);
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
