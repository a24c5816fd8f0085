/**
 * An exported guard in Chromium beside itself in Node: the same answers, how fast, how much memory.
 * `npm run check:web -- <exported folder> [texts.jsonl]`: prints numbers, never a text; fails where answers differ.
 */
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { findChromium } from '../../../scripts/chromium.ts';
import { Guard } from '../src/index.node.ts';
import type { Dtype, GuardRequest } from '../src/index.ts';
import { launch, openPage, Site } from '../test/site.node.ts';
import { writeSeededGuard } from './seeded-guard.ts';
import { measuredTexts } from './web-texts.ts';

const TEXTS = 200;
const TEXTS_ON_GPU = 20; // SwiftShader is a GPU made of software: right, and slow
const TIMED = 60;
const TEXTS_AGAIN = 80; // with threads and in a worker
const THREADS = 2;
/** Largest |Δp| between Node and the browser. */
const TOLERANCE: Readonly<Record<Dtype, number>> = { fp32: 1e-4, int8: 1e-4, q4: 1e-3 };
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 3, isMobile: true, hasTouch: true };
const SOFTWARE_GPU = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan'];

const [folder, file] = process.argv.slice(2);
if (folder === undefined) throw new Error('Expected the folder of an exported guard.');
if (findChromium() === null) throw new Error('No Chromium. Install it, or name it in CHROMIUM.');
const texts = measuredTexts(file, TEXTS);
const root = await mkdtemp(path.join(tmpdir(), 'harmaug-web-'));
const site = await Site.start({ guards: root });
try {
  await symlink(path.resolve(folder), path.join(root, 'given'));
  process.stdout.write(`${cpus()[0]!.model}, ${cpus().length} cores, Node ${process.version}\n`);
  await compare();
  await compareOnGpu();
  await measureMemory();
} finally {
  await site.stop();
  await rm(root, { recursive: true });
}

interface InPage {
  readonly loadMs: number;
  readonly scores: readonly number[];
  readonly timesMs: readonly number[];
}

interface Asked {
  readonly dtype: Dtype;
  readonly requests: readonly GuardRequest[];
  readonly timed?: number;
  readonly worker?: boolean;
  readonly threads?: number;
  readonly device?: 'wasm' | 'webgpu';
  readonly name?: string;
  readonly cache?: boolean;
}

function run(page: Page, { requests, timed = 0, name = 'given', ...options }: Asked): Promise<InPage> {
  return page.evaluate(
    async ({ requests, timed, name, options }) => {
      const begin = performance.now();
      const guard = await harmaug.Guard.load(`/guards/${name}`, { wasmPaths: '/ort/', cache: false, ...options });
      const loadMs = performance.now() - begin;
      const scores: number[] = [];
      const timesMs: number[] = [];
      for (const [index, request] of requests.entries()) {
        const start = performance.now();
        const { score, windows } = await guard.check(request);
        if (index > 0 && windows === 1 && timesMs.length < timed) timesMs.push(performance.now() - start);
        scores.push(score);
      }
      await guard.dispose();
      return { loadMs, scores, timesMs };
    },
    { requests, timed, name, options },
  );
}

async function compare(): Promise<void> {
  const browser = await launch();
  const rows: Record<string, unknown>[] = [];
  for (const dtype of ['fp32', 'int8'] as const) {
    const nodeScores = await scoresInNode(dtype);
    if (nodeScores === null) continue;
    for (const how of ['one thread', `${THREADS} threads`, 'worker']) {
      const kind = how === 'one thread' ? 'plain' : 'isolated';
      const page = await openPage(browser, site, kind, [], PHONE);
      const options = { threads: how === 'one thread' ? 1 : THREADS, worker: how === 'worker' };
      const requests = how === 'one thread' ? texts : texts.slice(-TEXTS_AGAIN);
      const found = await run(page, { dtype, requests, timed: TIMED, ...options });
      const difference = largestDifference(found.scores, nodeScores.slice(-requests.length));
      expectNear(`${dtype}, ${how}`, difference, TOLERANCE[dtype]);
      rows.push({
        dtype,
        how,
        texts: requests.length,
        'largest |Δp| to Node': difference.toExponential(1),
        'p50 of a prompt (ms)': median(found.timesMs).toFixed(1),
        'load (ms)': Math.round(found.loadMs),
      });
      process.stderr.write(`${dtype}, ${how}: done\n`);
      await page.context().close();
    }
  }
  console.table(rows);
  await browser.close();
}

