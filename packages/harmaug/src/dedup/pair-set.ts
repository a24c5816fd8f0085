/** A set of pairs of 32-bit numbers in typed arrays: open addressing, at most half full. */

const FIRST_BITS = 10;

export class PairSet {
  #bits = FIRST_BITS;
  /** First and second of each slot; (0, 0) is an empty one, and (0, 1) stands for that pair itself. */
  #slots = new Uint32Array(2 << FIRST_BITS);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(first: number, second: number): void {
    if (2 * (this.#count + 1) > 1 << this.#bits) this.#grow();
    this.#put(first, first === 0 && second === 0 ? 1 : second);
  }

  has(first: number, second: number): boolean {
    const at = this.#find(first, first === 0 && second === 0 ? 1 : second);
    return this.#slots[at] !== 0 || this.#slots[at + 1] !== 0;
  }

  #put(first: number, second: number): void {
    const at = this.#find(first, second);
    if (this.#slots[at] !== 0 || this.#slots[at + 1] !== 0) return;
    this.#slots[at] = first;
    this.#slots[at + 1] = second;
    this.#count += 1;
  }

  /** Where the pair is, or the empty slot where it would go. */
  #find(first: number, second: number): number {
    const mask = this.#slots.length - 1;
    let at = ((first >>> (32 - this.#bits)) * 2) & mask;
    for (;;) {
      const [a, b] = [this.#slots[at]!, this.#slots[at + 1]!];
      if ((a === first && b === second) || (a === 0 && b === 0)) return at;
      at = (at + 2) & mask;
    }
  }

  #grow(): void {
    const old = this.#slots;
    this.#bits += 1;
    this.#slots = new Uint32Array(2 << this.#bits);
    this.#count = 0;
    for (let at = 0; at < old.length; at += 2)
      if (old[at] !== 0 || old[at + 1] !== 0) this.#put(old[at]!, old[at + 1]!);
  }
}
