/**
 * DeBERTa's terms of relative position. With r = i - j and δ its bucket, the scores of query i and key j get
 * query_i · K_δ (content to position) and key_j · Q_δ (position to content), K and Q projections of a table of positions.
 *
 * Each term depends on (i, j) through the product of one token with the row of one offset. Products with all 2T - 1
 * offsets are one matrix product; the (T, T) matrix is then a *skew* of it: row i read from column T - 1 - i on. Read
 * row-major that is a view with one column less, so reshaping and slicing do it, forward and backward, with no gather.
 * The trick is Music Transformer's (Huang et al. 2018, arXiv:1809.04281, section 3.4).
 */
import { addDims, type Dim, mulDims, ops, subDims, type Value } from 'onnx-grad';
import { layerNorm, linear } from '../layers.ts';
import type { Scope } from '../scope.ts';
import type { DebertaConfig } from './deberta-v2.ts';

export interface RelativePositions {
  /** (S, E): the table of positions, S = 2·span rows. */
  readonly table: Value;
  /** (2T) int64: the table's row for offset r = T - 1 - c at column c; the last column is not read. */
  readonly falling: Value;
  /** (2T) int64: the same for r = c - (T - 1). */
  readonly rising: Value;
  readonly length: Dim;
}

/** The table, normed, and which of its rows each offset of a text of this length has. Shared by all layers. */
export function relativePositions(scope: Scope, length: Dim, config: DebertaConfig): RelativePositions {
  const span = spanOf(config);
  const raw = scope.parameter('deberta.encoder.rel_embeddings.weight', [2 * span, config.hiddenSize]);
  const table = config.normRelative ? layerNorm(scope, raw, 'deberta.encoder.LayerNorm', config.layerNormEpsilon) : raw;
  const offsets = ops.range(scope.graph, { start: subDims(1, length), limit: addDims(length, 1) }); // 1 - T to T
  const rising = ops.cast(offsets, 'float32');
  return { table, falling: rowsOf(ops.neg(rising), config), rising: rowsOf(rising, config), length };
}

function spanOf({ positionBuckets, maxRelativePositions }: DebertaConfig): number {
  return positionBuckets > 0 ? positionBuckets : maxRelativePositions;
}

/** clamp(bucket(r) + span, 0, 2·span - 1). */
function rowsOf(offset: Value, config: DebertaConfig): Value {
  const span = spanOf(config);
  const { positionBuckets, maxRelativePositions } = config;
  const bucket = positionBuckets > 0 ? logBucket(offset, positionBuckets, maxRelativePositions) : offset;
  const shifted = ops.add(bucket, span);
  const aboveZero = ops.where(ops.less(shifted, 0), 0, shifted);
  const limited = ops.where(ops.greater(aboveZero, 2 * span - 1), 2 * span - 1, aboveZero);
  return ops.cast(limited, 'int64');
}

/**
 * Near offsets as they are; beyond half the buckets, sign(r)·(⌈log(|r|/mid) / log((max - 1)/mid) · (mid - 1)⌉ + mid).
 * Source: make_log_bucket_position in transformers.
 */
function logBucket(offset: Value, buckets: number, maxPosition: number): Value {
  const middle = Math.floor(buckets / 2);
  const distance = ops.abs(offset);
  const isNear = ops.not(ops.greater(distance, middle));
  const far = ops.where(isNear, middle, distance);
  // torch divides by log((max - 1)/mid) before it multiplies: in the same order, in float32, ⌈⌉ falls the same way
  const steps = ops.div(ops.log(ops.div(far, middle)), Math.fround(Math.log(Math.fround((maxPosition - 1) / middle))));
  const beyond = ops.add(ops.ceil(ops.mul(steps, middle - 1)), middle);
  const signed = ops.where(ops.less(offset, 0), ops.neg(beyond), beyond);
  return ops.where(isNear, offset, signed);
}

export interface RelativeBiasInputs {
  /** (B, H, Q, D), Q = T or 1 */
  readonly query: Value;
  /** (B, H, T, D) */
  readonly key: Value;
  readonly positions: RelativePositions;
  readonly scale: number;
  /** Name of the attention module whose projections are used. */
  readonly at: string;
  readonly config: DebertaConfig;
}

/** The terms the config asks for, each (B, H, Q, T), to be added to the scores. */
export function relativeBiases(scope: Scope, inputs: RelativeBiasInputs): Value[] {
  const { query, key, positions, scale, at, config } = inputs;
  const { length, falling, rising } = positions;
  const isFirstOnly = query.dims[2] === 1;
  const table = scope.dropout(positions.table, config.hiddenDropout, `${at}.pos_dropout`);
  // For the first token alone the offsets are 0 - j: columns T - 1 to 2T - 2 of the falling ones.
  const ofFirst = { axis: 0, start: subDims(length, 1), end: subDims(mulDims(2, length), 1) };
  const project = (rows: Value, shared: string, own: string): Value => {
    const offsets = ops.gather(table, isFirstOnly ? ops.slice(falling, ofFirst) : rows); // (2T, E) or (T, E)
    const name = config.shareAttentionKey ? shared : own;
    const projected = scope.inPart('positions', () => linear(scope, offsets, `${at}.${name}`, config.hiddenSize));
    return byHead(projected, config.heads);
  };
  const terms: Value[] = [];
  if (config.positionTerms.includes('c2p')) {
    const projected = project(falling, 'key_proj', 'pos_key_proj');
    const scores = ops.fusedMatMul(query, projected, { transB: true, alpha: scale });
    terms.push(isFirstOnly ? scores : skew(scores, length));
  }
  if (config.positionTerms.includes('p2c')) {
    const projected = project(rising, 'query_proj', 'pos_query_proj');
    terms.push(isFirstOnly ? rowProducts(key, projected, scale) : positionToContent(key, projected, scale, length));
  }
  return terms;
}

/** (R, H·D) -> (1, H, R, D). */
function byHead(x: Value, heads: number): Value {
  const [rows, size] = x.dims as [Dim, number];
  return ops.transpose(ops.reshape(x, [1, rows, heads, size / heads]), [0, 2, 1, 3]);
}

/** (B, H, T, 2T) -> (B, H, T, T): element (a, b) from column T - 1 - a + b. */
function skew(x: Value, length: Dim): Value {
  const [batch, heads] = x.dims as [Dim, Dim];
  const wide = mulDims(2, length);
  const narrow = subDims(wide, 1); // with rows one shorter, each starts one column later than the row above
  const start = subDims(length, 1);
  const flat = ops.reshape(x, [batch, heads, mulDims(wide, length)]);
  const shifted = ops.slice(flat, { axis: 2, start, end: addDims(start, mulDims(length, narrow)) });
  return ops.slice(ops.reshape(shifted, [batch, heads, length, narrow]), { axis: 3, end: length });
}

/** Key j against the position of each query i: products (j, i), skewed, then turned to (i, j). */
function positionToContent(key: Value, projected: Value, scale: number, length: Dim): Value {
  const scores = ops.fusedMatMul(key, projected, { transB: true, alpha: scale }); // (B, H, T, 2T)
  return ops.transpose(skew(scores, length), [0, 1, 3, 2]);
}

/** scale · key_j · position_j, one number a key: (B, H, T, D) and (1, H, T, D) -> (B, H, 1, T). */
function rowProducts(key: Value, projected: Value, scale: number): Value {
  const products = ops.reduceSum(ops.mul(key, projected), { axes: [3] });
  const [batch, heads, length] = products.dims as [Dim, Dim, Dim];
  return ops.mul(ops.reshape(products, [batch, heads, 1, length]), scale);
}
