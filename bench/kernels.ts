import { cpus } from 'node:os';
import type { AdamwPart } from '../packages/onnx-grad/src/kernels/pool.node.ts';
import { KernelPool } from '../packages/onnx-grad/src/kernels/pool.node.ts';
import { RowSet } from '../packages/onnx-grad/src/kernels/rows.ts';

/**
 * Speed of the optimizer's kernels on MiniLM's size (22.7M parameters in 200 tensors) and on a table of DeBERTa's
 * (128,100 x 384). Prints one JSON line per case: median and best of `ROUNDS` in milliseconds, cases interleaved.
 * Run: npx node bench/kernels.ts [threads]
 */

const ROUNDS = 21;
const PARAMETERS = 22_713_600;
const TENSORS = 200;

const pool = await KernelPool.create(process.argv[2] ? { threads: Number(process.argv[2]) } : {});
const length = PARAMETERS / TENSORS;
const dense = pool.allocate(Array(TENSORS).fill({ lengths: [length, length, length, length] })).map(toPart);
const [whole] = pool.allocate([{ lengths: Array(4).fill(PARAMETERS) }]).map(toPart);
const [mask] = pool.allocate([{ lengths: [PARAMETERS] }])[0]!;

const rows = new RowSet(128_100, 384);
const [tableGroup] = pool.allocate([
  { lengths: [...Array(4).fill(rows.rowCount * rows.rowLength), 4096 * rows.rowLength] },
]);
const table: AdamwPart = { ...toPart(tableGroup!), rows };
const tokenGradient = tableGroup![4]!;
const ids = Int32Array.from({ length: 4096 }, (_, t) => (t * 7919) % 1500); // 1,500 distinct tokens of a batch

for (const { gradient } of [...dense, whole!, table]) gradient.data.fill(1e-3);
for (const { parameter } of [...dense, whole!, table]) parameter.data.fill(1); // zero pages would be read from cache
let step = 0;

const cases: Record<string, { bytes: number; run: () => unknown }> = {
  'adamw + clip, 200 tensors': { bytes: PARAMETERS * 32, run: () => update(dense) },
  'adamw + clip, 1 tensor': { bytes: PARAMETERS * 32, run: () => update([whole!]) },
  sumSquares: { bytes: PARAMETERS * 4, run: () => pool.sumSquares(dense.map((part) => part.gradient)) },
  scaleAdd: {
    bytes: PARAMETERS * 12,
    run: () =>
      pool.scaleAdd(
        dense.map(({ firstMoment, gradient }) => ({ target: firstMoment, source: gradient })),
        1e-9,
      ),
  },
  fillZero: { bytes: PARAMETERS * 4, run: () => pool.fillZero([mask!]) },
  'dropoutMasks, 22.7M elements': {
    bytes: PARAMETERS * 4,
    run: () => pool.dropoutMasks([{ buffer: mask!, length: PARAMETERS, probability: 0.1, site: 0 }], { seed: 1, step }),
  },
  'table 128,100 x 384: scatter, clip, adamw, clear by rows': {
    bytes: 0,
    run: () => {
      pool.scatterAddRows(table.gradient, rows, tokenGradient, ids);
      pool.sumSquares([{ buffer: table.gradient, rows }]);
      pool.adamw([table], { step });
      pool.fillZero([{ buffer: table.gradient, rows }]);
      rows.settle();
    },
  },
  'table 128,100 x 384: clip, adamw, clear as a whole': {
    bytes: 0,
    run: () => {
      const { rows: _, ...part } = table;
      update([part]);
      pool.fillZero([part.gradient]);
    },
  },
  'nothing to do: 200 tensors of 16': {
    bytes: 0,
    run: () => pool.sumSquares(dense.map(({ gradient }) => ({ ...gradient, length: 16 }))),
  },
};

const times = Object.fromEntries(Object.keys(cases).map((name) => [name, [] as number[]]));
for (let round = 0; round < ROUNDS; round++) {
  step++;
  for (const [name, { run }] of Object.entries(cases)) {
    const start = performance.now();
    run();
    times[name]!.push(performance.now() - start);
  }
}
for (const [name, { bytes }] of Object.entries(cases)) {
  const sorted = times[name]!.slice(1).sort((a, b) => a - b); // the first round warms up
  const medianMs = sorted[sorted.length >> 1]!;
  const row = {
    case: name,
    threads: pool.threads,
    cpu: cpus()[0]!.model,
    medianMs: round(medianMs),
    bestMs: round(sorted[0]!),
  };
  console.log(JSON.stringify(bytes === 0 ? row : { ...row, gigabytesPerSecond: round(bytes / medianMs / 1e6) }));
}
await pool.dispose();

function toPart(buffers: readonly unknown[]): AdamwPart {
  const [parameter, gradient, firstMoment, secondMoment] = buffers as AdamwPart['parameter'][];
  const arrays = { parameter: parameter!, gradient: gradient!, firstMoment: firstMoment!, secondMoment: secondMoment! };
  return { ...arrays, learningRate: 1e-5, weightDecay: 0.01 };
}

function update(parts: readonly AdamwPart[]): void {
  const norm = Math.sqrt(pool.sumSquares(parts.map((part) => part.gradient)));
  pool.adamw(parts, { step, gradientScale: Math.min(1, 1 / norm) });
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
