/** IEEE 754 binary16, written. Reading is in checkpoint/dtypes.ts. Not every engine we support has a Float16Array. */

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

const SMALLEST_NORMAL = 0x38800000; // bits of 2^-14 as float32
const INFINITE = 0x477ff000; // of 65,520, halfway between the largest half and the next: from here on it is infinite

/** The bits of the half nearest to a float32, of two equally near ones the even. NaN stays NaN. */
export function toHalf(value: number): number {
  scratch[0] = value;
  const sign = (scratchBits[0]! >>> 16) & 0x8000;
  const bits = scratchBits[0]! & 0x7fffffff;
  if (bits > 0x7f800000) return sign | 0x7e00;
  if (bits >= INFINITE) return sign | 0x7c00;
  if (bits < SMALLEST_NORMAL) return sign | roundToEven(Math.abs(scratch[0]!) * 2 ** 24); // subnormals: multiples of 2^-24
  const isOdd = (bits >>> 13) & 1;
  return sign | ((bits - (112 << 23) + 0xfff + isOdd) >>> 13); // exponent bias 127 -> 15, 13 fraction bits rounded off
}

function roundToEven(value: number): number {
  const low = Math.floor(value);
  const rest = value - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low;
}
