/** How long the last checks took. */

const KEPT = 50;

export class Latency {
  #timesMs: number[] = [];

  add(timeMs: number): void {
    this.#timesMs = [...this.#timesMs, timeMs].slice(-KEPT);
  }

  get count(): number {
    return this.#timesMs.length;
  }

  /** @param share 0.5 for the median. @returns NaN before the first */
  quantileMs(share: number): number {
    const ordered = this.#timesMs.toSorted((a, b) => a - b);
    return ordered[Math.floor(share * (ordered.length - 1))] ?? Number.NaN;
  }
}
