/** The report in Chromium: from disk, without a network, on a desk and on a phone. */

import { readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findChromium } from '../../../../scripts/chromium.ts';
import { temporaryFolder } from '../../src/distill/tiny.testing.node.ts';
import { harmaug } from '../harmaug.node.ts';
import { HOSTILE, makeResults, type Results } from './results.node.ts';

const DESK = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844 };

describe.skipIf(findChromium() === null)('in Chromium', () => {
  let made: Results;
  let browser: Browser;

  beforeAll(async () => {
    made = await makeResults(await temporaryFolder());
    const data = ['manners', 'gardens'].map((name) => made.at(`${name}.jsonl`));
    const places = ['results', 'guards', 'run'].map(made.at);
    const ran = await harmaug(
      'report',
      ...places,
      '--data',
      ...data,
      '--title',
      HOSTILE,
      '--out',
      made.at('report.html'),
    );
    expect([ran.exitCode, ran.stderr]).toEqual([0, expect.any(String)]);
    browser = await chromium.launch({
      executablePath: findChromium()!,
      args: ['--no-sandbox', '--disable-dev-shm-usage'],
    });
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await rm(made.folder, { recursive: true });
  });

  /** @returns the page, and what went wrong or out in it */
  async function open(viewport: typeof DESK, colorScheme: 'light' | 'dark' = 'light') {
    const context = await browser.newContext({ viewport, colorScheme, offline: true });
    const page = await context.newPage();
    const faults: string[] = [];
    page.on('console', (message) => faults.push(message.text()));
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('dialog', (dialog) => faults.push(dialog.message()));
    page.on('request', (request) => {
      if (!request.url().startsWith('file:')) faults.push(request.url());
    });
    await page.goto(pathToFileURL(made.at('report.html')).href);
    return { page, faults };
  }

  /** Opens every part that is folded. */
  const unfold = (page: Page) =>
    page.evaluate(() => {
      for (const details of document.querySelectorAll('details')) details.open = true;
    });

  test.each([
    ['a desk', DESK],
    ['a phone', PHONE],
  ])('opens on %s with nothing wrong, nothing fetched, and no scrolling sideways', async (_, viewport) => {
    const { page, faults } = await open(viewport);
    await unfold(page);
    expect(await page.title()).toBe(HOSTILE);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(viewport.width);
    const outside = await page.evaluate(() =>
      [...document.querySelectorAll('svg.plot, p, h1, h2, h3, figcaption, .cards li')]
        .filter((element) => element.getBoundingClientRect().right > innerWidth)
        .map((element) => element.outerHTML.slice(0, 80)),
    );
    expect(outside).toEqual([]);
    expect(await page.locator('svg.plot').count()).toBeGreaterThan(15);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('shows a text when it is clicked or chosen by key, and hides it again', async () => {
    const { page, faults } = await open(PHONE);
    const button = page.locator('#examples button[data-masked]').first();
    const shown = page.locator('#examples .shown').first();
    expect(await button.textContent()).toBe('Show prompt');
    expect(await shown.isVisible()).toBe(false);
    const before = await page.evaluate(() => document.body.textContent);
    expect(made.texts.filter((text) => before.includes(text))).toEqual([]);
    await button.click();
    expect(made.texts).toContain(await shown.textContent());
    expect(await button.getAttribute('aria-expanded')).toBe('true');
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(PHONE.width);
    await button.press('Enter');
    expect(await shown.isVisible()).toBe(false);
    expect(await shown.textContent()).toBe('');
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('lets no other script run, and nothing be fetched', async () => {
    const { page } = await open(DESK);
    const outcome = await page.evaluate(async () => {
      const script = document.createElement('script');
      script.textContent = 'window.ranAnyway = true';
      document.body.append(script);
      const fetched = await fetch('data:text/plain,hello').then(
        () => 'fetched',
        () => 'refused',
      );
      return { ran: 'ranAnyway' in window, fetched };
    });
    expect(outcome).toEqual({ ran: false, fetched: 'refused' });
    await page.context().close();
  });

  test.each(['light', 'dark'] as const)('axe finds nothing to mend: %s', async (scheme) => {
    const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    const context = await browser.newContext({ viewport: DESK, colorScheme: scheme, bypassCSP: true });
    const page = await context.newPage();
    await page.goto(pathToFileURL(made.at('report.html')).href);
    await unfold(page);
    await page.evaluate(axe);
    const found = await page.evaluate(async () => {
      const { axe } = window as unknown as {
        axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
      };
      const { violations } = await axe.run();
      return violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html }) => html.slice(0, 120))}`);
    });
    expect(found).toEqual([]);
    await context.close();
  });

  test('is dark where the reader’s screen is, and white on paper', async () => {
    const { page } = await open(DESK, 'dark');
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    expect(await background()).toBe('rgb(21, 24, 28)');
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    expect(await background()).toBe('rgb(255, 255, 255)');
    await page.context().close();
  });
});
