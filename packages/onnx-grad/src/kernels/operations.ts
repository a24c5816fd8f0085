import type { AdamwScalars } from './adamw.ts';
import { forEachPiece } from './chunks.ts';
import type { Exchange } from './exchange.ts';
import type { Kernels, QuantizedBlock } from './module.ts';
import { RowState } from './rows.ts';
import type { SharedLists } from './shared-tables.ts';

/**
 * What a thread does with its piece of a job, one row per operation. Row operations work on whole rows of an array; a
 * row belongs to the piece that holds its first element, so every row is one thread's.
 */

/** Elements `first` to `first + count` of a job, with the job's pointers (byte offsets) and scalars. */
interface Piece {
  readonly kernels: Kernels;
  readonly lists: SharedLists;
  readonly first: number;
  readonly count: number;
  pointer(index: number): number;
  scalar(index: number): number;
}

/** Returns what its piece sums up to; 0 where there is nothing to sum. */
type Operation = (piece: Piece) => number;

const table = {
  /** pointers: parameter, gradient, first moment, second moment; scalars: as `adamwScalars` */
  adamw: (piece) => updateRange(piece, piece.first, piece.count),

  /** pointers and scalars: as adamw, then the row length and where the row states begin in `lists.bytes` */
  adamwRows: (piece) => {
    const rowLength = piece.scalar(8);
    const stateOf = (row: number) => piece.lists.bytes[piece.scalar(9) + row]!;
    const [begin, end] = rowRange(piece, rowLength);
    for (let row = begin; row < end; ) {
      const first = row;
      const state = stateOf(first);
      while (row < end && stateOf(row) === state) row++;
      updateByState[state]!(piece, first * rowLength, (row - first) * rowLength);
    }
    return 0;
  },

  /** pointers: array */
  sumSquares: ({ kernels, first, count, pointer }) => kernels.sumSquares(pointer(0) + first * 4, count),

  /** pointers: array; scalars: row length, where the row numbers begin in `lists.words` */
  sumSquaresRows: (piece) => {
    const rowLength = piece.scalar(0);
    let sum = 0;
    for (const offset of listedRows(piece, rowLength)) {
      sum += piece.kernels.sumSquares(piece.pointer(0) + offset, rowLength);
    }
    return sum;
  },

  /** pointers: array */
  fillZero: ({ kernels, first, count, pointer }) => {
    kernels.fillZero(pointer(0) + first * 4, count);
    return 0;
  },

  /** pointers: array; scalars: row length, where the row numbers begin in `lists.words` */
  fillZeroRows: (piece) => {
    const rowLength = piece.scalar(0);
    for (const offset of listedRows(piece, rowLength)) piece.kernels.fillZero(piece.pointer(0) + offset, rowLength);
    return 0;
  },

  /** pointers: target, source; scalars: factor */
  scaleAdd: ({ kernels, first, count, pointer, scalar }) => {
    kernels.scaleAdd(pointer(0) + first * 4, pointer(1) + first * 4, count, scalar(0));
    return 0;
  },

  /**
   * pointers: target, source; scalars: row length, number of source rows T, where a list of 2T begins in `lists.words`:
   * the T target rows in ascending order, then the source row for each. A run of one target row belongs to the piece
   * in which it begins and is added in the order of the list, so the result does not depend on the cuts.
   */
  scatterAddRows: (piece) => {
    const [rowLength, rowCount, list] = [piece.scalar(0), piece.scalar(1), piece.scalar(2)];
    const target = (at: number) => piece.lists.words[list + at]!;
    const source = (at: number) => piece.lists.words[list + rowCount + at]!;
    const beginsRun = (at: number) => at === 0 || target(at) !== target(at - 1);
    const [begin, end] = rowRange(piece, rowLength);
    let at = begin;
    while (at < rowCount && !beginsRun(at)) at++; // the rest of a run that an earlier piece began
    for (; at < end || (at < rowCount && !beginsRun(at)); at++) {
      const from = piece.pointer(1) + source(at) * rowLength * 4;
      piece.kernels.scaleAdd(piece.pointer(0) + target(at) * rowLength * 4, from, rowLength, 1);
    }
    return 0;
  },

  /** pointers: array; scalars: the two keys, threshold, kept value */
  dropoutMask: ({ kernels, first, count, pointer, scalar }) => {
    kernels.dropoutMask(pointer(0) + first * 4, first, count, scalar(0), scalar(1), scalar(2), scalar(3));
    return 0;
  },

  /** pointers: matrix, bytes, scales, factors; scalars: rows, columns */
  quantizeRows: (piece) => {
    const [rows, columns] = [piece.scalar(0), piece.scalar(1)];
    return quantizeBlocks(piece, rows, columns, (...block) => {
      piece.kernels.quantizeRows(piece.pointer(0), piece.pointer(3), ...block);
    });
  },

  /** pointers: matrix, bytes, scales; scalars: rows, columns */
  quantizeColumns: (piece) => {
    const [rows, columns] = [piece.scalar(0), piece.scalar(1)];
    return quantizeBlocks(piece, columns, rows, (...block) =>
      piece.kernels.quantizeColumns(piece.pointer(0), ...block),
    );
  },
} satisfies Record<string, Operation>;

