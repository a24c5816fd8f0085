/** Rows by a hash, several to one: a table with chains in typed arrays, 8 to 12 bytes a row. */

const FIRST_BITS = 10;
const NONE = -1;

/** Rows are added in order, from 0. Adding takes the same time however many there are, growing shared out over all. */
export class HashIndex {
  #bits = FIRST_BITS;
  #heads = new Int32Array(1 << FIRST_BITS).fill(NONE);
  #next = new Int32Array(1 << FIRST_BITS);
  #hashes = new Uint32Array(1 << FIRST_BITS);
  #count = 0;

  add(hash: number): void {
    if (this.#count === this.#next.length) this.#grow();
    this.#hashes[this.#count] = hash;
    this.#link(this.#count++);
  }

  /** The last row with this hash, or -1. */
  last(hash: number): number {
    return this.#seek(this.#heads[this.#slot(hash)]!, hash);
  }

  /** The one before `row` with its hash, or -1. */
  before(row: number): number {
    return this.#seek(this.#next[row]!, this.#hashes[row]!);
  }

  #seek(from: number, hash: number): number {
    let row = from;
    while (row !== NONE && this.#hashes[row] !== hash) row = this.#next[row]!;
    return row;
  }

  #link(row: number): void {
    const slot = this.#slot(this.#hashes[row]!);
    this.#next[row] = this.#heads[slot]!;
    this.#heads[slot] = row;
  }

  #slot(hash: number): number {
    return hash >>> (32 - this.#bits); // hashes are mixed, so their first bits will do
  }

  #grow(): void {
    this.#bits += 1;
    const next = new Int32Array(1 << this.#bits);
    const hashes = new Uint32Array(1 << this.#bits);
    hashes.set(this.#hashes);
    this.#next = next;
    this.#hashes = hashes;
    this.#heads = new Int32Array(1 << this.#bits).fill(NONE);
    for (let row = 0; row < this.#count; row++) this.#link(row);
  }
}
