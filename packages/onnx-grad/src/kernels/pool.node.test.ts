import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import * as ort from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError, DeviceError, ShapeError } from '../errors.ts';
import { encodeModel } from '../onnx/encode.ts';
import { scaleAndShiftModel } from '../onnx/models.testing.ts';
import { adamwDefaults } from './adamw.ts';
import type { Buffer32 } from './arena.ts';
import { dropoutKeys, dropoutThreshold } from './dropout.ts';
import { type AdamwPart, KernelPool } from './pool.node.ts';
import {
  type AdamwArrays,
  exampleValues,
  firstDifference,
  referenceAdamw,
  referenceKeeps,
} from './reference.testing.ts';
import { RowSet } from './rows.ts';

const LENGTHS = [1, 5, 16, 70_001, 384, 3, 200_003, 100]; // tails, several chunks, many in one chunk
const settings = { ...adamwDefaults, step: 3, gradientScale: 0.7, learningRate: 1e-2, weightDecay: 0.1 };

/** Of the gradients that `allocateParts` fills in: any number of threads gives these bits. */
const SUM_OF_GRADIENT_SQUARES = 90172.16330185556;

const TOKENS = 2000; // of 200 elements: seven chunks, two of them all padding

describe.each([1, 2, 3])('a pool of %i threads', (threads) => {
  let pool: KernelPool;
  beforeAll(async () => {
    pool = await KernelPool.create({ threads });
  });
  afterAll(() => pool.dispose());

  it('takes the AdamW step of the reference', () => {
    const parts = allocateParts(pool);
    const expected = parts.map(copyOf);
    pool.adamw(parts, settings);
    for (const arrays of expected) referenceAdamw(arrays, settings);
    expectSameArrays(parts, expected);
  });

  it('sums squares to the same bits, near the exact sum', () => {
    const parts = allocateParts(pool);
    const exact = parts.reduce((sum, { gradient }) => gradient.data.reduce((s, x) => s + x * x, sum), 0);
    const sum = pool.sumSquares(parts.map((part) => part.gradient));
    expect(sum).toBe(SUM_OF_GRADIENT_SQUARES);
    expect(Math.abs(sum / exact - 1)).toBeLessThan(1e-13);
  });

  it('adds scaled arrays as the reference does', () => {
    const parts = allocateParts(pool);
    const expected = parts.map(({ gradient, firstMoment }) =>
      firstMoment.data.map((x, i) => Math.fround(x + Math.fround(gradient.data[i]! * Math.fround(0.3)))),
    );
    pool.scaleAdd(
      parts.map(({ gradient, firstMoment }) => ({ target: firstMoment, source: gradient })),
      0.3,
    );
    for (const [i, { firstMoment }] of parts.entries()) expectSameBits(firstMoment.data, expected[i]!);
  });

  it('fills with zeros and nothing beside', () => {
    const parts = allocateParts(pool);
    const before = parts.map(copyOf);
    pool.fillZero(parts.map((part) => part.gradient));
    expectSameArrays(
      parts,
      before.map((arrays) => ({ ...arrays, gradient: new Float32Array(arrays.gradient.length) })),
    );
  });

  it('draws dropout masks by the formula, up to the length asked for', () => {
    const buffers = pool.allocate(LENGTHS.map((length) => ({ lengths: [length + 3] }))).map(([buffer]) => buffer!);
    for (const buffer of buffers) buffer.data.fill(9);
    const jobs = buffers.map((buffer, site) => ({ buffer, length: buffer.length - 3, probability: 0.1, site }));
    pool.dropoutMasks(jobs, { seed: 42, step: 7 });
    for (const { buffer, length, site } of jobs) {
      const keys = dropoutKeys({ seed: 42, step: 7, site });
      const kept = Math.fround(1 / 0.9);
      const expected = buffer.data.map((_, i) =>
        i >= length ? 9 : referenceKeeps(i, keys, dropoutThreshold(0.1)) ? kept : 0,
      );
      expectSameBits(buffer.data, expected);
    }
  });

  it('keeps everything at probability 0', () => {
    const [[buffer]] = pool.allocate([{ lengths: [1000] }]) as [[Buffer32]];
    pool.dropoutMasks([{ buffer, length: 1000, probability: 0, site: 0 }], { seed: 0, step: 0 });
    expect(buffer.data.every((value) => value === 1)).toBe(true);
  });

  it('trains an embedding table by its rows to the bits of the whole table', () => {
    const rows = new RowSet(1000, 200); // four chunks
    const byRows = allocateTable(pool, rows);
    const whole = allocateTable(pool, rows);
    for (let step = 1; step <= 4; step++) {
      const ids = Array.from({ length: TOKENS }, (_, t) => (t % 3 === 0 ? 0 : (t * t * step) % 400)); // row 0 is padding
      byRows.source.data.set(exampleValues(byRows.source.length, step));
      ids.forEach((id, t) => {
        for (let e = 0; e < 200; e++) whole.gradient.data[id * 200 + e]! += byRows.source.data[t * 200 + e]!;
      });
      pool.scatterAddRows(byRows.gradient, rows, byRows.source, BigInt64Array.from(ids, BigInt));
      expectSameBits(byRows.gradient.data, whole.gradient.data);
      const sum = pool.sumSquares([{ buffer: byRows.gradient, rows }]);
      expect(Math.abs(sum / pool.sumSquares([whole.gradient]) - 1)).toBeLessThan(1e-13);
      pool.adamw([{ ...byRows, rows }], { step });
      pool.adamw([whole], { step });
      pool.fillZero([{ buffer: byRows.gradient, rows }, whole.gradient]);
      rows.settle();
      expectSameArrays([byRows], [copyOf(whole)]);
    }
  });

  it('does nothing for no arrays and empty ones', () => {
    const [[empty]] = pool.allocate([{ lengths: [0] }]) as [[Buffer32]];
    expect(pool.sumSquares([])).toBe(0);
    expect(pool.sumSquares([empty])).toBe(0);
    expect(pool.sumSquares([{ buffer: pool.allocate([{ lengths: [8] }])[0]![0]!, rows: new RowSet(2, 4) }])).toBe(0);
  });

  it('survives many small dispatches in a row', () => {
    const [[buffer]] = pool.allocate([{ lengths: [200_000] }]) as [[Buffer32]];
    buffer.data.fill(1);
    for (let round = 0; round < 500; round++) {
      expect(pool.sumSquares([{ ...buffer, length: 1 + round * 300 }])).toBe(1 + round * 300);
    }
  });
});

