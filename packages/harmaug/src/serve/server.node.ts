/** The server on a port: limits on slow and broken clients, a guard that can be loaded anew, an end that loses nothing. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { getRequestListener } from '@hono/node-server';
import { ConfigError } from 'onnx-grad';
import { messageOf } from '../errors.ts';
import { type AppLimits, createApp } from './app.node.ts';
import { keyCheck } from './keys.node.ts';
import type { Log } from './log.ts';
import { createMetrics } from './metrics.node.ts';
import { Pool, type PoolOptions } from './pool.node.ts';

export interface ServeOptions extends Omit<PoolOptions, 'onEvent'> {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** The guard's name in answers. */
  readonly name: string;
  readonly limits: AppLimits;
  /** Read when the server starts and at every reload. None: everyone is let in. @throws ConfigError */
  readonly readKeys: () => readonly string[];
  readonly log: Log;
}

export interface GuardServer {
  readonly port: number;
  /** Process ids of the workers. */
  readonly workers: () => readonly number[];
  readonly requests: () => number;
  /** Loads guard and keys anew; requests go on. Failing, everything stays as it was, and the log says so. */
  reload(): Promise<boolean>;
  /** Refuses what is new, answers what is there, within so long. */
  stop(withinMs: number): Promise<void>;
}

const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000; // headers and body
const KEEP_ALIVE_MS = 65_000; // longer than load balancers', which then hang up first
const LOOK_EVERY_MS = 1000; // for clients that are too slow
const MOST_CONNECTIONS = 4096;

/** @throws ConfigError where the guard does not load or the port is taken */
export async function startServer(options: ServeOptions): Promise<GuardServer> {
  const { log } = options;
  let isKnownKey = keyCheck(options.readKeys());
  let isStopping = false;
  let requests = 0;
  const pool = await Pool.start({ ...options, onEvent: log });
  const metrics = createMetrics(() => pool.state);
  const app = createApp({
    name: options.name,
    judge: pool,
    limits: options.limits,
    keys: () => isKnownKey,
    metrics,
    log,
    isStopping: () => isStopping,
  });
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: LOOK_EVERY_MS,
    },
    (incoming, outgoing) => {
      requests += 1;
      void listener(incoming, outgoing);
    },
  );
  server.maxConnections = MOST_CONNECTIONS;
  try {
    await listen(server, options);
  } catch (error) {
    await pool.stop(0);
    throw error;
  }
  const { port } = server.address() as AddressInfo;
  log({ event: 'listening', host: options.host, port, guard: options.name });
  return {
    port,
    workers: () => pool.pids,
    requests: () => requests,
    async reload() {
      try {
        const keys = options.readKeys();
        await pool.reload();
        isKnownKey = keyCheck(keys);
        log({ event: 'reloaded' });
        metrics.countReload(true);
        return true;
      } catch (error) {
        log({ event: 'reload-failed', reason: messageOf(error) });
        metrics.countReload(false);
        return false;
      }
    },
    async stop(withinMs) {
      const deadlineMs = performance.now() + withinMs;
      isStopping = true;
      log({ event: 'stopping' });
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const isClosed = closed.then(() => true);
      while (!(await Promise.race([isClosed, sleep(50, false)])) && performance.now() < deadlineMs) {
        server.closeIdleConnections();
      }
      await pool.stop(Math.max(0, deadlineMs - performance.now()));
      server.closeAllConnections();
      await closed;
      log({ event: 'stopped', requests });
    },
  };
}

function listen(server: Server, { host, port }: ServeOptions): Promise<void> {
  const problems: Readonly<Record<string, string>> = {
    EADDRINUSE: `Port ${port} of ${host} is taken. Choose another with --port, or 0 for any that is free.`,
    EACCES: `Port ${port} may not be opened. Choose one over 1023 with --port.`,
    EADDRNOTAVAIL: `This machine has no address ${host}.`,
    ENOTFOUND: `There is no host ${host}.`,
  };
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(new ConfigError(problems[error.code ?? ''] ?? `${host}:${port}: ${error.code}.`, { cause: error }));
    });
    server.listen({ host, port, backlog: 1024 }, () => resolve());
  });
}
