/** The playground's site on this machine. What is not in its table of files does not exist. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { ConfigError } from 'onnx-grad';
import type { SiteFile, SiteFiles } from './files.ts';

export interface SiteServer {
  /** Ends with a slash. */
  readonly url: string;
  stop(): Promise<void>;
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
};

/** The first two give WebAssembly shared memory, and so threads. */
const headers = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
  'content-security-policy': "frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
} as const;

const LOOPBACK = '127.0.0.1';
/** A page elsewhere whose name is made to lead here is not let in. */
const HOSTS = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;

/**
 * @param port 0 for any that is free
 * @throws ConfigError for a port that is taken
 */
export async function startSite(site: SiteFiles, port = 0): Promise<SiteServer> {
  const server = createServer((request, response) => {
    answer(site, request, response).catch(() => {
      if (response.headersSent) response.destroy();
      else refuse(response, 404);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EADDRINUSE' ? 'is taken' : `cannot be used (${cause.code})`;
      reject(new ConfigError(`Port ${port} ${why}. Give another: --port`, { cause }));
    });
    server.listen(port, LOOPBACK, resolve);
  });
  return {
    url: `http://${LOOPBACK}:${(server.address() as AddressInfo).port}/`,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(site: SiteFiles, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, url = '/' } = request;
  if (!HOSTS.test(request.headers.host ?? '')) return refuse(response, 421);
  if (method !== 'GET' && method !== 'HEAD') return refuse(response, 405, { allow: 'GET, HEAD' });
  const name = url.replace(/[?#].*$/, '').slice(1) || 'index.html';
  const file = site.get(name);
  if (file === undefined) return refuse(response, 404);
  const { length, etag } = await stampsOf(file);
  const stamped = { ...headers, etag };
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304, stamped).end();
    return;
  }
  const type = types[path.extname(name)] ?? 'application/octet-stream';
  response.writeHead(200, { ...stamped, 'content-type': type, 'content-length': length });
  if (method === 'HEAD') response.end();
  else if ('bytes' in file) response.end(file.bytes);
  else await send(file.file, response);
}

async function stampsOf(file: SiteFile): Promise<{ length: number; etag: string }> {
  if ('bytes' in file) {
    const hash = createHash('sha256').update(file.bytes).digest('hex').slice(0, 16);
    return { length: file.bytes.byteLength, etag: `"${hash}"` };
  }
  const { size, mtimeMs } = await stat(file.file);
  return { length: size, etag: `"${size.toString(16)}-${Math.round(mtimeMs).toString(16)}"` };
}

function send(file: string, response: ServerResponse): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = createReadStream(file);
    response.on('close', () => {
      stream.destroy();
      resolve();
    });
    stream.on('error', reject).pipe(response);
  });
}

function refuse(response: ServerResponse, status: number, more: Readonly<Record<string, string>> = {}): void {
  response.writeHead(status, { ...headers, ...more, 'content-type': 'text/plain; charset=utf-8' }).end(`${status}\n`);
}
