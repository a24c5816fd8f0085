/** For tests: a little classifier of texts with an embedding table, a hidden layer, dropout; and batches for it. */
import { embeddingLookup } from '../graph/embedding.ts';
import { createRandom } from '../graph/gradient-check.testing.node.ts';
import type { Graph, Value } from '../graph/graph.ts';
import * as ops from '../graph/ops.ts';
import { createGraph } from '../graph/table.ts';
import { crossEntropy, maskedLanguageModelLoss } from './losses.ts';
import type { Batch, BatchTensor, TrainingProgram } from './program.ts';

export const VOCABULARY = 1100; // enough rows for the table to be trained by those that are read
const [EMBEDDING, HIDDEN, CLASSES] = [6, 8, 3];
export const PADDING_ID = 0;

export interface TinyOptions {
  readonly dropout?: number;
  /** Loss over each text's class, or over each token's. */
  readonly loss?: 'texts' | 'tokens';
  /** Reads the table a second time, to no effect but that its gradient is that of the whole table. */
  readonly isDense?: boolean;
  readonly weightDecay?: number;
}

export interface TinyProgram extends TrainingProgram {
  /** (B, C), or (B, T, C) for tokens, of a graph without dropout. */
  readonly plain: { readonly graph: Graph; readonly logits: Value };
}

export function tinyProgram(options: TinyOptions = {}): TinyProgram {
  const { dropout = 0, loss: lossOver = 'texts', isDense = false, weightDecay = 0 } = options;
  const graph = createGraph();
  const parameters = declare(graph);
  const mask = dropout === 0 ? null : graph.input('mask', 'float32', ['batch', 'length', HIDDEN]);
  const logits = forward(graph, parameters, mask, lossOver);
  const labels = graph.input('labels', 'int64', lossOver === 'texts' ? ['batch'] : ['batch', 'length']);
  const mean = lossOver === 'texts' ? crossEntropy(logits, labels) : maskedLanguageModelLoss(logits, labels);
  const nothing = () => ops.mul(ops.reduceSum(parameters.table!, { axes: [0, 1] }), 0);
  const plainGraph = createGraph();
  const random = createRandom(3);
  return {
    graph,
    loss: isDense ? ops.add(mean, nothing()) : mean,
    dropout: mask ? [{ value: mask, probability: dropout }] : [],
    parameters: Object.entries(parameters).map(([name, value]) => {
      const length = (value.dims as number[]).reduce((a, b) => a * b, 1);
      const initial = Float32Array.from({ length }, () => random() - 0.5);
      return { name, value, initial, weightDecay: value.dims.length > 1 ? weightDecay : 0 };
    }),
    plain: { graph: plainGraph, logits: forward(plainGraph, declare(plainGraph), null, lossOver) },
  };
}

function declare(graph: Graph): Record<string, Value> {
  const shapes = {
    table: [VOCABULARY, EMBEDDING],
    inner: [HIDDEN, EMBEDDING],
    bias: [HIDDEN],
    outer: [CLASSES, HIDDEN],
  };
  return Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, graph.input(name, 'float32', shape)]));
}

function forward(graph: Graph, parameters: Record<string, Value>, mask: Value | null, over: 'texts' | 'tokens'): Value {
  const { table, inner, bias, outer } = parameters as Record<'table' | 'inner' | 'bias' | 'outer', Value>;
  const ids = graph.input('ids', 'int64', ['batch', 'length']);
  const read = embeddingLookup(table, ids, { paddingId: PADDING_ID });
  const hidden = ops.tanh(ops.gemm(ops.flatten2d(read), inner, bias, { transB: true })); // (B·T, H)
  const byText = ops.reshape(hidden, ['batch', 'length', HIDDEN]);
  const kept = mask ? ops.mul(byText, mask) : byText;
  if (over === 'texts') return ops.gemm(ops.reduceMean(kept, { axes: [1] }), outer, null, { transB: true });
  const logits = ops.gemm(ops.flatten2d(kept), outer, null, { transB: true });
  return ops.reshape(logits, ['batch', 'length', CLASSES]);
}

export interface TinyBatchOptions {
  readonly rows: number;
  readonly length: number;
  readonly seed?: number;
  /** Token labels; how many of ten are left out. */
  readonly leftOut?: number;
  readonly loss?: 'texts' | 'tokens';
}

/** Random ids, many of them again and again, a third padding; random labels. */
export function tinyBatch({ rows, length, seed = 1, leftOut = 0, loss = 'texts' }: TinyBatchOptions): Batch {
  const random = createRandom(seed);
  const below = (limit: number) => BigInt(Math.floor(random() * limit));
  const ids = BigInt64Array.from({ length: rows * length }, () => {
    return random() < 1 / 3 ? BigInt(PADDING_ID) : random() < 0.5 ? below(5) : below(VOCABULARY);
  });
  const label = () => (random() * 10 < leftOut ? -100n : below(CLASSES));
  const labels = BigInt64Array.from({ length: loss === 'texts' ? rows : rows * length }, label);
  return {
    ids: { dtype: 'int64', dims: [rows, length], data: ids },
    labels: { dtype: 'int64', dims: loss === 'texts' ? [rows] : [rows, length], data: labels },
  };
}

/** Rows `start` to `end` of a batch. */
export function rowsFrom(batch: Batch, start: number, end: number): Batch {
  const part = ({ dtype, dims, data }: BatchTensor): BatchTensor => {
    const size = data.length / dims[0]!;
    return { dtype, dims: [end - start, ...dims.slice(1)], data: data.slice(start * size, end * size) };
  };
  return Object.fromEntries(Object.entries(batch).map(([name, tensor]) => [name, part(tensor)]));
}
