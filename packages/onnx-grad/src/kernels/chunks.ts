/**
 * How work on many arrays is cut: the arrays are laid end to end on one line of elements, and the line is cut into equal
 * chunks. Two hundred small tensors cost no more than one large one, and since the cuts depend on the lengths alone,
 * a sum over chunks has the same bits for any number of threads.
 */

/** Elements of one chunk: 256 KiB of float32, some 60 microseconds of AdamW; enough to hide the cost of claiming it. */
export const CHUNK_ELEMENTS = 65_536;

const ALIGNMENT_ELEMENTS = 16; // jobs begin on cache lines, so that pieces do too

/** Jobs on the line: where each begins, and how many elements it has. `start` ascends. */
export interface Spans {
  readonly count: number;
  start(job: number): number;
  length(job: number): number;
}

/** Where jobs of these lengths begin, and the length of the whole line. */
export function layOutJobs(lengths: readonly number[]): { starts: number[]; total: number } {
  let total = 0;
  const starts = lengths.map((length) => {
    const start = total;
    total += Math.ceil(length / ALIGNMENT_ELEMENTS) * ALIGNMENT_ELEMENTS;
    return start;
  });
  return { starts, total };
}

export function chunkCount(total: number): number {
  return Math.ceil(total / CHUNK_ELEMENTS);
}

/** Visits the pieces of one chunk in order: elements `first` to `first + count` of a job. */
export function forEachPiece(
  spans: Spans,
  chunk: number,
  visit: (job: number, first: number, count: number) => void,
): void {
  const from = chunk * CHUNK_ELEMENTS;
  const to = from + CHUNK_ELEMENTS;
  for (let job = findJob(spans, from); job < spans.count && spans.start(job) < to; job++) {
    const start = spans.start(job);
    const first = Math.max(from - start, 0);
    const count = Math.min(to - start, spans.length(job)) - first;
    if (count > 0) visit(job, first, count);
  }
}

/** The last job that begins at or before a position, by bisection. */
function findJob(spans: Spans, position: number): number {
  let low = 0;
  let high = spans.count - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (spans.start(middle) <= position) low = middle;
    else high = middle - 1;
  }
  return low;
}
