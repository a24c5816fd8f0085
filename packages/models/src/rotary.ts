/** Rotary positions (Su et al. 2021, arXiv:2104.09864): each token's place as angles that its pairs of features turn by. */
import { type Dim, ops, type Value } from 'onnx-grad';
import type { Scope } from './scope.ts';

export interface Angles {
  /** (T, D/2) */
  readonly cosine: Value;
  /** (T, D/2) */
  readonly sine: Value;
}

/** Radians from one token to the next: theta^(-2d/D), d from 0 to D/2 - 1; in float32, as torch has them. */
export function rotaryFrequencies(headSize: number, theta: number): Float32Array {
  return Float32Array.from(
    { length: headSize / 2 },
    (_, d) => 1 / Math.fround(theta ** Math.fround((2 * d) / headSize)),
  );
}

/**
 * The angles of tokens 0 to T - 1.
 * @param frequencies (1, D/2) radians a token
 * @param factor      multiplied onto both tables, and so squared onto the products of queries and keys
 */
export function rotaryAngles(scope: Scope, length: Dim, frequencies: Value, factor = 1): Angles {
  const positions = ops.reshape(ops.cast(ops.range(scope.graph, { limit: length }), 'float32'), [length, 1]);
  const angles = ops.mul(positions, frequencies);
  const [cosine, sine] = [ops.cos(angles), ops.sin(angles)];
  return factor === 1 ? { cosine, sine } : { cosine: ops.mul(cosine, factor), sine: ops.mul(sine, factor) };
}
