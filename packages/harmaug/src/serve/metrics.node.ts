/** What Prometheus reads. Labels come from closed lists: nothing of a request is among them. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { PoolState } from './pool-state.ts';

export interface Observed {
  /** The route's pattern, or "other". */
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
}

export interface Metrics {
  readonly contentType: string;
  readonly observe: (request: Observed) => void;
  readonly countVerdict: (verdict: 'safe' | 'unsafe') => void;
  readonly countReload: (isDone: boolean) => void;
  readonly text: () => Promise<string>;
}

const LATENCY_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]; // seconds

/** @param state asked whenever the metrics are read */
export function createMetrics(state: () => PoolState): Metrics {
  const registers = [new Registry()];
  const [registry] = registers as [Registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    name: 'harmaug_requests_total',
    help: 'Answered requests.',
    labelNames: ['route', 'status'],
    registers,
  });
  const durations = new Histogram({
    name: 'harmaug_request_seconds',
    help: 'From a request’s headers to its answer.',
    labelNames: ['route'],
    buckets: LATENCY_BUCKETS,
    registers,
  });
  const verdicts = new Counter({
    name: 'harmaug_verdicts_total',
    help: 'Texts and exchanges by what the guard said.',
    labelNames: ['verdict'],
    registers,
  });
  const reloads = new Counter({
    name: 'harmaug_reloads_total',
    help: 'Times the guard was loaded anew.',
    labelNames: ['result'],
    registers,
  });
  const gauges: Readonly<Record<keyof PoolState, string>> = {
    waiting: 'Texts and exchanges in the queue.',
    inWork: 'Texts and exchanges taken in and not yet answered, the queue included.',
    ready: 'Workers ready.',
    lost: 'Workers that ended unasked.',
  };
  const names: Readonly<Record<keyof PoolState, string>> = {
    waiting: 'harmaug_queue_texts',
    inWork: 'harmaug_texts_in_work',
    ready: 'harmaug_workers_ready',
    lost: 'harmaug_workers_lost',
  };
  for (const key of Object.keys(gauges) as (keyof PoolState)[]) {
    new Gauge({
      name: names[key],
      help: gauges[key],
      registers,
      collect() {
        this.set(state()[key]);
      },
    });
  }
  return {
    contentType: registry.contentType,
    observe({ route, status, seconds }) {
      requests.inc({ route, status });
      durations.observe({ route }, seconds);
    },
    countVerdict: (verdict) => verdicts.inc({ verdict }),
    countReload: (isDone) => reloads.inc({ result: isDone ? 'done' : 'failed' }),
    text: () => registry.metrics(),
  };
}
