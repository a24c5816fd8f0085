/**
 * Loops over float32 arrays, four elements at a time (128-bit SIMD), in shared memory that the caller provides.
 * AssemblyScript, compiled by scripts/build-kernels.sh; nothing here allocates, and the module has no data of its own.
 *
 * Pointers are byte offsets, counts are elements. Arrays of any length are taken: whole vectors first, then the rest
 * one by one with the same operations in the same order, so that where an array is cut never shows in the result.
 */

/** Bytes of the whole vectors in `count` float32 elements. */
// @ts-ignore: decorator
@inline
function vectorBytes(count: usize): usize {
  return (count & ~3) << 2;
}

/**
 * One AdamW step, in the order of torch.optim.AdamW (single tensor, not amsgrad, not capturable):
 *   p *= decay;  m += (g - m)(1 - beta1);  v = beta2 v + (1 - beta2) g g;  p -= stepSize m / (sqrt(v) / correction + eps)
 * with g = gradientScale * gradient, decay = 1 - lr * weightDecay, stepSize = lr / (1 - beta1^t),
 * correction = sqrt(1 - beta2^t).
 */
export function adamw(
  parameter: usize, gradient: usize, firstMoment: usize, secondMoment: usize, count: usize,
  decay: f32, oneMinusBeta1: f32, beta2: f32, oneMinusBeta2: f32, correction: f32, eps: f32, stepSize: f32,
  gradientScale: f32,
): void {
  const decays = f32x4.splat(decay), rates1 = f32x4.splat(oneMinusBeta1), keeps2 = f32x4.splat(beta2);
  const rates2 = f32x4.splat(oneMinusBeta2), corrections = f32x4.splat(correction), epsilons = f32x4.splat(eps);
  const steps = f32x4.splat(stepSize), scales = f32x4.splat(gradientScale);
  const vectors = vectorBytes(count), end = count << 2;
  let i: usize = 0;
  for (; i < vectors; i += 16) {
    const g = f32x4.mul(v128.load(gradient + i), scales);
    const m0 = v128.load(firstMoment + i);
    const m = f32x4.add(m0, f32x4.mul(f32x4.sub(g, m0), rates1));
    const v = f32x4.add(f32x4.mul(v128.load(secondMoment + i), keeps2), f32x4.mul(f32x4.mul(g, rates2), g));
    v128.store(firstMoment + i, m);
    v128.store(secondMoment + i, v);
    const denominator = f32x4.add(f32x4.div(f32x4.sqrt(v), corrections), epsilons);
    const p = f32x4.mul(v128.load(parameter + i), decays);
    v128.store(parameter + i, f32x4.sub(p, f32x4.div(f32x4.mul(steps, m), denominator)));
  }
  for (; i < end; i += 4) {
    const g = load<f32>(gradient + i) * gradientScale;
    const m0 = load<f32>(firstMoment + i);
    const m = m0 + (g - m0) * oneMinusBeta1;
    const v = load<f32>(secondMoment + i) * beta2 + g * oneMinusBeta2 * g;
    store<f32>(firstMoment + i, m);
    store<f32>(secondMoment + i, v);
    const p = load<f32>(parameter + i) * decay;
    store<f32>(parameter + i, p - (stepSize * m) / (sqrt<f32>(v) / correction + eps));
  }
}