/** `null` where the folder has no such model. */
async function scoresInNode(dtype: Dtype, requests: readonly GuardRequest[] = texts): Promise<number[] | null> {
  const guard = await Guard.load(folder!, { dtype }).catch((error: Error) => {
    if (/Export it first/.test(error.message)) return null;
    throw error;
  });
  if (guard === null) return null;
  const scores: number[] = [];
  for (const request of requests) scores.push((await guard.check(request)).score);
  await guard.dispose();
  return scores;
}

async function compareOnGpu(): Promise<void> {
  const browser = await launch(SOFTWARE_GPU);
  const page = await openPage(browser, site, 'isolated', [], PHONE);
  const hasAdapter = await page.evaluate(async () => {
    const { gpu } = navigator as { gpu?: { requestAdapter(): Promise<unknown> } };
    return (await gpu?.requestAdapter()) != null;
  });
  if (!hasAdapter) process.stdout.write('WebGPU: left out, this Chromium offers no adapter.\n');
  for (const dtype of hasAdapter ? (['fp32', 'q4', 'int8'] as const) : []) {
    const requests = texts.filter(({ prompt }) => prompt.length < 500).slice(0, TEXTS_ON_GPU);
    const nodeScores = await scoresInNode(dtype, requests);
    if (nodeScores === null) continue;
    const { scores } = await run(page, { dtype, requests, device: 'webgpu' });
    const difference = largestDifference(scores, nodeScores);
    process.stdout.write(
      `WebGPU (SwiftShader), ${dtype}: ${scores.length} texts, largest |Δp| ${difference.toExponential(1)}\n`,
    );
    expectNear(`WebGPU ${dtype}`, difference, 1e-3); // sums in another order
  }
  await browser.close();
}

/** The tab's peak while a 70M guard loads and answers, at a phone's size; and what an empty page has. */
async function measureMemory(): Promise<void> {
  await mkdir(path.join(root, 'seventy'));
  const parameters = await writeSeededGuard(path.join(root, 'seventy'), 'xsmall');
  const rows: Record<string, unknown>[] = [];
  for (const what of ['an empty page', 'in the page', 'in a worker', 'in a worker, from the cache']) {
    const browser = await launch();
    const page = await openPage(browser, site, 'isolated', [], PHONE);
    const isCached = what.endsWith('cache');
    if (isCached) await keep(page);
    const tab = isCached ? await reopened(page) : page;
    const before = await peakOfTab(browser);
    let loadMs = Number.NaN;
    if (what !== 'an empty page') {
      const worker = what.includes('worker');
      const asked = { dtype: 'int8', requests: texts.slice(0, 20), name: 'seventy', threads: 1, worker } as const;
      ({ loadMs } = await run(tab, { ...asked, ...(isCached ? { cache: true } : {}) }));
    }
    rows.push({
      'int8 guard': what,
      'peak of the tab (MB)': Math.round(((await peakOfTab(browser)) ?? Number.NaN) / 1e6),
      'before (MB)': Math.round((before ?? Number.NaN) / 1e6),
      'load (ms)': Math.round(loadMs),
    });
    await browser.close();
  }
  process.stdout.write(`${(parameters / 1e6).toFixed(1)}M parameters, 8 bits\n`);
  console.table(rows);
}

async function keep(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const options = { wasmPaths: '/ort/', dtype: 'int8', worker: true } as const;
    await (await harmaug.Guard.load('/guards/seventy', options)).dispose();
  });
}

/** Another tab of the same profile, in a process that has not loaded anything. */
async function reopened(page: Page): Promise<Page> {
  const context = page.context();
  await page.close();
  const tab = await context.newPage();
  await tab.goto(`${site.origin}/isolated/`);
  await tab.waitForFunction(() => 'harmaug' in globalThis);
  return tab;
}

/** High-water mark of the largest renderer's resident memory, in bytes; `null` where there is no /proc. */
async function peakOfTab(browser: Browser): Promise<number | null> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  const peaks = processInfo
    .filter(({ type }) => type === 'renderer')
    .map(({ id }) => {
      try {
        return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1]) * 1024;
      } catch {
        return Number.NaN;
      }
    })
    .filter((bytes) => !Number.isNaN(bytes));
  return peaks.length === 0 ? null : Math.max(...peaks);
}

function largestDifference(one: readonly number[], other: readonly number[]): number {
  return one.reduce((most, score, index) => Math.max(most, Math.abs(score - other[index]!)), 0);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function expectNear(what: string, difference: number, most: number): void {
  if (difference <= most) return; // NaN too is too much
  process.stderr.write(`${what}: answers differ from Node's by ${difference}, at most ${most} is allowed.\n`);
  process.exitCode = 1;
}
