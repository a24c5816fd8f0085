/** How fast a training goes, for the time that is left. */

const WINDOW = 50; // steps over which speed is averaged

/** Speed over the last steps: rows a second, milliseconds a token. */
export class Clock {
  readonly #steps: { at: number; rows: number; tokens: number }[] = [{ at: performance.now(), rows: 0, tokens: 0 }];

  tick(rows: number, tokens: number): void {
    this.#steps.push({ at: performance.now(), rows, tokens });
    if (this.#steps.length > WINDOW) this.#steps.shift();
  }

  get rowsPerSecond(): number {
    return (1000 * this.#sum('rows')) / this.#elapsedMs;
  }

  get msPerToken(): number {
    return this.#elapsedMs / this.#sum('tokens');
  }

  get #elapsedMs(): number {
    return this.#steps.at(-1)!.at - this.#steps[0]!.at;
  }

  #sum(what: 'rows' | 'tokens'): number {
    return this.#steps.slice(1).reduce((sum, step) => sum + step[what], 0);
  }
}