/** The same step where the gradient is known to be zero, without reading it: the same bits, six sevenths of the bytes. */
export function adamwZeroGradient(
  parameter: usize, firstMoment: usize, secondMoment: usize, count: usize,
  decay: f32, oneMinusBeta1: f32, beta2: f32, correction: f32, eps: f32, stepSize: f32,
): void {
  const decays = f32x4.splat(decay), rates1 = f32x4.splat(oneMinusBeta1), keeps2 = f32x4.splat(beta2);
  const corrections = f32x4.splat(correction), epsilons = f32x4.splat(eps), steps = f32x4.splat(stepSize);
  const zero = f32x4.splat(0);
  const vectors = vectorBytes(count), end = count << 2;
  let i: usize = 0;
  for (; i < vectors; i += 16) {
    const m0 = v128.load(firstMoment + i);
    const m = f32x4.add(m0, f32x4.mul(f32x4.sub(zero, m0), rates1));
    const v = f32x4.mul(v128.load(secondMoment + i), keeps2);
    v128.store(firstMoment + i, m);
    v128.store(secondMoment + i, v);
    const denominator = f32x4.add(f32x4.div(f32x4.sqrt(v), corrections), epsilons);
    const p = f32x4.mul(v128.load(parameter + i), decays);
    v128.store(parameter + i, f32x4.sub(p, f32x4.div(f32x4.mul(steps, m), denominator)));
  }
  for (; i < end; i += 4) {
    const m0 = load<f32>(firstMoment + i);
    const m = m0 + (<f32>0 - m0) * oneMinusBeta1;
    const v = load<f32>(secondMoment + i) * beta2;
    store<f32>(firstMoment + i, m);
    store<f32>(secondMoment + i, v);
    const p = load<f32>(parameter + i) * decay;
    store<f32>(parameter + i, p - (stepSize * m) / (sqrt<f32>(v) / correction + eps));
  }
}

/** array *= factor */
export function scale(array: usize, count: usize, factor: f32): void {
  const factors = f32x4.splat(factor);
  const vectors = vectorBytes(count), end = count << 2;
  let i: usize = 0;
  for (; i < vectors; i += 16) v128.store(array + i, f32x4.mul(v128.load(array + i), factors));
  for (; i < end; i += 4) store<f32>(array + i, load<f32>(array + i) * factor);
}

/** target += factor * source */
export function scaleAdd(target: usize, source: usize, count: usize, factor: f32): void {
  const factors = f32x4.splat(factor);
  const vectors = vectorBytes(count), end = count << 2;
  let i: usize = 0;
  for (; i < vectors; i += 16) {
    v128.store(target + i, f32x4.add(v128.load(target + i), f32x4.mul(v128.load(source + i), factors)));
  }
  for (; i < end; i += 4) store<f32>(target + i, load<f32>(target + i) + load<f32>(source + i) * factor);
}

/** All elements become +0. */
export function fillZero(array: usize, count: usize): void {
  memory.fill(array, 0, count << 2);
}

/**
 * Sum of squares in float64: eight running sums, element i in sum i % 8, added up in a fixed order at the end.
 */
export function sumSquares(array: usize, count: usize): f64 {
  let a = f64x2.splat(0), b = f64x2.splat(0), c = f64x2.splat(0), d = f64x2.splat(0);
  const blocks = (count & ~7) << 2, end = count << 2;
  let i: usize = 0;
  for (; i < blocks; i += 32) {
    const x0 = f64x2.promote_low_f32x4(v128.load64_zero(array + i));
    const x1 = f64x2.promote_low_f32x4(v128.load64_zero(array + i, 8));
    const x2 = f64x2.promote_low_f32x4(v128.load64_zero(array + i, 16));
    const x3 = f64x2.promote_low_f32x4(v128.load64_zero(array + i, 24));
    a = f64x2.add(a, f64x2.mul(x0, x0));
    b = f64x2.add(b, f64x2.mul(x1, x1));
    c = f64x2.add(c, f64x2.mul(x2, x2));
    d = f64x2.add(d, f64x2.mul(x3, x3));
  }
  const sums = f64x2.add(f64x2.add(a, b), f64x2.add(c, d));
  let sum = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
  for (; i < end; i += 4) {
    const x = <f64>load<f32>(array + i);
    sum += x * x;
  }
  return sum;
}

