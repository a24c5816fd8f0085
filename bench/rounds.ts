/** Fair timing: the sides of a comparison take turns within the same minutes, with a pause in which threads come to rest. */
import { setTimeout as sleep } from 'node:timers/promises';

/** A side's share of one round. Round -1 is the warm-up, whose times the side throws away. */
export type Side = (round: number) => Promise<void>;

export const WARM_UP = -1;
export const PAUSE_MS = 300; // onnxruntime's and OpenMP's threads spin for a while after their work

/** Runs every side in every round, whoever began a round beginning the next one last. */
export async function takeTurns(
  sides: readonly Side[],
  rounds: number,
  { pauseMs = PAUSE_MS, onTurn = () => {} }: { pauseMs?: number; onTurn?: (round: number) => void } = {},
): Promise<void> {
  for (let round = WARM_UP; round < rounds; round++) {
    for (let turn = 0; turn < sides.length; turn++) {
      await sides[(round + 1 + turn) % sides.length]!(round);
      await sleep(pauseMs);
      onTurn(round);
    }
  }
}

/** Middle value, the mean of the middle two of an even number; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2;
}

/** Milliseconds that an action takes, and what it gives. */
export async function timed<T>(action: () => Promise<T>): Promise<{ ms: number; result: T }> {
  const start = performance.now();
  const result = await action();
  return { ms: performance.now() - start, result };
}

/** Progress on a terminal or in a log: what is running, and from the work done so far the time left. */
export class Progress {
  readonly #totalWork: number;
  readonly #stream: ProgressStream;
  readonly #start = performance.now();
  #done = 0;
  #label = '';

  /** @param totalWork the sum of what `advance` will be given, in any one unit */
  constructor(totalWork: number, stream: ProgressStream) {
    this.#totalWork = totalWork;
    this.#stream = stream;
  }

  advance(work: number, label: string): void {
    this.#done += work;
    if (label === this.#label) return;
    this.#label = label;
    const elapsedMs = performance.now() - this.#start;
    const leftMinutes = (elapsedMs * (this.#totalWork / this.#done - 1)) / 60_000;
    const line = `${label}, ${leftMinutes < 1 ? 'under a minute' : `about ${Math.ceil(leftMinutes)} min`} left`;
    this.#stream.write(this.#stream.isTTY ? `\r\x1b[K${line}` : `${line}\n`);
  }

  finish(): void {
    if (this.#stream.isTTY) this.#stream.write('\r\x1b[K');
  }
}

/** Where progress goes: `process.stderr`, or a test's own. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}
