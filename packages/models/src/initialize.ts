/** Fresh parameters, from a seed: normal weights, zero biases, unit norms, as transformers' _init_weights. */
import type { ParameterSpec } from './scope.ts';

/** @param deviation of normal parameters: the config's initializer_range */
export function initialize({ name, shape, initializer }: ParameterSpec, deviation: number, seed: number): Float32Array {
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
  if (initializer === 'ones') values.fill(1);
  if (initializer === 'normal') fillNormal(values, deviation, seed ^ hash(name));
  return values;
}

/** Box-Muller: two normal numbers from two uniform ones. */
function fillNormal(values: Float32Array, deviation: number, seed: number): void {
  const uniform = mulberry32(seed);
  for (let i = 0; i < values.length; i += 2) {
    const radius = deviation * Math.sqrt(-2 * Math.log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    values[i] = radius * Math.cos(angle);
    if (i + 1 < values.length) values[i + 1] = radius * Math.sin(angle);
  }
}

/** Uniform in [0, 1) with 32 bits of state. Source: Tommy Ettinger's mulberry32, public domain. */
export function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** FNV-1a of the name, so that each parameter has numbers of its own. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const character of text) value = Math.imul(value ^ character.codePointAt(0)!, 0x01000193);
  return value;
}