/** One round of hashing for two decisions: 32 mixed bits from a counter and a 64-bit key. See ../dropout.ts. */
// @ts-ignore: decorator
@inline
function mix(counter: u32, key0: u32, key1: u32): u32 {
  let x = counter ^ key0;
  x ^= x >> 16;
  x *= 0x7feb352d;
  x ^= key1;
  x ^= x >> 15;
  x *= 0x846ca68b;
  x ^= x >> 16;
  return x;
}

/**
 * array[i] = 0 or `kept` for elements first .. first + count: element e takes the 16-bit half e & 1 of
 * mix(e >> 1, key), and is dropped when that half is below `threshold`.
 * @param first even
 */
export function dropoutMask(
  array: usize, first: u32, count: usize, key0: u32, key1: u32, threshold: u32, kept: f32,
): void {
  const keys0 = i32x4.splat(key0), keys1 = i32x4.splat(key1);
  const limits = i16x8.splat(<i16>threshold), values = f32x4.splat(kept);
  const multiplier1 = i32x4.splat(0x7feb352d), multiplier2 = i32x4.splat(0x846ca68b), four = i32x4.splat(4);
  let counters = i32x4.add(i32x4.splat(first >> 1), i32x4(0, 1, 2, 3));
  const blocks = (count & ~7) << 2, end = count << 2;
  let i: usize = 0;
  for (; i < blocks; i += 32) {
    let x = v128.xor(counters, keys0);
    x = v128.xor(x, i32x4.shr_u(x, 16));
    x = i32x4.mul(x, multiplier1);
    x = v128.xor(x, keys1);
    x = v128.xor(x, i32x4.shr_u(x, 15));
    x = i32x4.mul(x, multiplier2);
    x = v128.xor(x, i32x4.shr_u(x, 16));
    const keeps = i16x8.ge_u(x, limits); // eight decisions, in the order of the elements
    v128.store(array + i, v128.and(i32x4.extend_low_i16x8_s(keeps), values));
    v128.store(array + i, v128.and(i32x4.extend_high_i16x8_s(keeps), values), 16);
    counters = i32x4.add(counters, four);
  }
  for (; i < end; i += 4) {
    const element = first + <u32>(i >> 2);
    const half = (mix(element >> 1, key0, key1) >> ((element & 1) << 4)) & 0xffff;
    store<f32>(array + i, half >= threshold ? kept : 0);
  }
}

/** The largest of four lanes; NaN where one is. */
// @ts-ignore: decorator
@inline
function largestLane(x: v128): f32 {
  const low = max<f32>(f32x4.extract_lane(x, 0), f32x4.extract_lane(x, 1));
  return max<f32>(low, max<f32>(f32x4.extract_lane(x, 2), f32x4.extract_lane(x, 3)));
}

/** What a byte of a row or column stands for, from its largest size; 1 for zeros. */
// @ts-ignore: decorator
@inline
function byteScale(largest: f32): f32 {
  const scale = largest / 127;
  return scale == 0 ? 1 : scale;
}

/** nearest(values / scales) as 32-bit integers, ties to even. */
// @ts-ignore: decorator
@inline
function levels(values: v128, scales: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.div(values, scales)));
}

// @ts-ignore: decorator
@inline
function toByte(value: f32, scale: f32): i8 {
  return <i8>i32x4.extract_lane(levels(f32x4.splat(value), f32x4.splat(scale)), 0);
}

/**
 * Rows `first` to `end` of matrix (rows, columns), its columns multiplied by `factors`, as signed bytes, a scale a row,
 * turned to (columns, rows):
 *   m[r, c] = matrix[r, c] factors[c],  scales[r] = max |m[r]| / 127,  bytes[c, r] = nearest(m[r, c] / scales[r])
 * @param first a multiple of 4
 */