describe('a pool', () => {
  it('spreads arrays over several memories when one is full', async () => {
    await using(KernelPool.create({ threads: 2, memoryLimitBytes: 1 << 20 }), (pool) => {
      const parts = allocateParts(
        pool,
        LENGTHS.map((length) => Math.min(length, 60_000)),
      );
      expect(new Set(parts.map((part) => part.gradient.memory)).size).toBe(2);
      const expected = parts.map(copyOf);
      pool.adamw(parts, settings);
      for (const arrays of expected) referenceAdamw(arrays, settings);
      expectSameArrays(parts, expected);
      expect(() => pool.allocate([{ lengths: [1 << 18, 1] }])).toThrow(ConfigError);
    });
  });

  it('gives arrays that onnxruntime reads and writes in place', async () => {
    await using(KernelPool.create({ threads: 2 }), async (pool) => {
      const [[x, y]] = pool.allocate([{ lengths: [600, 600] }]) as [[Buffer32, Buffer32]];
      const session = await ort.InferenceSession.create(encodeModel(scaleAndShiftModel(300)));
      x.data.set(exampleValues(600, 1));
      const feeds = { x: new ort.Tensor('float32', x.data, [2, 300]) };
      const fetches = { y: new ort.Tensor('float32', y.data, [2, 300]) };
      await session.run(feeds, fetches);
      const expected = () => x.data.map((value, i) => value * (2 + ((i % 300) % 7)) - 3 + ((i % 300) % 7));
      for (const [i, value] of expected().entries()) expect(y.data[i]).toBeCloseTo(value, 5);
      pool.fillZero([x, y]);
      await session.run(feeds, fetches); // the same tensors see what the kernels wrote
      expect(y.data).toEqual(expected());
    });
  });

  it('passes negative ids over, and their source rows', async () => {
    await using(KernelPool.create({ threads: 2 }), (pool) => {
      const [[table, source]] = pool.allocate([{ lengths: [6, 8] }]) as [[Buffer32, Buffer32]];
      source.data.set([1, 2, Number.NaN, Number.NaN, 3, 4, Number.NaN, Number.NaN]);
      const rows = new RowSet(3, 2);
      pool.scatterAddRows(table, rows, source, BigInt64Array.of(2n, -1n, 2n, -1n));
      expect([...table.data]).toEqual([0, 0, 0, 0, 4, 6]);
      expect(rows.current).toEqual([2]);
    });
  });

  it('refuses arrays that do not belong together', async () => {
    const other = await KernelPool.create({ threads: 1 });
    await using(KernelPool.create({ threads: 1, memoryLimitBytes: 65_536 }), (pool) => {
      const [[a, b], [c]] = pool.allocate([{ lengths: [10, 11] }, { lengths: [16_384] }]) as [
        [Buffer32, Buffer32],
        [Buffer32],
      ];
      const [[foreign]] = other.allocate([{ lengths: [10] }]) as [[Buffer32]];
      const add = (target: Buffer32, source: Buffer32) => () => pool.scaleAdd([{ target, source }], 1);
      expect(add(a, b)).toThrow('scaleAdd: arrays of 10 and 11 elements, expected one length.');
      expect(add(a, { ...c, length: 10 })).toThrow(/different memories/);
      expect(add(a, foreign)).toThrow(/did not allocate/);
      expect(add(a, { ...a, offset: 65_520 })).toThrow(/did not allocate/);
      const rows = new RowSet(5, 2);
      expect(() => pool.scatterAddRows(b, rows, a, [0])).toThrow('A table of 11 elements is not 5 rows of 2.');
      expect(() => pool.scatterAddRows(a, rows, b, [0, 1, 2, 3, 4, 4])).toThrow(ShapeError);
      expect(() => pool.scatterAddRows(a, rows, b, [5])).toThrow('Row 5 of a table of 5 rows.');
      expect(() =>
        pool.dropoutMasks([{ buffer: a, length: 11, probability: 0.1, site: 0 }], { seed: 0, step: 0 }),
      ).toThrow(ShapeError);
    });
    await other.dispose();
  });

  it('refuses threads that are no count', async () => {
    await expect(KernelPool.create({ threads: 0 })).rejects.toThrow(ConfigError);
  });

  it('ends its workers when disposed and refuses work from then on', async () => {
    const pool = await KernelPool.create({ threads: 3 });
    const [[buffer]] = pool.allocate([{ lengths: [10] }]) as [[Buffer32]];
    buffer.data.fill(2);
    await pool.dispose();
    await pool.dispose();
    expect(() => pool.sumSquares([buffer])).toThrow('The KernelPool is disposed.');
    expect(buffer.data[9]).toBe(2);
  });

  it('does not keep the process alive', async () => {
    const pool = new URL('./pool.node.ts', import.meta.url);
    const code = `const { KernelPool } = await import('${pool}'); const pool = await KernelPool.create({ threads: 3 });
      const [[a]] = pool.allocate([{ lengths: [1e6] }]); a.data.fill(1); console.log(pool.sumSquares([a]));`;
    const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], { timeout: 10_000 });
    expect((await run).stdout).toBe('1000000\n');
  });

  it.each<[string, RegExp]>([
    ['worker-that-throws', /A kernel worker failed\. Dispose this KernelPool/],
    ['worker-that-ends', /A kernel worker has made no progress for 300 ms/],
  ])('reports a %s, once and for all, instead of waiting for ever', async (name, message) => {
    const workerUrl = new URL(`./fixtures/${name}.node.ts`, import.meta.url);
    const pool = await KernelPool.create({ threads: 2, workerUrl, patienceMs: 300 });
    const [[buffer]] = pool.allocate([{ lengths: [5_000_000] }]) as [[Buffer32]];
    const failure = await failureOf(() => pool.sumSquares([buffer])); // once the worker has got hold of a chunk
    expect(failure).toBeInstanceOf(DeviceError);
    expect(failure.message).toMatch(message);
    expect(() => pool.sumSquares([buffer])).toThrow(failure);
    await pool.dispose();
  });

  it('reports a worker that has ended between two calls', async () => {
    const workerUrl = new URL('./fixtures/worker-that-leaves.node.ts', import.meta.url);
    const pool = await KernelPool.create({ threads: 2, workerUrl });
    const failure = await failureOf(() => pool.allocate([]));
    expect(failure.message).toMatch(/A kernel worker ended with exit code 0/);
    await pool.dispose();
  });

  it('reports a worker that cannot start, with its reason', async () => {
    const workerUrl = new URL('./fixtures/worker-that-cannot-start.node.ts', import.meta.url);
    const failure = await KernelPool.create({ threads: 2, workerUrl }).catch((error) => error);
    expect(failure).toBeInstanceOf(DeviceError);
    expect(failure.cause.message).toBe('no such module');
  });
});

