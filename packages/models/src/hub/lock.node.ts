import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import type { Clock } from './hub.ts';

/**
 * One process at a time, by a file that is made exclusively and touched while it is held. It saves fetching the same bytes
 * twice and no more: whoever breaks in, after a crash say, writes the same bytes to the same places.
 */

const BEAT_MS = 5000;
const STALE_MS = 30_000;
const POLL_MS = 500;

export interface LockOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
  /** Called once when somebody else has it. */
  readonly onWait: () => void;
}

/** @returns what lets it go. @throws the signal's reason when it is aborted while waiting */
export async function acquireLock(file: string, { clock, signal, onWait }: LockOptions): Promise<() => Promise<void>> {
  await mkdir(path.dirname(file), { recursive: true });
  const mine = `${hostname()} ${process.pid} ${randomUUID()}`;
  let seen: { readonly text: string; readonly touchedMs: number } | null = null;
  let unchangedMs = 0;
  let hasWaited = false;
  while (!(await create(file, mine))) {
    const other = await read(file);
    if (other === null) continue; // let go in between
    const isSame = seen?.text === other.text && seen.touchedMs === other.touchedMs;
    unchangedMs = isSame ? unchangedMs + POLL_MS : 0;
    seen = other;
    if (unchangedMs >= STALE_MS || isOfDeadProcess(other.text)) {
      await rm(file, { force: true });
      continue;
    }
    if (!hasWaited) onWait();
    hasWaited = true;
    await clock.sleep(POLL_MS, signal);
  }
  const beat = setInterval(() => {
    const now = new Date();
    void utimes(file, now, now).catch(() => undefined);
  }, BEAT_MS).unref();
  return async () => {
    clearInterval(beat);
    if ((await read(file))?.text === mine) await rm(file, { force: true });
  };
}

async function create(file: string, text: string): Promise<boolean> {
  try {
    await writeFile(file, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === 'EEXIST') return false;
    throw error;
  }
}

async function read(file: string): Promise<{ text: string; touchedMs: number } | null> {
  try {
    return { text: await readFile(file, 'utf8'), touchedMs: (await stat(file)).mtimeMs };
  } catch {
    return null;
  }
}

function isOfDeadProcess(text: string): boolean {
  const [host, pid] = text.split(' ');
  if (host !== hostname() || !/^[1-9]\d{0,9}$/.test(pid ?? '')) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as { code?: string }).code === 'ESRCH';
  }
}
