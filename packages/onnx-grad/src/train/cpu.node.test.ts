import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { ConfigError, ShapeError } from '../errors.ts';
import { runGraph } from '../graph/gradient-check.testing.node.ts';
import * as ops from '../graph/ops.ts';
import { createGraph } from '../graph/table.ts';
import { createCpuTrainer } from './cpu.node.ts';
import { countedLabels } from './losses.ts';
import { type Batch, planGradients, type TrainingProgram } from './program.ts';
import { DivergedError } from './state.ts';
import { PADDING_ID, rowsFrom, tinyBatch, tinyProgram } from './tiny-program.testing.node.ts';
import type { Trainer, TrainerOptions, TrainerState } from './trainer.ts';

const opened: Trainer[] = [];
afterEach(async () => {
  for (const trainer of opened.splice(0)) await trainer.dispose();
});

async function open(program: TrainingProgram, options: Partial<TrainerOptions> = {}): Promise<Trainer> {
  const trainer = await createCpuTrainer(program, { learningRate: 0.01, threads: 1, ...options });
  opened.push(trainer);
  return trainer;
}

async function lossesOf(trainer: Trainer, steps: readonly (Batch | readonly Batch[])[]): Promise<number[]> {
  const losses: number[] = [];
  for (const batches of steps) losses.push((await trainer.step(batches)).loss);
  return losses;
}

/** The gradients of a first step, unclipped: ten times the first moments, (1 - β₁)·g. */
async function gradientsOf(program: TrainingProgram, batches: Batch | readonly Batch[], options = {}) {
  const trainer = await open(program, { clipNorm: null, ...options });
  const { loss, gradNorm } = await trainer.step(batches);
  const { firstMoments } = await trainer.state();
  return { loss, gradNorm, gradients: new Map([...firstMoments].map(([name, m]) => [name, m.map((x) => 10 * x)])) };
}

type Arrays = ReadonlyMap<string, Float32Array>;

/** The largest difference between arrays of the same names, relative to the largest number of each. */
function distance(found: Arrays, expected: Arrays): number {
  expect([...found.keys()]).toEqual([...expected.keys()]);
  const differences = [...expected].map(([name, values]) => {
    const largest = Math.max(...values.map(Math.abs));
    return Math.max(...found.get(name)!.map((value, i) => Math.abs(value - values[i]!))) / largest;
  });
  return Math.max(...differences);
}

const ROUNDING = 2e-6;

describe('accumulation', () => {
  const whole = tinyBatch({ rows: 8, length: 12 });
  const parts = [rowsFrom(whole, 0, 5), rowsFrom(whole, 5, 6), rowsFrom(whole, 6, 8)];

  it('over batches of unequal size is one batch of all rows, look-ups included', async () => {
    const program = tinyProgram();
    const [once, split] = [await gradientsOf(program, whole), await gradientsOf(program, parts)];
    expect(split.loss).toBeCloseTo(once.loss, 6);
    expect(split.gradNorm).toBeCloseTo(once.gradNorm, 6);
    expect(distance(split.gradients, once.gradients)).toBeLessThan(ROUNDING);
    expect(once.gradients.get('table')!.some((value) => value !== 0)).toBe(true);
  });

  it('happens by itself where a batch is larger than maxTokens', async () => {
    const program = tinyProgram();
    const once = await gradientsOf(program, whole);
    const cut = await gradientsOf(program, whole, { maxTokens: 3 * 12 });
    expect(cut.loss).not.toBe(once.loss); // another order of additions
    expect(distance(cut.gradients, once.gradients)).toBeLessThan(ROUNDING);
  });

  it('takes the same steps over many steps', async () => {
    const [once, split] = [await open(tinyProgram()), await open(tinyProgram())];
    for (let step = 0; step < 5; step++) {
      const batch = tinyBatch({ rows: 8, length: 12, seed: step });
      const [a, b] = [
        await once.step(batch),
        await split.step([0, 1, 2, 3].map((i) => rowsFrom(batch, 2 * i, 2 * i + 2))),
      ];
      expect(b.loss).toBeCloseTo(a.loss, 5);
    }
    expect(distance(await split.parameters(), await once.parameters())).toBeLessThan(1e-4);
  });

  it('of losses over tokens weighs by the labels that count, where the program says so', async () => {
    const program = tinyProgram({ loss: 'tokens' });
    const tokens = tinyBatch({ rows: 8, length: 12, leftOut: 5, loss: 'tokens' });
    (tokens.labels!.data as BigInt64Array).fill(-100n, 0, 3 * 12); // a part without any
    (tokens.labels!.data as BigInt64Array).fill(1n, 7 * 12); // and one with many
    const list = [rowsFrom(tokens, 0, 3), rowsFrom(tokens, 3, 7), rowsFrom(tokens, 7, 8)];
    const once = await gradientsOf(program, tokens);
    const counted = await gradientsOf({ ...program, countTerms: countedLabels('labels') }, list);
    expect(counted.loss).toBeCloseTo(once.loss, 6);
    expect(distance(counted.gradients, once.gradients)).toBeLessThan(ROUNDING);
    const byRows = await gradientsOf(program, list.slice(1));
    expect(Math.abs(byRows.loss - once.loss)).toBeGreaterThan(1e-3); // the limit that countTerms is for
  });
});

