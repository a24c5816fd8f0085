/** The playground in Chromium with a tiny guard: on a desk and on a phone, offline, by keys, on hostile texts. */
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { Guard } from '@harmaug/guard/node';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder, writeSettings, writeTinyGuard } from '../../../packages/guard/test/tiny-guard.node.ts';
import { type SiteServer, startSite } from '../../../packages/harmaug/src/playground/server.node.ts';
import { makeSite, writeSite } from '../../../packages/harmaug/src/playground/site.node.ts';
import { findChromium } from '../../../scripts/chromium.ts';
import {
  answer,
  axeFindings,
  check,
  DESK,
  explained,
  guardState,
  launch,
  openPlayground,
  PHONE,
  plainHost,
} from './browser.node.ts';

const prompt = 'you are a stupid lazy dog in my garden';
const HOSTILE = '<img src=x onerror="alert(1)"><script>alert(2)</script> stupid';
const THRESHOLD = 0.42;

describe.skipIf(findChromium() === null)('the playground', () => {
  let root: string;
  let server: SiteServer;
  let browser: Browser;
  let shared: BrowserContext;
  /** What the guard says in Node. */
  let score: number;
  const at = (name: string) => path.join(root, name);

  beforeAll(async () => {
    root = await temporaryFolder();
    await writeTinyGuard(at('tiny'), { int8: true, categories: ['insult', 'prank', 'spam'] });
    await writeSettings(at('tiny'), { threshold: THRESHOLD });
    server = await startSite(await makeSite(at('tiny')));
    const guard = await Guard.load(at('tiny'), { dtype: 'fp32' });
    ({ score } = await guard.check({ prompt }));
    await guard.dispose();
    browser = await launch();
    shared = await browser.newContext({ viewport: DESK });
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
    await rm(root, { recursive: true });
  });

  /** A page with the guard loaded: in a profile of its own where there are options, else in the one that most tests share. */
  async function ready(options: BrowserContextOptions | null = null, url = server.url) {
    const opened = await openPlayground(options === null ? shared : await browser.newContext(options), url);
    expect(await guardState(opened.page)).toBe('ready');
    return opened;
  }

  const widthOf = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth);

  const dropFile = (page: Page, name: string, content: string) =>
    page.evaluate(
      ({ name, content }) => {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File([content], name));
        document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
      },
      { name, content },
    );

  it.each([
    ['a desk', DESK],
    ['a phone', PHONE],
  ])('checks a text on %s, and says which words moved it; nothing is sent', async (_, viewport) => {
    const { page, faults, requests } = await ready({ viewport });
    await page.selectOption('#dtype', 'fp32');
    expect(await guardState(page)).toBe('ready');
    await page.locator('#check:enabled').waitFor();
    requests.length = 0;
    const said = await check(page, prompt);
    expect(said.score).toBeCloseTo(score, 3);
    expect(said.verdict).toBe(score >= THRESHOLD ? 'unsafe' : 'safe');
    expect(await page.textContent('#facts')).toMatch(/^Category(insult|prank|spam)Readin one goTook/);
    expect(await explained(page)).toBe('9 checks');
    const words = page.locator('.part[data-towards]');
    expect(await words.allTextContents()).toEqual(prompt.split(' '));
    expect(await page.locator('#passages').textContent()).toBe(prompt);
    expect(await page.locator('#top-words tbody tr').count()).toBeGreaterThan(0);
    expect(requests).toEqual([]);
    expect(await widthOf(page)).toBeLessThanOrEqual(viewport.width);
    expect(faults).toEqual([]);
    await page.close();
  });

  it('marks the guard’s own threshold, and another one changes the verdict', async () => {
    const { page } = await ready();
    expect(await page.textContent('#own-value')).toBe(THRESHOLD.toFixed(3));
    const said = await check(page, prompt);
    const slide = (value: number) => page.locator('#threshold').fill(String(value));
    await slide(said.score - 0.01);
    expect([await page.textContent('#verdict'), await page.getAttribute('#result', 'data-verdict')]).toEqual([
      'unsafe',
      'unsafe',
    ]);
    await slide(said.score + 0.01);
    expect(await page.textContent('#verdict')).toBe('safe');
    expect(await page.textContent('#threshold-value')).toBe((said.score + 0.01).toFixed(3));
    await page.click('#own');
    expect(await page.textContent('#threshold-value')).toBe(THRESHOLD.toFixed(3));
    expect(await page.textContent('#verdict')).toBe(said.verdict);
    await page.close();
  });

  it('is used by keys alone', async () => {
    const { page } = await ready();
    const focused = () => page.evaluate(() => document.activeElement?.id ?? '');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter'); // the link that skips the guard
    expect(await focused()).toBe('prompt');
    await page.keyboard.type(prompt);
    await page.keyboard.press('Control+Enter');
    const { score: shown } = await answer(page);
    const order = [];
    for (let step = 0; step < 12 && (await focused()) !== 'threshold'; step++) {
      await page.keyboard.press('Tab');
      order.push(await focused());
    }
    expect(order.slice(0, 3)).toEqual(['response', 'check', 'live']);
    expect(order.at(-1)).toBe('threshold');
    await page.keyboard.press('Home');
    expect(await page.textContent('#verdict')).toBe('unsafe');
    await page.keyboard.press('End');
    expect(await page.textContent('#verdict')).toBe('safe');
    expect(await page.textContent('#announce')).toMatch(new RegExp(`score ${shown.toFixed(3)}`));
    await page.close();
  });

  it('checks while it is typed, when told to', async () => {
    const { page } = await ready();
    await page.check('#live');
    await page.locator('#prompt').pressSequentially('you are nice');
    await answer(page);
    await explained(page);
    await page.close();
  });

  it('shows what an encoded text says, and the worst window of a long one', async () => {
    const { page } = await ready();
    const secret = 'you are a stupid lazy ugly awful dog';
    await check(page, `read ${btoa(secret)}`);
    await explained(page);
    const isDecoded = (await page.textContent('#facts'))!.includes('Written asBase64');
    if (isDecoded) expect(await page.textContent('#passages')).toBe(`decoded from Base64${secret}`);
    else expect(await page.textContent('#passages')).toBe(`read ${btoa(secret)}`);
    const calm = 'the cake is great and my garden is nice '.repeat(40);
    await page.fill('#prompt', `${calm}${secret}${calm}`);
    await page.click('#check');
    await page.waitForFunction(() => /windows, the worst/.test(document.querySelector('#facts')!.textContent!));
    await explained(page);
    expect(
      (await page.textContent('.outside >> nth=0'))!.length + (await page.textContent('.outside >> nth=1'))!.length,
    ).toBeGreaterThan(100);
    await page.close();
  });

  it('scores a dropped file, its texts hidden until asked for', async () => {
    const { page, faults } = await ready({ viewport: PHONE });
    const content = `id,prompt\na,${prompt}\nb,"${HOSTILE.replaceAll('"', '""')}"\nc,how are you`;
    await dropFile(page, 'rows.csv', content);
    const rows = page.locator('#file-table tbody tr');
    await page.waitForFunction(() => /^\d of 3 unsafe\.$/.test(document.querySelector('#file-state')!.textContent!));
    expect(await page.textContent('#file-result')).not.toContain('stupid');
    const scores = async () => (await page.locator('#file-table td:has(.bar)').allTextContents()).map(Number);
    const inOrder = await scores();
    await page.click('[data-key=by-score]');
    expect(await scores()).toEqual(inOrder.toSorted((a, b) => b - a));
    expect(await page.locator('[data-key=by-score]').evaluate((button) => button === document.activeElement)).toBe(
      true,
    );
    await page.locator('#threshold').fill('0');
    expect(await page.textContent('#file-state')).toBe('3 of 3 unsafe.');
    await page.check('#show-texts');
    expect(await page.locator('td.snippet').allTextContents()).toEqual(expect.arrayContaining([HOSTILE, prompt]));
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('[data-export=csv]')]);
    expect(download.suggestedFilename()).toBe('scores.csv');
    const saved = await readFile(await download.path(), 'utf8');
    expect(saved.trim().split('\n')).toHaveLength(4);
    expect(saved).not.toContain('stupid');
    await rows.filter({ hasText: 'how are you' }).locator('button').click();
    expect(await page.inputValue('#prompt')).toBe('how are you');
    await answer(page);
    expect(await widthOf(page)).toBeLessThanOrEqual(PHONE.width);
    expect(await page.locator('img, body script').count()).toBe(0);
    expect(faults).toEqual([]);
    await page.close();
  });

  it('says what is wrong with a file, and goes on', async () => {
    const { page } = await ready();
    await dropFile(page, 'a.jsonl', '{"other": 1}');
    await page.locator('#file-error:visible').waitFor();
    expect(await page.textContent('#file-error')).toBe('Row 1: expected a text named prompt, text, instruction.');
    await dropFile(page, 'a.txt', prompt);
    await page.locator('#file-table tbody tr').waitFor();
    expect(await page.isVisible('#file-error')).toBe(false);
    await page.close();
  });

  it('shows hostile text as text', async () => {
    const { page, faults } = await ready();
    await check(page, HOSTILE, HOSTILE);
    await explained(page);
    expect(await page.textContent('#passages')).toBe(`Prompt${HOSTILE}Response${HOSTILE}`);
    expect(await page.locator('#words img, #words script').count()).toBe(0);
    expect(faults).toEqual([]);
    await page.close();
  });

  it('explains a long text when asked, and stops when told to', async () => {
    const { page } = await ready();
    await check(page, ['you are stupid', 'my dog is nice'].join(' '.repeat(2000)));
    await page.locator('#words-run:visible').waitFor();
    expect(await page.locator('.part').count()).toBe(0);
    await page.evaluate(() => {
      for (const id of ['words-run', 'words-stop']) document.getElementById(id)!.click();
    });
    expect(await explained(page)).toBe('stopped after 0');
    expect(await page.isVisible('#words-stop')).toBe(false);
    await page.click('#words-run');
    await page.waitForFunction(() => document.querySelector('#words-state')!.textContent === '7 checks');
    expect(await page.locator('.part[data-towards]').count()).toBe(7);
    expect(await page.isVisible('#words-run')).toBe(false);
    await page.close();
  });

  it('loads and answers without a network, once it was loaded', async () => {
    const own = await startSite(await makeSite(at('tiny')));
    const { page, faults } = await ready({}, own.url);
    expect(await page.textContent('#offline')).toMatch(/^Kept in this browser/);
    const before = await check(page, prompt);
    await own.stop();
    await page.reload();
    expect(await guardState(page)).toBe('ready');
    expect(await check(page, prompt)).toEqual(before);
    await explained(page);
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    expect(faults.filter((fault) => !/ERR_CONNECTION_REFUSED|Failed to load resource/.test(fault))).toEqual([]);
    await page.close();
  });

  it('works on any static host, at any path, with one thread where the host says nothing', async () => {
    await writeSite(await makeSite(at('tiny')), at('site'));
    const host = await plainHost(at('site'), '/some/where/');
    const { page, faults } = await ready({}, host.url);
    expect(await page.textContent('#guard-state')).toMatch(/^WebAssembly, one thread/);
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
    expect((await check(page, prompt)).score).toBeCloseTo(score, 1);
    expect(host.requests.filter((file) => !file.startsWith('/some/where/'))).toEqual([]);
    expect(faults).toEqual([]);
    await page.close();
    await host.stop();
  });

  describe('a guard from elsewhere', () => {
    const open = { 'access-control-allow-origin': '*', 'access-control-expose-headers': '*' };

    it('is fetched from its address, which the page may connect to, and to no other', async () => {
      const host = await plainHost(at('tiny'), '/', open);
      const other = await plainHost(at('tiny'), '/', open);
      const { page } = await ready();
      await page.click('#another summary');
      await page.fill('#address', host.url);
      await page.press('#address', 'Enter');
      await page.waitForURL(/elsewhere\.html\?guard=/);
      expect(await guardState(page)).toBe('ready');
      await page.selectOption('#dtype', 'fp32');
      expect(await guardState(page)).toBe('ready');
      await page.locator('#check:enabled').waitFor();
      expect((await check(page, prompt)).score).toBeCloseTo(score, 3);
      const reached = (url: string) =>
        page.evaluate(
          (url) =>
            fetch(url).then(
              () => true,
              () => false,
            ),
          url,
        );
      expect(await reached(`${host.url}config.json`)).toBe(true);
      expect(await reached(`${other.url}config.json`)).toBe(false);
      expect(other.requests).toEqual([]);
      await page.close();
      await Promise.all([host.stop(), other.stop()]);
    });

    it('cannot lead the guard’s worker to a third place', async () => {
      const third = await plainHost(at('tiny'), '/', open);
      const host = await plainHost(at('tiny'), '/', open, third.url);
      const { page } = await openPlayground(shared, `${server.url}elsewhere.html?guard=${host.url}`);
      expect(await guardState(page)).toMatch(/config\.json cannot be reached/);
      expect(host.requests).toContain('/config.json');
      expect(third.requests).toEqual([]);
      await page.close();
      await Promise.all([host.stop(), third.stop()]);
    });

    it('is not fetched by the page of the own guard', async () => {
      const host = await plainHost(at('tiny'), '/', open);
      const { page } = await ready();
      const reached = await page.evaluate(
        (url) =>
          fetch(url).then(
            () => true,
            () => false,
          ),
        `${host.url}config.json`,
      );
      expect([reached, host.requests]).toEqual([false, []]);
      await page.close();
      await host.stop();
    });

    it('is one clear line where it is none', async () => {
      const { page } = await openPlayground(shared, `${server.url}elsewhere.html?guard=nonsense`);
      expect(await guardState(page)).toMatch(/^Expected the address of a guard’s folder/);
      await page.close();
    });

    it('comes from the disk', async () => {
      await writeTinyGuard(at('picked'));
      const { page, faults, requests } = await ready();
      requests.length = 0;
      await page.click('#another summary');
      await page.setInputFiles('#folder', at('picked'));
      await page.waitForFunction(() => document.querySelector('#guard-name')!.textContent === 'picked');
      expect(await guardState(page)).toBe('ready');
      await page.locator('#check:enabled').waitFor();
      expect(await page.locator('#dtype option').allTextContents()).toEqual([expect.stringMatching(/^fp32, /)]);
      expect((await check(page, prompt)).score).toBeCloseTo(score, 3);
      expect(
        requests.filter((url) => !/\/(worker\.web|chunk-[A-Z0-9]+|ort\/.*)\.m?(js|wasm)$|^blob:/.test(url)),
      ).toEqual([]);
      await page.setInputFiles('#folder', at('site'));
      expect(await page.textContent('#guard-error')).toMatch(/no exported guard/);
      expect(faults).toEqual([]);
      await page.close();
    });
  });

  it.each([
    ['light', DESK],
    ['dark', PHONE],
  ] as const)('axe finds nothing to mend: %s', async (colorScheme, viewport) => {
    const { page } = await ready({ colorScheme, viewport, bypassCSP: true, reducedMotion: 'reduce' });
    expect(await axeFindings(page)).toEqual([]);
    await check(page, prompt, HOSTILE);
    await explained(page);
    await dropFile(page, 'rows.txt', [prompt, HOSTILE, 'how are you'].join('\n'));
    await page.locator('#file-table tbody tr').nth(2).waitFor();
    await page.check('#show-texts');
    for (const summary of await page.locator('summary').all()) await summary.click();
    expect(await axeFindings(page)).toEqual([]);
    await page.close();
  });

  it('says why WebGPU cannot be had here', async () => {
    const { page } = await ready();
    await page.locator('#device-note:visible').waitFor();
    expect(await page.isDisabled('input[value=webgpu]')).toBe(true);
    expect(await page.textContent('#device-note')).toMatch(/WebGPU/);
    await page.close();
  });
});
