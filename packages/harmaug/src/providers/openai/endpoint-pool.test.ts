import { expect, test } from 'vitest';
import { EndpointPool } from './endpoint-pool.ts';

test('a caller in line is served when its endpoint opens between two looks at the clock', async () => {
  let nowMs = 0;
  const timers: (() => void)[] = [];
  let isTicking = false;
  const clock = {
    now: () => (isTicking ? ++nowMs : nowMs), // time passes from one look to the next
    after: (_: number, action: () => void) => {
      timers.push(action);
      return () => timers.splice(timers.indexOf(action), 1);
    },
  };
  const pool = new EndpointPool(['http://one'], { concurrency: 1, patienceMs: 1000, clock });
  const first = await pool.acquire();
  first.finish({ kind: 'overload', retryAfterMs: 10 });
  const second = pool.acquire();
  nowMs = 7; // the timer comes early: the pool looks at 8, at 9 and at 10, when it has just opened
  isTicking = true;
  while (timers.length > 0) timers.shift()!();
  expect((await second).url).toBe('http://one');
});