function allocateParts(pool: KernelPool, lengths = LENGTHS): AdamwPart[] {
  return pool.allocate(lengths.map((length) => ({ lengths: [length, length, length, length] }))).map((group, index) => {
    const [parameter, gradient, firstMoment, secondMoment] = group as [Buffer32, Buffer32, Buffer32, Buffer32];
    for (const [seed, buffer] of [parameter, gradient, firstMoment].entries()) {
      buffer.data.set(exampleValues(buffer.length, index * 10 + seed));
    }
    secondMoment.data.set(exampleValues(secondMoment.length, index).map(Math.abs));
    const { learningRate, weightDecay } = settings;
    return { parameter, gradient, firstMoment, secondMoment, learningRate, weightDecay };
  });
}

function allocateTable(pool: KernelPool, { rowCount, rowLength }: RowSet): AdamwPart & { source: Buffer32 } {
  const size = rowCount * rowLength;
  const group = pool.allocate([{ lengths: [size, size, size, size, TOKENS * rowLength] }])[0]!;
  const [parameter, gradient, firstMoment, secondMoment, source] = group as [
    Buffer32,
    Buffer32,
    Buffer32,
    Buffer32,
    Buffer32,
  ];
  parameter.data.set(exampleValues(size, 1));
  return { parameter, gradient, firstMoment, secondMoment, source, learningRate: 1e-2, weightDecay: 0.1 };
}

