/** A server on a tiny guard, for tests: its port, its log, and calls to it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createLog } from './log.ts';
import { type GuardServer, type ServeOptions, startServer } from './server.node.ts';

export interface TestServer extends GuardServer {
  readonly url: string;
  readonly lines: readonly string[];
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Reply>;
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of it
  readonly json: any;
}

export const testLimits = { maxItems: 16, maxCharacters: 2000, maxBodyBytes: 20_000, timeoutMs: 10_000, maxOpen: 500 };

export async function serveForTest(guard: string, options: Partial<ServeOptions> = {}): Promise<TestServer> {
  const lines: string[] = [];
  const server = await startServer({
    guard,
    guardOptions: { threads: 1 },
    workers: 1,
    maxQueue: 64,
    maxWaitMs: 5000,
    host: '127.0.0.1',
    port: 0,
    name: 'tiny',
    limits: testLimits,
    readKeys: () => [],
    log: createLog('requests', (line) => lines.push(line)),
    ...options,
  });
  const url = `http://127.0.0.1:${server.port}`;
  return { ...server, url, lines, post: (path, body, headers) => post(`${url}${path}`, body, headers) };
}

export async function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Reply> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, json: await response.json() };
}

/** @throws Error when it does not become true in five seconds */
export async function until(isTrue: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadlineMs = performance.now() + 5000;
  while (!(await isTrue())) {
    if (performance.now() > deadlineMs) throw new Error(`${what}: not within 5 s`);
    await sleep(5);
  }
}
