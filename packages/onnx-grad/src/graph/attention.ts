/** Scaled dot-product attention with its gradient stated as a whole: fewer passes over the (T, T) matrices. */
import type { Value } from './graph.ts';
import { add, fusedMatMul, matMul, mul, reduceSum, softmax, sub } from './ops.ts';

export interface AttentionOptions {
  /** Factor of the products of queries and keys; usually 1/√D. */
  readonly scale: number;
  /** Terms added to the scores, each broadcasting to (B, H, Q, T): relative positions, the padding mask. */
  readonly biases?: readonly Value[];
  /** (B, H, Q, T) multiplied onto the probabilities: 0 or 1/(1 - p). */
  readonly dropoutMask?: Value | undefined;
}

/**
 * softmax(scale · query · keyᵀ + Σ biases) · value.
 * @param query (B, H, Q, D)
 * @param key   (B, H, T, D)
 * @param value (B, H, T, D)
 * @returns     (B, H, Q, D)
 *
 * Backward, with P the probabilities, P' those after dropout, O the result: dV = P'ᵀdO, dP' = dO·Vᵀ,
 * dS = P'∘dP' - P·r. The row sum r = Σ P'∘dP' is taken as Σ dO∘O, which has D columns instead of T.
 * Source: Vaswani et al. 2017; the row sum is FlashAttention's (Dao et al. 2022, arXiv:2205.14135, appendix B.2).
 */
export function attention(query: Value, key: Value, value: Value, options: AttentionOptions): Value {
  const { scale, biases = [], dropoutMask } = options;
  const inputs = [query, key, value, ...biases, ...(dropoutMask ? [dropoutMask] : [])];
  let probabilities: Value;
  let dropped: Value;
  const forward = () => {
    const scores = biases.reduce(add, fusedMatMul(query, key, { transB: true, alpha: scale }));
    probabilities = softmax(scores);
    dropped = dropoutMask ? mul(probabilities, dropoutMask) : probabilities;
    return [matMul(dropped, value)];
  };
  const [result] = query.graph.macro('attention', inputs, forward, ([output], [grad]) => {
    const gradValue = fusedMatMul(dropped, grad!, { transA: true });
    const gradDropped = fusedMatMul(grad!, value, { transB: true });
    const rowSum = reduceSum(mul(grad!, output!), { axes: [-1], keepdims: true });
    const gradScores = dropoutMask
      ? sub(mul(dropped, gradDropped), mul(probabilities, rowSum))
      : mul(probabilities, sub(gradDropped, rowSum));
    const gradQuery = fusedMatMul(gradScores, key, { alpha: scale });
    const gradKey = fusedMatMul(gradScores, query, { transA: true, alpha: scale });
    return [gradQuery, gradKey, gradValue, ...biases.map(() => gradScores)];
  });
  return result!;
}
