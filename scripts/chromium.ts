/** Where Chromium is on this machine, for tests and measurements in a real browser. */
import { existsSync } from 'node:fs';

const usualPlaces = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/** The path in CHROMIUM, else the first usual place that is there, else `null`. */
export function findChromium(): string | null {
  return process.env.CHROMIUM || (usualPlaces.find((place) => existsSync(place)) ?? null);
}

/** Vitest runs it once before the tests. */
export default function setup(): void {
  if (findChromium() !== null) return;
  process.stderr.write(
    'No Chromium: browser tests are left out. Install it (apt-get install chromium), or name it in CHROMIUM.\n',
  );
}
