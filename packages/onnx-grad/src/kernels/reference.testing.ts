import type { AdamwSettings } from './adamw.ts';

/** The kernels in plain JavaScript, one float32 operation at a time: what the tests compare with, bit for bit. */

const f = Math.fround;

export interface AdamwArrays {
  readonly parameter: Float32Array;
  readonly gradient: Float32Array;
  readonly firstMoment: Float32Array;
  readonly secondMoment: Float32Array;
}

export function referenceAdamw(
  { parameter, gradient, firstMoment, secondMoment }: AdamwArrays,
  s: AdamwSettings,
): void {
  const decay = f(1 - s.learningRate * s.weightDecay);
  const [rate1, rate2] = [f(1 - s.beta1), f(1 - s.beta2)];
  const correction = f(Math.sqrt(1 - s.beta2 ** s.step));
  const stepSize = f(s.learningRate / (1 - s.beta1 ** s.step));
  for (let i = 0; i < parameter.length; i++) {
    const g = f(gradient[i]! * f(s.gradientScale));
    const m = f(firstMoment[i]! + f(f(g - firstMoment[i]!) * rate1));
    const v = f(f(secondMoment[i]! * f(s.beta2)) + f(f(g * rate2) * g));
    const denominator = f(f(f(Math.sqrt(v)) / correction) + f(s.eps));
    firstMoment[i] = m;
    secondMoment[i] = v;
    parameter[i] = f(f(parameter[i]! * decay) - f(f(stepSize * m) / denominator));
  }
}

/** One element of a dropout mask, as dropout.ts describes it. */
export function referenceKeeps(element: number, [key0, key1]: readonly [number, number], threshold: number): boolean {
  let x = (element >>> 1) ^ key0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d) ^ key1;
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  x ^= x >>> 16;
  return ((x >>> (element % 2 === 0 ? 0 : 16)) & 0xffff) >= threshold;
}

/** Numbers in [-1, 1) that look random and are the same every time. */
export function exampleValues(length: number, seed: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => (((i + 1) * 7919 + seed * 104_729) % 65_537) / 32_768.5 - 1);
}

/** Where two arrays first differ in their bits, or -1. */
export function firstDifference(found: Float32Array, expected: Float32Array): number {
  if (found.length !== expected.length) return Math.min(found.length, expected.length);
  const words = new Int32Array(expected.buffer, expected.byteOffset, expected.length);
  return new Int32Array(found.buffer, found.byteOffset, found.length).findIndex((word, i) => word !== words[i]);
}
