/**
 * `harmaug serve` under more than it can do: `npm run check:load [-- <exported folder>] [--minutes 5] [--data <texts.jsonl>]`.
 * Without a folder on a tiny guard. Needs `ps`.
 *
 * - overload: twice the rate it keeps up with. Every request answered, or refused with 503; p99 bounded; memory flat.
 * - broken: 10,000 malformed, oversized, slow and half-closed requests: a 4xx or a closed connection each, while others are answered.
 * - kill: kill -9 of a worker under load costs its own requests, each answered with an error.
 * - stop: SIGTERM under load loses nothing that was taken in.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { mulberry32 } from '@harmaug/models';
import { growth } from '../../../bench/drive.ts';
import {
  type Ask,
  closedLoop,
  createPoster,
  openLoop,
  percentile,
  rateOf,
  type Shot,
} from '../../../bench/serve/load.ts';
import { temporaryFolder, writeTinyGuard } from '../../guard/test/tiny-guard.node.ts';
import { type ServeProcess, startServeProcess } from './serve-process.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string', default: '5' },
    data: { type: 'string' },
    broken: { type: 'string', default: '10000' },
  },
});
const minutes = Number(values.minutes);
const MAX_WAIT_S = 5; // the server's own
const SLACK_S = 5; // for the work itself, on a machine that is full
const GROWTH_MIB = 64;

interface Finding {
  readonly part: string;
  readonly fact: string;
  readonly isTrue: boolean;
}
const findings: Finding[] = [];
const expectTrue = (part: string, fact: string, isTrue: boolean) => {
  findings.push({ part, fact, isTrue });
  console.log(`${isTrue ? 'yes' : 'NO '}  ${part}: ${fact}`);
};

/** Mild texts of every length, where none are given. */
function readTexts(): string[] {
  if (values.data === undefined) {
    const words = 'what a lovely day for a walk with my dog in the garden of a friend who makes cake '.split(' ');
    return Array.from({ length: 64 }, (_, row) =>
      Array.from({ length: 3 + ((row * 7) % 60) }, (_, word) => words[(row + word) % words.length]).join(' '),
    );
  }
  return readFileSync(values.data, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as { prompt: string }).prompt);
}

function memoryMiB({ pid, workers }: ServeProcess): number {
  const pids = [pid, ...workers()].join(',');
  const kilobytes = execFileSync('ps', ['-o', 'rss=', '-p', pids], { encoding: 'utf8' });
  return (
    kilobytes
      .trim()
      .split(/\s+/)
      .map(Number)
      .reduce((sum, one) => sum + one, 0) / 1024
  );
}

const count = (shots: readonly Shot[], status: number | null) => shots.filter((shot) => shot.status === status).length;
const statusesOf = (shots: readonly Shot[]) =>
  [...new Set(shots.map(({ status }) => status))]
    .map((status) => `${status ?? 'broken'}: ${count(shots, status)}`)
    .join(', ');

async function overload(server: ServeProcess, ask: Ask): Promise<void> {
  await closedLoop(ask, { inFlight: 8, seconds: 3 });
  const seconds = 10;
  const sustained = rateOf(await closedLoop(ask, { inFlight: 32, seconds }), seconds);
  console.log(`keeps up with ${sustained.toFixed(1)} requests a second; ${minutes} minutes of twice that`);
  const rss: number[] = [];
  const sampler = setInterval(() => rss.push(memoryMiB(server)), 1000);
  const load = { perSecond: 2 * sustained, seconds: minutes * 60, uniform: mulberry32(1) };
  const shots = await openLoop(ask, load);
  clearInterval(sampler);
  const accepted = shots.filter(({ status }) => status === 200).map(({ ms }) => ms);
  const p99 = percentile(accepted, 0.99);
  console.log(
    `${shots.length} requests, ${statusesOf(shots)}; p50 ${percentile(accepted, 0.5).toFixed(0)} ms, p99 ${p99.toFixed(0)} ms`,
  );
  expectTrue('overload', 'all answered, or refused with 503', count(shots, 200) + count(shots, 503) === shots.length);
  expectTrue('overload', 'some were refused: it was too much', count(shots, 503) > 0);
  expectTrue(
    'overload',
    `answers go on at the sustained rate (${(accepted.length / load.seconds).toFixed(1)} a second)`,
    accepted.length / load.seconds > 0.7 * sustained,
  );
  expectTrue('overload', `p99 within ${MAX_WAIT_S + SLACK_S} s`, p99 <= (MAX_WAIT_S + SLACK_S) * 1000);
  const grown = growth(rss);
  expectTrue(
    'overload',
    `memory flat: ${grown.toFixed(0)} MiB more in the last quarter than in the second, of ${Math.max(...rss).toFixed(0)}`,
    grown < GROWTH_MIB,
  );
  expectTrue('overload', 'no worker was lost', !server.lines.some(({ event }) => event === 'worker-lost'));
}

