import { spawnSync } from 'node:child_process';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../test/tokenizer-fixtures.node.ts';
import { acquireLock } from './lock.node.ts';

const place = async () => path.join(await temporaryFolder(), 'locks', 'a.lock');

/** A clock whose sleeps are counted and run `then`. */
function counting(then: (sleeps: number) => unknown = () => undefined) {
  let sleeps = 0;
  const clock = { now: () => 0, sleep: async () => void (await then(++sleeps)) };
  return { clock, signal: undefined, onWait: () => undefined, count: () => sleeps };
}

it('is held by one at a time, and leaves nothing behind', async () => {
  const file = await place();
  const release = await acquireLock(file, counting());
  let waited = 0;
  const second = counting((sleeps) => (sleeps === 3 ? release() : undefined));
  const releaseSecond = await acquireLock(file, { ...second, onWait: () => waited++ });
  expect([second.count(), waited]).toEqual([3, 1]);
  await releaseSecond();
  expect(await readdir(path.dirname(file))).toEqual([]);
});

it('of a process that is gone is taken at once', async () => {
  const file = await place();
  const gone = spawnSync(process.execPath, ['-e', '']).pid;
  await (await acquireLock(file, counting()))();
  await writeFile(file, `${hostname()} ${gone} x`);
  const options = counting();
  await (await acquireLock(file, options))();
  expect(options.count()).toBe(0);
});

it('of another machine is taken when nobody has touched it for half a minute', async () => {
  const file = await place();
  await (await acquireLock(file, counting()))();
  await writeFile(file, 'elsewhere 1 x');
  const options = counting();
  await (await acquireLock(file, options))();
  expect(options.count()).toBe(60); // of 500 ms
});

it('is not let go by whoever lost it', async () => {
  const file = await place();
  const release = await acquireLock(file, counting());
  await writeFile(file, 'elsewhere 1 x');
  await release();
  expect((await stat(file)).size).toBeGreaterThan(0);
});

it('stops waiting when it is told to', async () => {
  const file = await place();
  await acquireLock(file, counting());
  const reason = new Error('stop');
  const clock = { now: () => 0, sleep: async () => Promise.reject(reason) };
  await expect(acquireLock(file, { ...counting(), clock })).rejects.toBe(reason);
});
