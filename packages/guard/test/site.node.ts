/** A site on this machine with the guard's bundle, onnxruntime-web's files and folders of guards; and a browser to open it. */
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { build } from 'esbuild';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { findChromium } from '../../../scripts/chromium.ts';
import type * as guard from '../src/index.web.ts';

declare global {
  /** Of page.ts. */
  var harmaug: typeof guard;
}

const here = import.meta.dirname;
const runtime = path.join(here, '../../../node_modules/onnxruntime-web/dist');

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

/** Shared memory, and so threads, is for pages that ask to be alone. */
const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };

/** Answers a request itself, where it wants to. @returns whether it did */
export type Fault = (url: string, response: ServerResponse, request: IncomingMessage) => boolean | Promise<boolean>;

export interface SiteOptions {
  /** Folder that is served as /guards/ */
  readonly guards: string;
  /** Further scripts: name without .js -> the file to bundle. */
  readonly scripts?: Readonly<Record<string, string>>;
}

/** `/plain/` is an ordinary page, `/isolated/` one that may have threads. */
export class Site {
  readonly #server: Server;
  readonly #scripts: ReadonlyMap<string, Uint8Array>;
  readonly #guards: string;
  faults: Fault[] = [];
  /** "GET /guards/…" of every request for a guard's file. */
  requests: string[] = [];

  private constructor(scripts: ReadonlyMap<string, Uint8Array>, guards: string) {
    this.#scripts = scripts;
    this.#guards = guards;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.writeHead(404).end());
    });
  }

  static async start({ guards, scripts = {} }: SiteOptions): Promise<Site> {
    const site = new Site(await bundle(scripts), guards);
    await new Promise<void>((resolve) => site.#server.listen(0, '127.0.0.1', resolve));
    return site;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url!, 'http://site');
    const inGuards = pathname.startsWith('/guards/');
    if (inGuards) this.requests.push(`${request.method} ${pathname}`);
    for (const fault of this.faults) if (await fault(pathname, response, request)) return;
    const headers = { ...ISOLATED, 'cross-origin-resource-policy': 'same-origin' };
    if (/^\/(plain|isolated)\/$/.test(pathname)) {
      const own = pathname === '/isolated/' ? ISOLATED : {};
      const html = '<!doctype html><title>guard</title><script type="module" src="/page.js"></script>';
      response.writeHead(200, { 'content-type': 'text/html', ...own }).end(html);
      return;
    }
    const file = pathname.slice(1);
    const folder = pathname.startsWith('/ort/') ? runtime : this.#guards;
    const bytes = this.#scripts.get(file) ?? (await readFile(path.join(folder, file.replace(/^(ort|guards)\//, ''))));
    const type = types[path.extname(file)] ?? 'application/octet-stream';
    const etag = inGuards ? { etag: `"${bytes.byteLength}-${bytes.subarray(-64).join('')}"` } : {};
    response.writeHead(200, { ...headers, ...etag, 'content-type': type, 'content-length': bytes.byteLength });
    response.end(request.method === 'HEAD' ? undefined : bytes);
  }
}

/** As an app's bundler would, from the sources. */
async function bundle(scripts: Readonly<Record<string, string>>): Promise<ReadonlyMap<string, Uint8Array>> {
  const { outputFiles } = await build({
    entryPoints: {
      page: path.join(here, 'page.ts'),
      'worker.web': path.join(here, '../src/worker/worker.web.ts'),
      ...scripts,
    },
    bundle: true,
    splitting: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    conditions: ['source'],
    nodePaths: [path.join(here, '../../../node_modules')], // for programs that lie elsewhere
    outdir: '/',
    logLevel: 'error',
  });
  return new Map(outputFiles.map(({ path: file, contents }) => [path.basename(file), contents]));
}

/** @param flags further ones of Chromium */
export function launch(flags: readonly string[] = []): Promise<Browser> {
  return chromium.launch({
    executablePath: findChromium()!,
    args: ['--no-sandbox', '--disable-dev-shm-usage', ...flags],
  });
}

/**
 * A page with the guard in it, in a browser profile of its own.
 * @param errors gets what the console shows as wrong
 * @param options of the profile: the size of its screen, for example
 */
export async function openPage(
  browser: Browser,
  site: Site,
  kind: 'plain' | 'isolated',
  errors: string[] = [],
  options: BrowserContextOptions = {},
): Promise<Page> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.on('console', (message) => {
    if (message.type() === 'warning' || message.type() === 'error') errors.push(message.text());
  });
  page.on('pageerror', (error) => errors.push(error.message));
  await page.goto(`${site.origin}/${kind}/`);
  await page.waitForFunction(() => 'harmaug' in globalThis);
  return page;
}