describe('the gradient of a table by the rows that were read', () => {
  const padded = tinyBatch({ rows: 3, length: 1400, seed: 4 }); // 4200 tokens: more than one piece
  const ids = padded.ids!.data as BigInt64Array;
  ids[1] = -1n; // Gather counts from the end of the table
  ids[4199] = -1n;

  it.each<[string, Batch | readonly Batch[]]>([
    ['in one piece', tinyBatch({ rows: 4, length: 20 })],
    ['in several pieces', padded],
    ['over several batches', [padded, tinyBatch({ rows: 2, length: 9 }), tinyBatch({ rows: 5, length: 3, seed: 8 })]],
  ])('is that of the whole table, %s', async (_, batches) => {
    const [program, dense] = [tinyProgram(), tinyProgram({ isDense: true })];
    const lookups = [program, dense].map((of) => planGradients(of, { byRows: true })[0]!.lookup);
    expect(lookups).toEqual([expect.objectContaining({ paddingId: PADDING_ID }), null]);
    const options = { maxTokens: 1_000_000 };
    const [found, expected] = [
      await gradientsOf(program, batches, options),
      await gradientsOf(dense, batches, options),
    ];
    expect(distance(found.gradients, expected.gradients)).toBeLessThan(10 * ROUNDING); // thousands of terms in another order
    expect(found.gradNorm).toBeCloseTo(expected.gradNorm, 5);
    const table = expected.gradients.get('table')!;
    expect(table.subarray(0, 6).every((value) => value === 0)).toBe(true); // padding
    expect(table.subarray(6, 12).some((value) => value !== 0)).toBe(true); // an id met again and again
  });

  it('gives the parameters of the whole table, step after step', async () => {
    const [byRows, dense] = [await open(tinyProgram()), await open(tinyProgram({ isDense: true }))];
    for (let step = 0; step < 6; step++) {
      const batch = tinyBatch({ rows: 3, length: 10, seed: step });
      await byRows.step(batch);
      await dense.step(batch);
    }
    expect(distance(await byRows.parameters(), await dense.parameters())).toBeLessThan(1e-4);
  });
});

