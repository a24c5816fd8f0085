import { ConfigError } from 'onnx-grad';
import { expect, it } from 'vitest';
import { readCodecs } from '../../test/gguf-cases.node.ts';
import { toHalf } from './half.ts';
import { decodeTensor, encodeTensor } from './tensor-codecs.ts';

const { rows, q8_0, q8_0_values: values, small, f16 } = readCodecs();
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

it('quantises to q8_0 bit for bit as the gguf package does, ties and empty blocks included', () => {
  const bytes = encodeTensor('w', Float32Array.from(rows.flat()), 'q8_0');
  expect(hex(bytes)).toBe(q8_0);
  expect([...decodeTensor('w', bytes, 'q8_0')]).toEqual(values);
});

it('rounds to halves as numpy does, subnormals included', () => {
  expect(hex(encodeTensor('w', Float32Array.from(small), 'f16'))).toBe(f16);
});

it('gives every half there is back, and the nearest of what lies between', () => {
  const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const halves = decodeTensor('w', new Uint8Array(bits.buffer), 'f16');
  const wrong = bits.filter((half, i) => {
    const [value, next] = [halves[i]!, halves[i + 1]!];
    if (Number.isNaN(value)) return (toHalf(value) & 0x7fff) !== 0x7e00;
    if (toHalf(value) !== half) return true;
    if ((half & 0x7fff) >= 0x7bff) return false; // nothing finite follows
    const [middle, quarter] = [(value + next) / 2, (next - value) / 4]; // exact in float32
    const even = half % 2 === 0 ? half : half + 1;
    return toHalf(middle) !== even || toHalf(middle + quarter) !== half + 1 || toHalf(middle - quarter) !== half;
  });
  expect([...wrong]).toEqual([]);
  expect([65_504, 65_519, 65_520, Infinity, -1e9].map(toHalf)).toEqual([0x7bff, 0x7bff, 0x7c00, 0x7c00, 0xfc00]);
});

it('keeps f32 as it is, and reads bf16 and f64', () => {
  const floats = Float32Array.of(1 / 3, -0, 1e-40, 3e38);
  expect(decodeTensor('w', encodeTensor('w', floats, 'f32'), 'f32')).toEqual(floats);
  expect([...decodeTensor('w', new Uint8Array(Uint16Array.of(0x3f80, 0xc049).buffer), 'bf16')]).toEqual([1, -3.140625]);
  expect([...decodeTensor('w', new Uint8Array(Float64Array.of(0.5).buffer), 'f64')]).toEqual([0.5]);
});

it('reads bytes that begin anywhere', () => {
  const bytes = encodeTensor('w', Float32Array.from(rows.flat()), 'q8_0');
  const moved = new Uint8Array(bytes.byteLength + 1);
  moved.set(bytes, 1);
  expect([...decodeTensor('w', moved.subarray(1), 'q8_0')]).toEqual(values);
});

it('refuses what a type cannot hold, naming the tensor', () => {
  const row = (value: number) => new Float32Array(32).fill(value);
  for (const type of ['f32', 'f16', 'q8_0'] as const) {
    expect(() => encodeTensor('w', row(Number.NaN), type)).toThrow(ConfigError);
    expect(() => encodeTensor('w', row(-Infinity), type)).toThrow('"w" has a value of size Infinity');
  }
  expect(() => encodeTensor('w', row(65_536), 'f16')).toThrow('f16 cannot hold. Write it as f32.');
  expect(() => encodeTensor('w', row(1e7), 'q8_0')).toThrow('q8_0 cannot hold');
  expect(() => decodeTensor('w', new Uint8Array(18), 'q4_0')).toThrow('"w" is q4_0, which is not read. Supported: f32');
});

it('makes zeros of blocks too small for a scale', () => {
  const tiny = new Float32Array(32).fill(1e-45);
  expect([...decodeTensor('w', encodeTensor('w', tiny, 'q8_0'), 'q8_0')]).toEqual(new Array(32).fill(0));
});
