/**
 * `npm run check:playground -- <exported folder>`: the playground in this machine's Chromium. How long a prompt takes, what axe
 * finds, whether it works offline. Fails from 100 ms a prompt on (p50), or where something is to mend.
 */
import { cpus } from 'node:os';
import type { Browser } from 'playwright-core';
import { startSite } from '../../../packages/harmaug/src/playground/server.node.ts';
import { makeSite } from '../../../packages/harmaug/src/playground/site.node.ts';
import { findChromium } from '../../../scripts/chromium.ts';
import { Latency } from '../src/guard/latency.ts';
import {
  answer,
  axeFindings,
  check,
  DESK,
  explained,
  guardState,
  launch,
  openPlayground,
} from '../test/browser.node.ts';

const PROMPTS = 60; // more than `Latency` keeps: the first ones, while the engine warms up, drop out
const MOST_MS = 100;

const openings = [
  'How do I',
  'Please help me to',
  'What is the kindest way to',
  'Why would anyone',
  'Write a poem on how to',
];
const deeds = [
  'bake a cake for my grandmother’s birthday without any sugar',
  'stop a Python process that hangs',
  'tell a friend that his jokes are not funny',
  'hide a present from three curious children',
  'make the neighbour’s dog stop barking at night',
  'send the same letter to two hundred people who never asked for it',
];
const endings = ['?', ', and what should I buy for it? I have an hour, a small kitchen and very little money.'];

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('Expected the folder of an exported guard.');
if (findChromium() === null) throw new Error('No Chromium. Install it, or name it in CHROMIUM.');
const prompts = openings
  .flatMap((opening) => deeds.flatMap((deed) => endings.map((ending) => `${opening} ${deed}${ending}`)))
  .slice(0, PROMPTS);

const browser = await launch();
try {
  process.stdout.write(`${cpus()[0]!.model}, ${cpus().length} cores, Chromium ${browser.version()}\n`);
  await measure(browser);
} finally {
  await browser.close();
}

async function measure(browser: Browser): Promise<void> {
  let server = await startSite(await makeSite(folder!));
  const { page, faults } = await openPlayground(await browser.newContext({ viewport: DESK }), server.url);
  report('guard', await guardState(page), (state) => state === 'ready');
  process.stdout.write(
    `${await page.textContent('#guard-state')}, ${await page.locator('#dtype').evaluate(shownOption)}\n`,
  );
  for (const restful of [true, false]) {
    const times = new Latency();
    for (const prompt of prompts) {
      await check(page, prompt);
      times.add(Number((await page.textContent('#facts'))!.match(/Took([\d.,]+) ms/)![1]!.replace(',', '')));
      if (restful) await explained(page);
    }
    const name = restful ? 'a prompt' : 'a prompt while the words of the last one are explained';
    const [p50, p95] = [times.quantileMs(0.5), times.quantileMs(0.95)];
    report(name, `p50 ${p50.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms`, () => !restful || p50 < MOST_MS);
  }
  const { score } = await check(page, prompts[0]!);
  await explained(page);
  await server.stop();
  await page.reload();
  const offline = (await guardState(page)) === 'ready' ? await check(page, prompts[0]!) : null;
  report(
    'offline',
    `reloaded without the server, score ${offline?.score} after ${score}`,
    () => offline?.score === score,
  );
  const unexpected = faults.filter((fault) => !/ERR_CONNECTION_REFUSED|Failed to load resource/.test(fault));
  report('errors in the console', String(unexpected.length), () => unexpected.length === 0);
  server = await startSite(await makeSite(folder!));
  for (const colorScheme of ['light', 'dark'] as const) {
    const context = await browser.newContext({ viewport: DESK, colorScheme, bypassCSP: true, reducedMotion: 'reduce' });
    const opened = await openPlayground(context, server.url);
    await guardState(opened.page);
    await opened.page.click('#samples button >> nth=2');
    await answer(opened.page);
    await explained(opened.page);
    const findings = await axeFindings(opened.page);
    report(
      `axe, ${colorScheme}`,
      findings.length === 0 ? 'nothing to mend' : findings.join('\n'),
      () => findings.length === 0,
    );
  }
  await server.stop();
}

function shownOption(select: HTMLElement): string {
  return (select as HTMLSelectElement).selectedOptions[0]?.textContent ?? '';
}

function report(what: string, found: string, isRight: (found: string) => boolean): void {
  const right = isRight(found);
  process.stdout.write(`${right ? 'ok  ' : 'FAIL'} ${what}: ${found}\n`);
  if (!right) process.exitCode = 1;
}
