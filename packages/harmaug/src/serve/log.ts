/** Structured logs: one JSON object a line, of fields that we name. Texts, paths, keys and headers of requests are not among them. */
import type { PoolEvent } from './pool-state.ts';

export const logLevels = ['requests', 'events', 'none'] as const;
export type LogLevel = (typeof logLevels)[number];

export type LogEvent =
  | PoolEvent
  | { readonly event: 'listening'; readonly host: string; readonly port: number; readonly guard: string }
  | { readonly event: 'reloaded' }
  | { readonly event: 'reload-failed'; readonly reason: string }
  | { readonly event: 'stopping' }
  | { readonly event: 'stopped'; readonly requests: number }
  /** A fault of ours; the class alone. */
  | { readonly event: 'fault'; readonly id: string; readonly name: string }
  | {
      readonly event: 'request';
      /** Ours, as in the answer's header x-request-id. */
      readonly id: string;
      readonly route: string;
      readonly status: number;
      readonly ms: number;
      readonly texts: number;
    };

export type Log = (event: LogEvent) => void;

export function createLog(level: LogLevel, write: (line: string) => void, now: () => Date = () => new Date()): Log {
  if (level === 'none') return () => {};
  return (event) => {
    if (event.event === 'request' && level !== 'requests') return;
    write(JSON.stringify({ time: now().toISOString(), ...event }));
  };
}