const head = (path: string, more: string) =>
  `POST ${path} HTTP/1.1\r\nhost: here\r\nconnection: close\r\ncontent-type: application/json\r\n${more}\r\n`;
const whole = (body: string, path = '/v1/check') =>
  head(path, `content-length: ${Buffer.byteLength(body, 'latin1')}\r\n`) + body;
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;

interface Broken {
  readonly name: string;
  readonly bytes: string;
  /** Whether the client closes its half at once; a slow one waits until it is thrown out. */
  readonly ends: boolean;
  /** Of a hundred. */
  readonly share: number;
}

const brokenKinds: readonly Broken[] = [
  { name: 'no JSON', bytes: whole('{"prompt": '), ends: false, share: 12 },
  { name: 'another form', bytes: whole('[1,2,3]'), ends: false, share: 12 },
  { name: 'deep nesting', bytes: whole('['.repeat(50_000)), ends: false, share: 4 },
  { name: 'bytes that are no UTF-8', bytes: whole('{"prompt": \u00ff\u00fe'), ends: false, share: 8 },
  {
    name: 'too many items',
    bytes: whole(JSON.stringify({ items: Array(300).fill({ prompt: 'a' }) })),
    ends: false,
    share: 8,
  },
  { name: 'too large, as it says', bytes: head('/v1/check', 'content-length: 99999999\r\n'), ends: false, share: 8 },
  {
    name: 'too large, in chunks',
    bytes: head('/v1/check', 'transfer-encoding: chunked\r\n') + chunk(' '.repeat(600_000)).repeat(2),
    ends: false,
    share: 4,
  },
  { name: 'no HTTP', bytes: 'what a lovely day\r\n\r\n', ends: false, share: 8 },
  {
    name: 'two lengths',
    bytes: head('/v1/check', 'content-length: 2\r\ntransfer-encoding: chunked\r\n'),
    ends: false,
    share: 8,
  },
  { name: 'long headers', bytes: head('/v1/check', `x: ${'y'.repeat(50_000)}\r\n`), ends: false, share: 4 },
  { name: 'no such path', bytes: whole('{}', '/v1/nothing'), ends: false, share: 8 },
  { name: 'half-closed in the headers', bytes: 'POST /v1/check HTTP/1.1\r\nhost:', ends: true, share: 7 },
  {
    name: 'half-closed in the body',
    bytes: `${head('/v1/check', 'content-length: 100\r\n')}{"prompt":`,
    ends: true,
    share: 7,
  },
  { name: 'slow headers', bytes: 'POST /v1/check HTTP/1.1\r\nhost:', ends: false, share: 1 },
  { name: 'slow body', bytes: `${head('/v1/check', 'content-length: 100\r\n')}{"prompt":`, ends: false, share: 1 },
];

/** @returns the status, "closed", or "open" for a connection that the server still holds after a minute */
function exchange(port: number, { bytes, ends }: Broken): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let reply = '';
    const finish = (result: string) => {
      clearTimeout(timer);
      resolve(result);
      socket.destroy();
    };
    const timer = setTimeout(() => finish('open'), 60_000);
    const said = () => /^HTTP\/1\.1 (\d+)/.exec(reply)?.[1] ?? 'closed';
    socket.on('data', (data) => {
      reply += data;
    });
    socket.on('error', () => finish(said()));
    socket.on('close', () => finish(said()));
    socket.write(bytes, 'latin1');
    if (ends) socket.end();
  });
}