describe('the update', () => {
  const batch = tinyBatch({ rows: 4, length: 10 });

  it('scales gradients down to the norm to clip at, and tells the norm before', async () => {
    const free = await gradientsOf(tinyProgram(), batch);
    const clipNorm = free.gradNorm / 4;
    const clipped = await gradientsOf(tinyProgram(), batch, { clipNorm });
    expect(clipped.gradNorm).toBe(free.gradNorm);
    const factor = clipNorm / (free.gradNorm + 1e-6); // torch.nn.utils.clip_grad_norm_
    const expected = new Map([...free.gradients].map(([name, values]) => [name, values.map((x) => x * factor)]));
    expect(distance(clipped.gradients, expected)).toBeLessThan(ROUNDING);
    const large = await gradientsOf(tinyProgram(), batch, { clipNorm: free.gradNorm * 1.01 });
    expect(large.gradients).toEqual(free.gradients);
  });

  it('clips at 1 where nothing else is said', async () => {
    const program = tinyProgram();
    const parameters = program.parameters.map((of) => ({ ...of, initial: of.initial.map((x) => 4 * x) }));
    const steep = { ...program, parameters };
    const free = await gradientsOf(steep, batch);
    expect(free.gradNorm).toBeGreaterThan(1);
    const clipped = await gradientsOf(steep, batch, { clipNorm: undefined });
    const norm = Math.hypot(...[...clipped.gradients.values()].flatMap((values) => [...values]));
    expect(norm).toBeCloseTo(1, 4);
  });

  it('decays the parameters that have a decay, and those alone', async () => {
    const [learningRate, weightDecay] = [0.1, 0.5];
    const decayed = await open(tinyProgram({ weightDecay }), { learningRate });
    const plain = await open(tinyProgram(), { learningRate });
    for (const trainer of [decayed, plain]) await trainer.step(batch);
    const [found, without] = [await decayed.parameters(), await plain.parameters()];
    for (const { name, initial, value } of tinyProgram().parameters) {
      const rate = value.dims.length > 1 ? learningRate * weightDecay : 0; // not of the bias
      const expected = without.get(name)!.map((x, i) => x - rate * initial[i]!);
      expect(Math.max(...found.get(name)!.map((x, i) => Math.abs(x - expected[i]!)))).toBeLessThan(ROUNDING);
    }
  });

  it('moves by the learning rate at every step where the gradient stays the same, from the first on', async () => {
    const graph = createGraph();
    const value = graph.input('w', 'float32', []);
    const x = graph.input('x', 'float32', ['batch']);
    const loss = ops.mul(value, ops.reduceMean(x, { axes: [0] }));
    const trainer = await open({
      graph,
      loss,
      parameters: [{ name: 'w', value, initial: Float32Array.of(1), weightDecay: 0 }],
    });
    const found: number[] = [];
    for (let step = 0; step < 4; step++) {
      await trainer.step({ x: { dtype: 'float32', dims: [1], data: Float32Array.of(0.5) } });
      found.push((await trainer.parameters()).get('w')![0]!);
    }
    for (const [step, w] of found.entries()) expect(w).toBeCloseTo(1 - 0.01 * (step + 1), 6);
  });

  it('takes the rate of its step, counted from 0', async () => {
    const trainer = await open(tinyProgram(), { learningRate: (step) => (step === 1 ? 0 : 0.01) });
    const start = await trainer.parameters();
    await trainer.step(batch);
    const first = await trainer.parameters();
    expect(distance(first, start)).toBeGreaterThan(1e-3);
    expect(await trainer.step(batch)).toMatchObject({ step: 2, learningRate: 0 });
    expect(await trainer.parameters()).toEqual(first);
  });
});

describe('dropout', () => {
  const batches = [10, 4, 17, 3, 12].map((length, seed) => tinyBatch({ rows: 3, length, seed }));

  it('is drawn from the seed', async () => {
    const program = tinyProgram({ dropout: 0.3 });
    const [losses, same, other] = await Promise.all(
      [1, 1, 2].map(async (seed) => lossesOf(await open(program, { seed }), batches)),
    );
    expect(same).toEqual(losses);
    for (const [i, loss] of other!.entries()) expect(loss).not.toBe(losses![i]);
    const off = await lossesOf(await open(tinyProgram(), { seed: 1 }), batches);
    expect(off[0]).not.toBe(losses![0]);
  });

  it('differs from step to step, and between the parts of one', async () => {
    const program = tinyProgram({ dropout: 0.3 });
    const trainer = await open(program, { learningRate: 0 });
    const [first, second] = await lossesOf(trainer, [batches[0]!, batches[0]!]);
    expect(second).not.toBe(first);
    const [twice] = await lossesOf(await open(program, { learningRate: 0 }), [[batches[0]!, batches[0]!]]);
    expect(twice).not.toBeCloseTo(first!, 4);
    expect(2 * twice! - first!).not.toBeCloseTo(second!, 4); // nor has a part the mask of a later step
  });

  it('does not depend on the lengths that came before', async () => {
    const program = tinyProgram({ dropout: 0.3 });
    const last = async (lengths: number[]) => {
      const trainer = await open(program, { learningRate: 0 });
      return (
        await lossesOf(
          trainer,
          lengths.map((length) => tinyBatch({ rows: 3, length })),
        )
      ).at(-1);
    };
    expect(await last([40, 3, 9])).toBe(await last([2, 30, 9]));
  });
});