export function quantizeRows(
  matrix: usize, factors: usize, rows: usize, columns: usize, bytes: usize, scales: usize, first: usize, end: usize,
): void {
  const rowBytes = columns << 2, vectors = vectorBytes(columns);
  for (let row = first; row < end; row++) {
    const values = matrix + row * rowBytes;
    let largest = f32x4.splat(0);
    let i: usize = 0;
    for (; i < vectors; i += 16) {
      largest = f32x4.max(largest, f32x4.abs(f32x4.mul(v128.load(values + i), v128.load(factors + i))));
    }
    let most = largestLane(largest);
    for (; i < rowBytes; i += 4) most = max<f32>(most, abs<f32>(load<f32>(values + i) * load<f32>(factors + i)));
    store<f32>(scales + (row << 2), byteScale(most));
  }
  const wholeEnd = first + ((end - first) & ~3);
  for (let c: usize = 0; c < columns; c += 4) {
    const target = bytes + c * rows, source = matrix + (c << 2);
    const isWhole = c + 4 <= columns;
    let row = first;
    if (isWhole) {
      const f = v128.load(factors + (c << 2));
      for (; row < wholeEnd; row += 4) { // a tile of 4 rows and 4 columns, turned
        const from = source + row * rowBytes, scale = scales + (row << 2);
        const a = levels(f32x4.mul(v128.load(from), f), v128.load32_splat(scale));
        const b = levels(f32x4.mul(v128.load(from + rowBytes), f), v128.load32_splat(scale, 4));
        const c4 = levels(f32x4.mul(v128.load(from + 2 * rowBytes), f), v128.load32_splat(scale, 8));
        const d = levels(f32x4.mul(v128.load(from + 3 * rowBytes), f), v128.load32_splat(scale, 12));
        const tile = i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c4, d));
        const turned = i8x16.shuffle(tile, tile, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
        v128.store32_lane(target + row, turned, 0);
        v128.store32_lane(target + rows + row, turned, 1);
        v128.store32_lane(target + 2 * rows + row, turned, 2);
        v128.store32_lane(target + 3 * rows + row, turned, 3);
      }
    }
    const limit: usize = isWhole ? 4 : columns - c;
    for (; row < end; row++) {
      const scale = load<f32>(scales + (row << 2));
      for (let k: usize = 0; k < limit; k++) {
        store<i8>(target + k * rows + row, toByte(load<f32>(source + row * rowBytes + (k << 2)) * load<f32>(factors + ((c + k) << 2)), scale));
      }
    }
  }
}

/**
 * Columns `first` to `end` of matrix (rows, columns) as signed bytes of the same layout, a scale a column:
 *   scales[c] = max |matrix[:, c]| / 127,  bytes[r, c] = nearest(matrix[r, c] / scales[c])
 */
export function quantizeColumns(
  matrix: usize, rows: usize, columns: usize, bytes: usize, scales: usize, first: usize, end: usize,
): void {
  const rowBytes = columns << 2, begin = first << 2, until = end << 2;
  const vectorsEnd = begin + vectorBytes(end - first);
  memory.fill(scales + begin, 0, until - begin);
  for (let row: usize = 0; row < rows; row++) {
    const values = matrix + row * rowBytes;
    let i = begin;
    for (; i < vectorsEnd; i += 16) {
      v128.store(scales + i, f32x4.max(v128.load(scales + i), f32x4.abs(v128.load(values + i))));
    }
    for (; i < until; i += 4) store<f32>(scales + i, max<f32>(load<f32>(scales + i), abs<f32>(load<f32>(values + i))));
  }
  for (let i = begin; i < until; i += 4) store<f32>(scales + i, byteScale(load<f32>(scales + i)));
  for (let row: usize = 0; row < rows; row++) {
    const values = matrix + row * rowBytes, target = bytes + row * columns;
    let i = begin;
    for (; i < vectorsEnd; i += 16) {
      const words = levels(v128.load(values + i), v128.load(scales + i));
      const halves = i16x8.narrow_i32x4_s(words, words);
      v128.store32_lane(target + (i >> 2), i8x16.narrow_i16x8_s(halves, halves), 0);
    }
    for (; i < until; i += 4) store<i8>(target + (i >> 2), toByte(load<f32>(values + i), load<f32>(scales + i)));
  }
}