async function broken(server: ServeProcess, ask: Ask): Promise<void> {
  const total = Number(values.broken);
  const plan = brokenKinds.flatMap((kind) => Array<Broken>(Math.round((total * kind.share) / 100)).fill(kind));
  const uniform = mulberry32(2);
  const order = plan.map((kind) => ({ kind, key: uniform() })).sort((a, b) => a.key - b.key);
  const results = new Map<string, Map<string, number>>();
  let isOver = false;
  const good: Shot[] = [];
  const asking = (async () => {
    for (let index = 0; !isOver; index++) {
      const startMs = performance.now();
      const status = await ask(index).catch(() => null);
      good.push({ status, ms: performance.now() - startMs, dueMs: startMs });
      await sleep(50);
    }
  })();
  let next = 0;
  const one = async () => {
    for (let item = order[next++]; item; item = order[next++]) {
      const result = await exchange(server.port, item.kind);
      const counts = results.get(item.kind.name) ?? new Map<string, number>();
      results.set(item.kind.name, counts.set(result, (counts.get(result) ?? 0) + 1));
    }
  };
  await Promise.all(Array.from({ length: 200 }, one));
  isOver = true;
  await asking;
  for (const [name, counts] of results)
    console.log(`  ${name}: ${[...counts].map(([what, n]) => `${what} ${n}`).join(', ')}`);
  const isFine = (result: string) => result === 'closed' || /^4\d\d$/.test(result);
  expectTrue(
    'broken',
    `${order.length} requests: a 4xx or a closed connection each`,
    [...results.values()].every((counts) => [...counts.keys()].every(isFine)),
  );
  expectTrue(
    'broken',
    `${good.length} good ones beside them were answered`,
    good.every(({ status }) => status === 200),
  );
  expectTrue('broken', 'the server lives', server.child.exitCode === null);
}

async function kill(server: ServeProcess, ask: Ask): Promise<void> {
  const workers = server.workers();
  const load = closedLoop(ask, { inFlight: 16, seconds: 12 });
  await sleep(3000);
  process.kill(workers[0]!, 'SIGKILL');
  const shots = await load;
  console.log(`${shots.length} requests, ${statusesOf(shots)}`);
  const lost = count(shots, 502);
  expectTrue(
    'kill',
    'every request was answered, most with 200',
    count(shots, 200) + lost + count(shots, 503) === shots.length,
  );
  expectTrue('kill', `${lost} were lost with the worker, at most all that were under way`, lost <= 16);
  expectTrue(
    'kill',
    'the last of them were answered',
    shots
      .toSorted((a, b) => a.dueMs - b.dueMs)
      .slice(-5)
      .every(({ status }) => status === 200),
  );
  expectTrue(
    'kill',
    'as many workers as before',
    server.workers().length === workers.length && !server.workers().includes(workers[0]!),
  );
}

async function stop(server: ServeProcess, ask: Ask): Promise<void> {
  const inTime = Array.from({ length: 64 }, (_, index) => ask(index).catch(() => null));
  await sleep(100); // they have been taken in
  const stopped = server.stop();
  const statuses = await Promise.all(inTime);
  const { code, ms } = await stopped;
  const late = await ask(0).catch(() => null);
  expectTrue(
    'stop',
    'what was taken in before SIGTERM was answered',
    statuses.every((status) => status === 200),
  );
  expectTrue('stop', `it ended with code 0 (${(ms / 1000).toFixed(1)} s)`, code === 0);
  expectTrue('stop', 'nothing answers afterwards', late === null);
}

const guard = positionals[0] ?? (await writeTinyGuard(await temporaryFolder()));
const texts = readTexts();
const server = await startServeProcess(guard);
try {
  for (const part of [overload, broken, kill, stop]) {
    const poster = createPoster(server.url, 4000);
    await part(server, (index) => poster.post('/v1/check', JSON.stringify({ prompt: texts[index % texts.length] })));
    await poster.close();
  }
} finally {
  server.child.kill('SIGKILL');
}
process.exitCode = findings.every(({ isTrue }) => isTrue) ? 0 : 1;