describe('a run that is broken off', () => {
  it('goes on with the losses of the unbroken one, masks, moments and rates included', async () => {
    const program = tinyProgram({ dropout: 0.2, weightDecay: 0.1 });
    const steps = Array.from({ length: 8 }, (_, seed) => {
      const batch = tinyBatch({ rows: 4, length: 6 + seed, seed });
      return seed % 2 === 0 ? batch : [rowsFrom(batch, 0, 1), rowsFrom(batch, 1, 4)];
    });
    const options = { seed: 3, learningRate: (step: number) => 0.02 / (step + 1) };
    const unbroken = await open(program, options);
    const losses = await lossesOf(unbroken, steps);
    const first = await open(program, options);
    const before = await lossesOf(first, steps.slice(0, 4));
    const resumed = await open(program, { ...options, seed: 99 }); // the state's seed counts
    await resumed.step(steps[7]!);
    await resumed.restore(await first.state());
    expect([...before, ...(await lossesOf(resumed, steps.slice(4)))]).toEqual(losses);
    expect(await resumed.state()).toEqual(await unbroken.state());
  });

  it('has a state of copies', async () => {
    const trainer = await open(tinyProgram());
    const state = await trainer.state();
    const before = structuredClone(state);
    await trainer.step(tinyBatch({ rows: 2, length: 5 }));
    expect(state).toEqual(before);
    expect(state).toMatchObject({ step: 0, seed: 0 });
  });

  type Change = (state: { parameters: Map<string, Float32Array>; secondMoments: Map<string, Float32Array> }) => void;
  it.each<[string, Change, string]>([
    [
      'lacks a parameter',
      ({ parameters }) => parameters.delete('inner'),
      'parameters of "inner": expected 48 numbers, got nothing. The state is of another model.',
    ],
    [
      'has a moment of another size',
      ({ secondMoments }) => secondMoments.set('bias', new Float32Array(3)),
      'secondMoments of "bias": expected 8 numbers, got 3. The state is of another model.',
    ],
    [
      'has a parameter more',
      ({ parameters }) => parameters.set('more', new Float32Array(1)),
      'The state has "more", which the model has not. The state is of another model.',
    ],
  ])('is not restored from a state that %s', async (_, change, message) => {
    const trainer = await open(tinyProgram());
    const state = await trainer.state();
    const wrong = { ...state, parameters: new Map(state.parameters), secondMoments: new Map(state.secondMoments) };
    wrong.parameters.set(
      'table',
      state.parameters.get('table')!.map(() => 9),
    ); // not to be taken over
    change(wrong);
    await expect(trainer.restore(wrong)).rejects.toThrow(new ConfigError(message));
    expect(await trainer.state()).toEqual(state);
  });
});

describe('threads', () => {
  it('do not change the result', async () => {
    const batches = [0, 1, 2].map((seed) => tinyBatch({ rows: 4, length: 30, seed }));
    const run = async (threads: number): Promise<TrainerState> => {
      const trainer = await open(tinyProgram({ dropout: 0.2, weightDecay: 0.1 }), { threads });
      await lossesOf(trainer, batches);
      return trainer.state();
    };
    const alone = await run(1);
    for (const threads of [2, 3]) expect(await run(threads)).toEqual(alone);
  });
});

describe('a predictor', () => {
  it('sees the parameters as they are, without dropout', async () => {
    const { plain, ...program } = tinyProgram({ dropout: 0.3 });
    const trainer = await open(program);
    const predictor = await trainer.predictor(plain.graph, new Map([['logits', plain.logits]]));
    const { labels: _, ...batch } = tinyBatch({ rows: 3, length: 7 });
    const seen: number[][] = [];
    for (let step = 0; step < 3; step++) {
      const { logits } = await predictor.run(batch);
      const parameters = [...(await trainer.parameters())].map(([name, data]) => {
        const { dims } = program.parameters.find((parameter) => parameter.name === name)!.value;
        return [name, { dtype: 'float32', dims: dims as number[], data: [...data] }] as const;
      });
      const ids = { dtype: 'int64', dims: [3, 7], data: Array.from(batch.ids!.data, Number) } as const;
      const expected = await runGraph(
        plain.graph,
        { logits: plain.logits },
        { ...Object.fromEntries(parameters), ids },
      );
      expect(logits!.dims).toEqual([3, 3]);
      for (const [i, value] of expected.logits!.data.entries()) expect(logits!.data[i]).toBeCloseTo(value, 5);
      seen.push([...logits!.data]);
      await trainer.step(tinyBatch({ rows: 3, length: 7 }));
    }
    expect(new Set(seen.map(String)).size).toBe(3);
    await expect(predictor.run({})).rejects.toThrow(new ConfigError('The batch has no "ids" (int64, batch x length).'));
    await predictor.dispose();
  });
});

