import { describe, expect, test } from 'vitest';
import { Endpoint } from './endpoint.ts';

const failed = { kind: 'failed', isTimeout: false, error: new Error('down') } as const;
const ok = (latencyMs: number) => ({ kind: 'ok', latencyMs }) as const;

function ask(endpoint: Endpoint, outcome: Parameters<Endpoint['finish']>[0], nowMs: number): void {
  endpoint.inFlight += 1;
  endpoint.finish(outcome, nowMs);
}

describe('an endpoint', () => {
  test('that fails five times in a row is left aside, longer each time', () => {
    const endpoint = new Endpoint('u', 8);
    for (let i = 0; i < 4; i++) ask(endpoint, failed, 0);
    expect(endpoint.isFree(0)).toBe(true);
    ask(endpoint, failed, 0);
    expect([endpoint.isFree(999), endpoint.isFree(1000)]).toEqual([false, true]);
    ask(endpoint, failed, 1000);
    expect([endpoint.isFree(2999), endpoint.isFree(3000)]).toEqual([false, true]);
    ask(endpoint, ok(5), 3000);
    expect(endpoint.isDown).toBe(false);
  });

  test('is tried with a single request, and what was sent before does not count twice', () => {
    const endpoint = new Endpoint('u', 8);
    endpoint.inFlight = 8;
    for (let i = 0; i < 7; i++) endpoint.finish(failed, 0);
    expect(endpoint.isFree(1000)).toBe(false); // one is still under way
    endpoint.finish(failed, 1);
    expect(endpoint.isFree(1000)).toBe(true);
    endpoint.inFlight += 1;
    expect(endpoint.isFree(1000)).toBe(false);
  });

  test('once it is known how long a reply takes, a round of requests is begun over half that time', () => {
    const endpoint = new Endpoint('u', 100);
    const beginAll = (nowMs: number) => {
      const before = endpoint.inFlight;
      while (endpoint.isFree(nowMs)) endpoint.begin(nowMs);
      return endpoint.inFlight - before;
    };
    expect(beginAll(0)).toBe(100);
    for (let i = 0; i < 100; i++) endpoint.finish(ok(200), 200);
    expect(beginAll(1000)).toBe(3); // one a millisecond, and timers are no finer than two
    expect(endpoint.opensAtMs).toBe(1001);
    expect(beginAll(1010)).toBe(3); // what was not asked for is not made up for
    for (let nowMs = 1011; nowMs < 1110; nowMs++) beginAll(nowMs);
    expect(endpoint.inFlight).toBe(100);
  });

  test('an error that is the request’s own fault shows that it is up', () => {
    const endpoint = new Endpoint('u', 8);
    for (let i = 0; i < 20; i++) ask(endpoint, i % 4 === 3 ? { kind: 'refused' } : failed, 0);
    expect(endpoint.isDown).toBe(false);
  });

  test('halves its limit for all the refusals of one moment together, and grows back by one a round', () => {
    const endpoint = new Endpoint('u', 64);
    endpoint.inFlight = 64;
    for (let i = 0; i < 64; i++) endpoint.finish({ kind: 'overload', retryAfterMs: 0 }, 10);
    expect(endpoint.limit).toBe(32);
    ask(endpoint, { kind: 'overload', retryAfterMs: 500 }, 200);
    expect(endpoint.limit).toBe(16);
    expect([endpoint.isFree(600), endpoint.isFree(700)]).toEqual([false, true]);
    endpoint.inFlight = 16;
    for (let i = 0; i < 16; i++) {
      endpoint.finish(ok(5), 800);
      endpoint.inFlight += 1;
    }
    expect(endpoint.limit).toBeGreaterThan(16.9);
  });

  test('keeps its limit while replies take as long as they did', () => {
    const endpoint = new Endpoint('u', 4);
    for (let i = 0; i < 100; i++) {
      endpoint.inFlight = 4;
      endpoint.finish(ok(i % 2 === 0 ? 100 : 180), i * 100);
    }
    expect(endpoint.limit).toBe(4);
  });
});
