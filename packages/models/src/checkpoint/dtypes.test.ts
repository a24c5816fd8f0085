import { ConfigError } from 'onnx-grad';
import { expect, it } from 'vitest';
import { type NamedTensor, toFloat32 } from './dtypes.ts';

const bits16 = (dtype: 'float16' | 'bfloat16', ...bits: number[]): NamedTensor => {
  return { dtype, shape: [bits.length], data: new Uint8Array(Uint16Array.from(bits).buffer) };
};

it('reads float16 exactly: normals, subnormals, signed zero, infinities', () => {
  const values = toFloat32(bits16('float16', 0x3c00, 0xc000, 0x7bff, 0x0001, 0x03ff, 0x8000, 0x7c00, 0xfc00));
  expect([...values]).toEqual([1, -2, 65504, 2 ** -24, 1023 * 2 ** -24, -0, Infinity, -Infinity]);
  expect(toFloat32(bits16('float16', 0x7e00))[0]).toBeNaN();
});

it('agrees with the engine on every float16 there is, where it has them', () => {
  const all = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const view = new DataView(all.buffer) as DataView & { getFloat16?: (offset: number, little: boolean) => number };
  if (view.getFloat16 === undefined) return;
  const ours = toFloat32({ dtype: 'float16', shape: [65536], data: new Uint8Array(all.buffer) });
  expect(ours.every((value, i) => Object.is(value, view.getFloat16!(2 * i, true)))).toBe(true);
});

it('reads bfloat16 as the upper half of a float32', () => {
  expect([...toFloat32(bits16('bfloat16', 0x3f80, 0xc049, 0x0001, 0x7f80))]).toEqual([
    1,
    -3.140625,
    2 ** -133,
    Infinity,
  ]);
});

it('rounds float64 to nearest', () => {
  const tensor: NamedTensor = { dtype: 'float64', shape: [1], data: new Uint8Array(Float64Array.of(0.1).buffer) };
  expect(toFloat32(tensor)[0]).toBe(Math.fround(0.1));
});

it('reads float32 that begins at any byte, in memory of its own', () => {
  const bytes = new Uint8Array(9);
  bytes.set(new Uint8Array(Float32Array.of(1.5, -2).buffer), 1);
  const values = toFloat32({ dtype: 'float32', shape: [2], data: bytes.subarray(1) });
  bytes.fill(0);
  expect([...values]).toEqual([1.5, -2]);
});

it('refuses whole numbers', () => {
  expect(() => toFloat32({ dtype: 'int64', shape: [1], data: new Uint8Array(8) })).toThrow(ConfigError);
});
