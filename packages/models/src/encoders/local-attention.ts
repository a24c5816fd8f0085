/**
 * Attention of each token to those at most `reach` away, in time and memory linear in the length.
 *
 * The text is cut into blocks of `reach` tokens. What a block's queries may see lies in the block itself and in its two
 * neighbours: a window of 3·reach keys, with a mask for those that are too far. The scores are (B, H, blocks, reach,
 * 3·reach) instead of (B, H, T, T). The text is padded to whole blocks, and by one block of nothing at either end.
 *
 * Up to 3·reach tokens one such window would hold the text anyway. There the whole text is the only block and has no
 * neighbours: plain attention under the mask, with no padding. Which of the two it is shows when the graph runs, so every
 * size is written as a polynomial with (T>3·reach), which is 1 or 0:
 *
 *            blocks        block    halo    window = block + 2·halo
 *   short    1             T        0       T
 *   long     ⌈T/reach⌉     reach    reach   3·reach
 */
import {
  type AttentionOptions,
  addDims,
  attention,
  ceilDivide,
  type Dim,
  exceeds,
  mulDims,
  ops,
  subDims,
  type Value,
} from 'onnx-grad';
import { maskingBias } from '../layers.ts';
import type { Scope } from '../scope.ts';

/** How a text is cut, and which keys of its window each query sees. The same for all layers. */
export interface Locality {
  readonly reach: number;
  readonly length: Dim;
  readonly blocks: Dim;
  readonly block: Dim;
  readonly halo: Dim;
  readonly window: Dim;
  /** (B, 1, blocks, block, window), 0 or a large negative number. */
  readonly bias: Value;
}

/** @param attentionMask (B, T) int64 */
export function localityOf(attentionMask: Value, reach: number): Locality {
  const [batch, length] = attentionMask.dims as [Dim, Dim];
  const isLong = exceeds(length, 3 * reach);
  const pick = (short: Dim, long: Dim) => addDims(short, mulDims(isLong, subDims(long, short)));
  const blocks = pick(1, ceilDivide(length, reach));
  const block = pick(length, reach);
  const halo = pick(0, reach);
  const cut = { reach, length, blocks, block, halo, window: addDims(block, mulDims(2, halo)) };
  const isReal = ops.reshape(ops.cast(attentionMask, 'float32'), [batch, 1, length, 1]);
  const keys = ops.reshape(windowsOf(isReal, cut), [batch, 1, blocks, 1, cut.window]);
  return { ...cut, bias: maskingBias(ops.mul(keys, isNear(attentionMask, cut))) };
}

/** 1 where the query in row i of a block may see the key in column j of its window: (block, window). */
function isNear({ graph }: Value, { reach, block, halo, window }: Omit<Locality, 'bias'>): Value {
  const rows = ops.reshape(ops.range(graph, { limit: block }), [block, 1]);
  const columns = ops.range(graph, { start: subDims(0, halo), limit: subDims(window, halo) });
  const distance = ops.abs(ops.cast(ops.sub(columns, rows), 'float32'));
  return ops.cast(ops.not(ops.greater(distance, reach)), 'float32');
}

/** (B, H, T, D) -> (B, H, blocks·block, D), zeros at the end. */
function padded(x: Value, { length, blocks, block }: Omit<Locality, 'bias'>, halo: Dim = 0): Value {
  const spare = subDims(mulDims(blocks, block), length);
  return ops.pad(x, { before: [0, 0, halo, 0], after: [0, 0, addDims(spare, halo), 0] });
}

/** Each block with its neighbours: (B, H, T, D) -> (B, H, blocks, window, D). */
function windowsOf(x: Value, cut: Omit<Locality, 'bias'>): Value {
  const { blocks, block, halo } = cut;
  const [batch, heads, , size] = x.dims as [Dim, number, Dim, number];
  const whole = padded(x, cut, halo);
  const part = (start: Dim, tokens: Dim) => {
    const rows = ops.slice(whole, { axis: 2, start, end: addDims(start, mulDims(blocks, tokens)) });
    return ops.reshape(rows, [batch, heads, blocks, tokens, size]);
  };
  const end = subDims(whole.dims[2]!, mulDims(blocks, halo)); // where the part of the following neighbours starts
  return ops.concat([part(0, halo), part(halo, block), part(end, halo)], { axis: 3 });
}

export interface LocalAttentionOptions extends Pick<AttentionOptions, 'scale'> {
  readonly dropout: number;
  /** Of the dropout. */
  readonly name: string;
}

/**
 * softmax(scale · query · keyᵀ) · value over the keys at most `reach` away.
 * @param query (B, H, T, D), or (B, H, 1, D) for the first token alone
 * @param key   (B, H, T, D)
 * @param value (B, H, T, D)
 * @returns     like `query`
 */
export function localAttention(
  scope: Scope,
  [query, key, value]: readonly [Value, Value, Value],
  locality: Locality,
  { scale, dropout, name }: LocalAttentionOptions,
): Value {
  const { reach, length, blocks, block, window, bias } = locality;
  const [batch, heads, asking, size] = query.dims as [Dim, number, Dim, number];
  // columns for the longest window: a mask's sizes are plain names
  const drawn = scope.dropoutMask([batch, heads, asking, 3 * reach], dropout, name);
  const mask = drawn && ops.slice(drawn, { axis: 3, end: window });
  if (asking === 1) {
    const firstWindow = (x: Value) => ops.slice(padded(x, locality, locality.halo), { axis: 2, end: window });
    const firstBias = ops.slice(ops.slice(bias, { axis: 2, end: 1 }), { axis: 3, end: 1 });
    const biases = [ops.reshape(firstBias, [batch, 1, 1, window])];
    return attention(query, firstWindow(key), firstWindow(value), { scale, biases, dropoutMask: mask });
  }
  const inBlocks = (x: Value) => {
    return ops.reshape(padded(x, locality), [batch, heads, blocks, block, x.dims[3]!]);
  };
  const context = attention(inBlocks(query), windowsOf(key, locality), windowsOf(value, locality), {
    scale,
    biases: [bias],
    dropoutMask: mask && inBlocks(mask),
  });
  const tokens = ops.reshape(context, [batch, heads, mulDims(blocks, block), size]);
  return ops.slice(tokens, { axis: 2, end: length });
}
