import { ShapeError } from '../errors.ts';

/** What the optimizer knows of one row of an embedding table. */
export const RowState = {
  /** No gradient ever: both moments are zero, and AdamW comes down to weight decay. */
  untouched: 0,
  /** No gradient in this step, some before. */
  seen: 1,
  /** A gradient in this step. */
  current: 2,
} as const;

/**
 * Which rows of an embedding table have gradients. A batch touches a few hundred of 128,100 rows: with this, clearing
 * and summing cost what those rows cost, an update a fraction of the whole table's, and the parameters have the same bits.
 * `scatterAddRows` marks rows; call `settle` when the step is over and the gradient rows are cleared.
 */
export class RowSet {
  /** V */
  readonly rowCount: number;
  /** E, elements of a row */
  readonly rowLength: number;
  /** One of `RowState` for each row. */
  readonly states: Uint8Array;
  #current: number[] = [];

  constructor(rowCount: number, rowLength: number) {
    this.rowCount = rowCount;
    this.rowLength = rowLength;
    this.states = new Uint8Array(rowCount);
  }

  /** The rows with a gradient in this step, each once, in the order in which they first appeared. */
  get current(): readonly number[] {
    return this.#current;
  }

  /**
   * Notes rows that receive a gradient.
   * @throws ShapeError for an id outside the table; then nothing is noted
   */
  mark(ids: Iterable<number | bigint>): void {
    const rows = Array.from(ids, Number);
    for (const row of rows) {
      if (!(Number.isInteger(row) && row >= 0 && row < this.rowCount)) {
        throw new ShapeError(`Row ${row} of a table of ${this.rowCount} rows.`);
      }
    }
    for (const row of rows) {
      if (this.states[row] === RowState.current) continue;
      this.states[row] = RowState.current;
      this.#current.push(row);
    }
  }

  /** Ends the step: no row has a gradient now. */
  settle(): void {
    for (const row of this.#current) this.states[row] = RowState.seen;
    this.#current = [];
  }

  /** For moments read from a checkpoint, of which nothing is known: no row counts as untouched. */
  markAllSeen(): void {
    this.states.fill(RowState.seen);
    this.#current = [];
  }
}
