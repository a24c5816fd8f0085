/** Lines on stderr: some to keep, one that is written over while work goes on. */

const LOG_EVERY_MS = 10_000; // of progress, where lines cannot be written over

export class Reporter {
  readonly #stream: { write(text: string): unknown; readonly isTTY?: boolean };
  #isOpen = false;
  #lastLog = Number.NEGATIVE_INFINITY;

  constructor(stream: { write(text: string): unknown; readonly isTTY?: boolean }) {
    this.#stream = stream;
  }

  say(line: string): void {
    this.clear();
    this.#stream.write(`${line}\n`);
  }

  progress(line: string): void {
    if (this.#stream.isTTY) {
      this.#stream.write(`\r\x1b[K${line}`);
      this.#isOpen = true;
      return;
    }
    const now = performance.now();
    if (now - this.#lastLog < LOG_EVERY_MS) return;
    this.#lastLog = now;
    this.#stream.write(`${line}\n`);
  }

  /** Takes the line away that is written over. */
  clear(): void {
    if (this.#isOpen) this.#stream.write('\r\x1b[K');
    this.#isOpen = false;
  }
}

/** "under a minute", "about 12 min", "about 2 h 5 min". */
export function timeLeft(ms: number): string {
  const minutes = Math.ceil(ms / 60_000);
  if (!(minutes > 1)) return 'under a minute left';
  return minutes < 60 ? `about ${minutes} min left` : `about ${Math.floor(minutes / 60)} h ${minutes % 60} min left`;
}
