/** The playground in Chromium, for tests and measurements. */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { findChromium } from '../../../scripts/chromium.ts';

export const DESK = { width: 1280, height: 900 };
export const PHONE = { width: 390, height: 844 };

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: findChromium()!, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

export interface OpenedPage {
  readonly page: Page;
  /** Errors of the console and the page, and its dialogs. */
  readonly faults: string[];
  /** Addresses asked for since the page was opened. */
  readonly requests: string[];
}

/** Opens the address, in a page of the profile. */
export async function openPlayground(context: BrowserContext, url: string): Promise<OpenedPage> {
  const page = await context.newPage();
  const [faults, requests]: [string[], string[]] = [[], []];
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('dialog', (dialog) => {
    faults.push(dialog.message());
    void dialog.dismiss();
  });
  page.on('request', (request) => requests.push(request.url()));
  await page.goto(url);
  return { page, faults, requests };
}

/** @returns what the page says of its guard when that is loaded, or has failed */
export async function guardState(page: Page): Promise<string> {
  await page.locator('#dot:not([data-state=loading])').waitFor({ state: 'attached', timeout: 30_000 });
  return page.locator('#guard-error').evaluate((error) => error.textContent || 'ready');
}

/** What the page says of a text: written into its box, and checked by its button. */
export async function check(page: Page, prompt: string, response = '') {
  await page.fill('#prompt', prompt);
  await page.fill('#response', response);
  await page.click('#check');
  return answer(page);
}

export async function answer(page: Page) {
  await page.waitForFunction(() => {
    const said = document.querySelector('#facts')?.textContent ?? '';
    const result = document.querySelector<HTMLElement>('#result')!;
    return said !== '' && result.dataset.verdict !== 'none' && result.ariaBusy === 'false';
  });
  return { score: Number(await page.textContent('#score')), verdict: await page.textContent('#verdict') };
}

/** Waits until the words are explained, or were stopped. */
export async function explained(page: Page): Promise<string> {
  await page.waitForFunction(() =>
    /checks$|^stopped/.test(document.querySelector('#words:not([hidden]) #words-state')?.textContent ?? ''),
  );
  return (await page.textContent('#words-state'))!;
}

/** What axe finds to mend, of any weight. The page needs a profile with `bypassCSP`. */
export async function axeFindings(page: Page): Promise<string[]> {
  await page.evaluate(await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'));
  return page.evaluate(async () => {
    const { axe } = window as unknown as {
      axe: { run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> };
    };
    const { violations } = await axe.run();
    return violations.map(({ id, impact, nodes }) => `${impact}, ${id}: ${nodes[0]!.html.slice(0, 160)}`);
  });
}

export interface PlainHost {
  readonly url: string;
  /** Paths that were asked for. */
  readonly requests: string[];
  stop(): Promise<void>;
}

/** Any static host: a folder under a path, with no headers but those that are given. */
export async function plainHost(
  folder: string,
  base = '/',
  headers: Readonly<Record<string, string>> = {},
  redirect?: string,
): Promise<PlainHost> {
  const types: Readonly<Record<string, string>> = {
    '.html': 'text/html',
    '.css': 'text/css',
    '.svg': 'image/svg+xml',
    '.js': 'text/javascript',
    '.mjs': 'text/javascript',
    '.wasm': 'application/wasm',
  };
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, 'http://host');
    requests.push(pathname);
    const name = pathname.slice(base.length) || 'index.html';
    if (redirect !== undefined) {
      response.writeHead(302, { ...headers, location: `${redirect}${name}` }).end();
      return;
    }
    readFile(path.join(folder, name)).then(
      (bytes) => {
        const type = types[path.extname(name)] ?? 'application/octet-stream';
        response
          .writeHead(200, { ...headers, 'content-type': type })
          .end(request.method === 'HEAD' ? undefined : bytes);
      },
      () => response.writeHead(404, headers).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${base}`,
    requests,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
