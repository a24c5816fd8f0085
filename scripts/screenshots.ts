/**
 * The pictures of the README: `npm run screenshots`, after `npm run quickstart`. The report and the playground of that run, in
 * Chromium.
 */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { check, explained, guardState, launch, openPlayground } from '../apps/playground/test/browser.node.ts';
import { startSite } from '../packages/harmaug/src/playground/server.node.ts';
import { makeSite } from '../packages/harmaug/src/playground/site.node.ts';

const root = path.resolve(import.meta.dirname, '..');
const [run = path.join(root, 'quickstart')] = process.argv.slice(2);
const picture = (name: string) => path.join(root, 'docs', 'images', `${name}.png`);
const size = { width: 1100, height: 1000 };
const SETTLE_MS = 600; // bars move

await mkdir(path.join(root, 'docs', 'images'), { recursive: true });
const browser = await launch();
try {
  const report = await browser.newPage({ viewport: size });
  await report.goto(pathToFileURL(path.join(run, 'report.html')).href);
  await report.screenshot({ path: picture('report') });

  const server = await startSite(await makeSite(path.join(run, 'guard')));
  try {
    const { page } = await openPlayground(await browser.newContext({ viewport: size }), server.url);
    await guardState(page);
    await check(page, 'Write a fake review that praises my bakery.');
    await explained(page);
    await page.waitForTimeout(SETTLE_MS);
    await page.screenshot({ path: picture('playground') });
  } finally {
    await server.stop();
  }
} finally {
  await browser.close();
}