function copyOf({ parameter, gradient, firstMoment, secondMoment }: AdamwPart): AdamwArrays {
  return {
    parameter: parameter.data.slice(),
    gradient: gradient.data.slice(),
    firstMoment: firstMoment.data.slice(),
    secondMoment: secondMoment.data.slice(),
  };
}

function expectSameArrays(parts: readonly AdamwPart[], expected: readonly AdamwArrays[]): void {
  for (const [i, part] of parts.entries()) {
    for (const name of ['parameter', 'gradient', 'firstMoment', 'secondMoment'] as const) {
      expectSameBits(part[name].data, expected[i]![name]);
    }
  }
}

function expectSameBits(found: Float32Array, expected: Float32Array): void {
  expect(firstDifference(found, expected)).toBe(-1);
}

/** What a call throws at last, when it is made over and over. */
async function failureOf(call: () => unknown): Promise<Error> {
  for (const deadline = performance.now() + 10_000; performance.now() < deadline; ) {
    try {
      call();
    } catch (error) {
      return error as Error;
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  throw new Error('it never failed');
}

async function using(created: Promise<KernelPool>, use: (pool: KernelPool) => unknown): Promise<void> {
  const pool = await created;
  try {
    await use(pool);
  } finally {
    await pool.dispose();
  }
}