describe('a step that fails', () => {
  const good = [0, 1].map((seed) => tinyBatch({ rows: 3, length: 8, seed }));
  const nothing: Batch = {
    ...tinyBatch({ rows: 3, length: 8, seed: 5 }),
    labels: { dtype: 'int64', dims: [3], data: BigInt64Array.of(-100n, -100n, -100n) },
  };
  const beyond: Batch = { ...good[0]!, ids: { dtype: 'int64', dims: [3, 8], data: new BigInt64Array(24).fill(1100n) } };

  it.each<[string, Batch | readonly Batch[], new (...args: never[]) => Error]>([
    ['diverges', nothing, DivergedError],
    ['diverges in its second batch', [good[1]!, nothing], DivergedError],
    ['reads beyond the table in its second batch', [good[1]!, beyond], Error],
    ['lacks an input', { ids: good[0]!.ids! }, ConfigError],
    ['has no batch', [], ConfigError],
  ])('because it %s leaves the trainer at the step before', async (_, batches, kind) => {
    const [undisturbed, trainer] = [await open(tinyProgram()), await open(tinyProgram())];
    for (const either of [undisturbed, trainer]) await either.step(good[0]!);
    const before = await trainer.state();
    await expect(trainer.step(batches)).rejects.toThrow(kind);
    expect(await trainer.state()).toEqual(before);
    expect(await trainer.step(good[1]!)).toEqual(await undisturbed.step(good[1]!));
    expect(await trainer.state()).toEqual(await undisturbed.state());
  });

  it('tells what diverged and what to do', async () => {
    const trainer = await open(tinyProgram());
    await trainer.step(good[0]!);
    await expect(trainer.step(nothing)).rejects.toThrow(
      /^Training diverged at step 1: loss NaN, gradient norm NaN\. The parameters are those of the step before\./,
    );
  });

  it('because its rate is none leaves the trainer as well', async () => {
    const trainer = await open(tinyProgram(), { learningRate: () => Number.NaN });
    const before = await trainer.state();
    await expect(trainer.step(good[0]!)).rejects.toThrow('learningRate of step 0: expected a number from 0, got NaN.');
    expect(await trainer.state()).toEqual(before);
  });
});

describe('workers', () => {
  /** The worker threads that `use` starts. */
  async function workersOf(use: () => Promise<unknown>): Promise<Worker[]> {
    const workers: Worker[] = [];
    const note = (message: unknown) => workers.push((message as { worker: Worker }).worker);
    subscribe('worker_threads', note);
    await use().finally(() => unsubscribe('worker_threads', note));
    return workers;
  }
  const isAlive = ({ threadId }: Worker) => threadId !== -1;

  it('end with the trainer', async () => {
    let trainer: Trainer | undefined;
    const workers = await workersOf(async () => {
      trainer = await createCpuTrainer(tinyProgram(), { learningRate: 0.1, threads: 3 });
    });
    expect(workers.map(isAlive)).toEqual([true, true]);
    await trainer!.dispose();
    expect(workers.some(isAlive)).toBe(false);
  });

  it('are none where a trainer cannot be made', async () => {
    const { parameters, ...program } = tinyProgram();
    const wrong = parameters.map((parameter) => ({ ...parameter, initial: new Float32Array(1) }));
    const workers = await workersOf(async () => {
      await expect(createCpuTrainer({ ...program, parameters: wrong }, { learningRate: 1 })).rejects.toThrow(
        ConfigError,
      );
      await expect(createCpuTrainer({ ...program, parameters }, { learningRate: -1 })).rejects.toThrow(ConfigError);
      const loss = program.plain.logits;
      await expect(createCpuTrainer({ ...program, parameters, loss }, { learningRate: 1 })).rejects.toThrow(ShapeError);
    });
    expect(workers.filter(isAlive)).toEqual([]);
  });
});
