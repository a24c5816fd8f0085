/** The layers that families share, on (N, E) matrices: N = batch·length tokens, E features. Weights as torch stores them. */
import { type Dim, embeddingLookup, isWorthBytes, ops, type Value } from 'onnx-grad';
import type { Scope } from './scope.ts';

/** x · weightᵀ + bias, with weight (out, in) as torch.nn.Linear has it. */
export function linear(scope: Scope, x: Value, name: string, outputSize: number, { bias = true } = {}): Value {
  const weight = scope.parameter(`${name}.weight`, [outputSize, x.dims.at(-1) as number]);
  const offset = bias ? scope.parameter(`${name}.bias`, [outputSize], 'zeros') : null;
  return product(scope, x, weight, offset);
}

/** x · weightᵀ + bias, of bytes where the scope says so. */
function product(scope: Scope, x: Value, weight: Value, bias: Value | null): Value {
  return scope.isInt8() ? ops.int8Gemm(x, weight, bias) : ops.gemm(x, weight, bias, { transB: true });
}

export function layerNorm(scope: Scope, x: Value, name: string, epsilon: number, { bias = true } = {}): Value {
  const size = x.dims.at(-1) as number;
  const scale = scope.parameter(`${name}.weight`, [size], 'ones');
  const offset = bias ? scope.parameter(`${name}.bias`, [size], 'zeros') : null;
  return ops.layerNormalization(x, scale, offset, { epsilon }).output;
}

/** x / √(mean(x²) + epsilon) · weight. */
export function rmsNorm(scope: Scope, x: Value, name: string, epsilon: number): Value {
  const scale = scope.parameter(`${name}.weight`, [x.dims.at(-1) as number], 'ones');
  return ops.simplifiedLayerNormalization(x, scale, { epsilon });
}

/** `parts` projections of x, each (N, size), whose weights lie above each other in one (parts·size, in). */
export function linearParts(
  scope: Scope,
  name: string,
  { inputSize, size, parts, bias }: { inputSize: number; size: number; parts: number; bias: boolean },
): ((x: Value) => Value)[] {
  const rows = { axis: 0, sizes: Array.from({ length: parts }, () => size) };
  const weights = ops.split(scope.parameter(`${name}.weight`, [parts * size, inputSize]), rows);
  const biases = bias ? ops.split(scope.parameter(`${name}.bias`, [parts * size], 'zeros'), rows) : [];
  return weights.map((weight, part) => (x) => product(scope, x, weight, biases[part] ?? null));
}

export interface EmbeddingSize {
  readonly rows: number;
  readonly size: number;
  /** An id whose row look-ups give no gradient. */
  readonly paddingId?: number | null;
}

/** Rows of a table (rows, size) at integer ids of any shape. */
export function embedding(
  scope: Scope,
  ids: Value,
  name: string,
  { rows, size, paddingId = null }: EmbeddingSize,
): Value {
  const found = embeddingLookup(scope.parameter(`${name}.weight`, [rows, size]), ids, { paddingId });
  return scope.isInt8('embeddings') && isWorthBytes(rows * size) ? ops.roundRows(found) : found;
}

/** (B·T, H·D) -> (B, H, T, D). */
export function splitHeads(x: Value, batch: Dim, length: Dim, heads: number): Value {
  const headSize = (x.dims[1] as number) / heads;
  return ops.transpose(ops.reshape(x, [batch, length, heads, headSize]), [0, 2, 1, 3]);
}

/** (B, H, T, D) -> (B·T, H·D). */
export function mergeHeads(x: Value): Value {
  const [batch, heads, length, headSize] = x.dims as [Dim, number, Dim, number];
  const merged = ops.reshape(ops.transpose(x, [0, 2, 1, 3]), [batch, length, heads * headSize]);
  return ops.flatten2d(merged);
}

/** The first token of each text: (B·T, E) -> (B, E). */
export function firstTokens(x: Value, batch: Dim, length: Dim): Value {
  const size = x.dims[1] as number;
  const first = ops.slice(ops.reshape(x, [batch, length, size]), { axis: 1, end: 1 });
  return ops.reshape(first, [batch, size]);
}

/** 0 where a token counts, a large negative number where it is padding: (B, T) int64 -> (B, 1, 1, T). */
export function paddingBias(attentionMask: Value): Value {
  const [batch, length] = attentionMask.dims as [Dim, Dim];
  return ops.reshape(maskingBias(ops.cast(attentionMask, 'float32')), [batch, 1, 1, length]);
}

/** 0 where `isSeen` is 1, a large negative number where it is 0. */
export function maskingBias(isSeen: Value): Value {
  return ops.mul(ops.sub(1, isSeen), MASKED);
}

// exp underflows to 0 beside any real score, and the number stays finite in float16
const MASKED = -30000;