export type OperationName = keyof typeof table;

/** The number of an operation in the job table is its place among these. */
export const operationNames = Object.keys(table) as OperationName[];
const operations: readonly Operation[] = Object.values(table);

/** Claims chunks and does them until none is left. `kernelsOf` gives the kernels bound to a memory. */
export function runClaimedChunks(exchange: Exchange, kernelsOf: (memory: number) => Kernels): void {
  const { jobs, lists } = exchange;
  for (let chunk = exchange.claim(); chunk >= 0; chunk = exchange.claim()) {
    let sum = 0;
    forEachPiece(jobs, chunk, (job, first, count) => {
      sum += operations[jobs.operation(job)]!({
        kernels: kernelsOf(jobs.memory(job)),
        lists,
        first,
        count,
        pointer: (index) => jobs.pointer(job, index),
        scalar: (index) => jobs.scalar(job, index),
      });
    });
    exchange.finish(chunk, sum);
  }
}

type UpdateRange = (piece: Piece, first: number, count: number) => number;

const updateRange: UpdateRange = ({ kernels, pointer, scalar }, first, count) => {
  const at = (index: number) => pointer(index) + first * 4;
  const scalars = [0, 1, 2, 3, 4, 5, 6, 7].map(scalar) as unknown as AdamwScalars;
  kernels.adamw(at(0), at(1), at(2), at(3), count, ...scalars);
  return 0;
};

/** AdamW on rows of one state; each gives the bits that the whole update would. */
const updateByState: { readonly [state: number]: UpdateRange } = {
  [RowState.current]: updateRange,
  [RowState.seen]: ({ kernels, pointer, scalar }, first, count) => {
    const at = (index: number) => pointer(index) + first * 4;
    const [decay, oneMinusBeta1, beta2] = [scalar(0), scalar(1), scalar(2)];
    const [correction, eps, stepSize] = [scalar(4), scalar(5), scalar(6)];
    kernels.adamwZeroGradient(at(0), at(2), at(3), count, decay, oneMinusBeta1, beta2, correction, eps, stepSize);
    return 0;
  },
  [RowState.untouched]: ({ kernels, pointer, scalar }, first, count) => {
    if (Math.fround(scalar(0)) !== 1) kernels.scale(pointer(0) + first * 4, count, scalar(0)); // the moments stay zero
    return 0;
  },
};

const BLOCK = 64; // rows or columns at a time: bytes of a whole cache line, turned or not

/** Whole blocks of `count` rows or columns, each of `length` elements. */
function quantizeBlocks(
  piece: Piece,
  count: number,
  length: number,
  quantize: (...block: QuantizedBlock) => void,
): number {
  const [begin, end] = rowRange(piece, BLOCK * length);
  for (let block = begin; block < end; block++) {
    const first = block * BLOCK;
    const last = Math.min(first + BLOCK, count);
    quantize(piece.scalar(0), piece.scalar(1), piece.pointer(1), piece.pointer(2), first, last);
  }
  return 0;
}

/** Rows whose first element lies in the piece: from `begin` up to, not including, `end`. */
function rowRange({ first, count }: { first: number; count: number }, rowLength: number): [begin: number, end: number] {
  return [Math.ceil(first / rowLength), Math.ceil((first + count) / rowLength)];
}

/** Byte offsets of the listed rows that belong to the piece. */
function* listedRows(piece: Piece, rowLength: number): Generator<number> {
  const [begin, end] = rowRange(piece, rowLength);
  for (let at = begin; at < end; at++) yield piece.lists.words[piece.scalar(1) + at]! * rowLength * 4;
}
