import { expect, test } from 'vitest';
import type { Ours } from './ours/train.ts';
import { PeerProcess } from './peers/process.ts';
import { Progress, takeTurns } from './rounds.ts';
import { batchesOf, type TrainOptions } from './train/measure.ts';
import type { TrainPeer } from './train/peer.ts';
import { spread } from './train/spread.ts';
import { benchTrain } from './train.ts';

const options: TrainOptions = {
  cases: '',
  rounds: 2,
  threads: 2,
  epoch: false,
  minilm: '/weights',
  data: '/prompts.jsonl',
};

/** Ours does nothing, in next to no time, and counts. */
function fakeOurs() {
  const counts = { opened: 0, disposed: 0, steps: 0 };
  const dispose = async () => void counts.disposed++;
  const ours: Ours = {
    async openFixed() {
      counts.opened++;
      return { parameters: 7, flops: 1e9, step: async () => void counts.steps++, dispose };
    },
    async openReal(_, limit) {
      counts.opened++;
      const train = async (index: number) => ({ samples: 32, loss: index });
      return { parameters: 7, batches: limit ?? 10, computedPerReal: 1.1, train, dispose };
    },
  };
  return { ours, counts };
}

/** A peer that reports 500 ms a step, 250 under autocast; 2 s a batch of 32, 1 s under autocast. */
function fakePeer(parameters = 7): TrainPeer {
  return {
    name: 'transformers',
    versions: { torch: '2' },
    minilm: null,
    openFixed: async () => ({ parameters }),
    steps: async (n, autocast) => Array(n).fill(autocast ? 250 : 500),
    optimizerSteps: async (n) => Array(n).fill(30),
    openReal: async (_real, grouped, limit) => ({
      parameters,
      batches: limit ?? 12,
      computedPerReal: grouped ? 1.1 : 6.4,
    }),
    batches: async (indices, autocast) => ({
      ms: indices.map(() => (autocast ? 1000 : 2000)),
      samples: indices.map(() => 32),
      loss: indices.map(() => 0.5),
    }),
    close: async () => {},
    end: async () => {},
  };
}

const run = (changes: Partial<TrainOptions>, peer: TrainPeer | null, ours = fakeOurs().ours) =>
  benchTrain(
    { ...options, ...changes },
    { ours, peer, measureGemm: async () => 200, pauseMs: 0, stderr: { write: () => true } },
  );

test('prints every row, in float32 and beside the peer in bfloat16', async () => {
  const { ours, counts } = fakeOurs();
  const { bench, machine, rows } = await run({}, fakePeer(), ours);
  expect(bench).toBe('train');
  expect(machine).toMatchObject({ threads: 2, versions: { torch: '2' } });
  const shapes = ['minilm 16x128', 'minilm 4x512', 'deberta-v3-xsmall 16x128', 'deberta-v3-xsmall 4x512'];
  const cases = [
    ...shapes.map((shape) => `fixed ${shape}`),
    ...shapes.map((shape) => `fixed ${shape} nodropout`),
    ...shapes.map((shape) => `fixed ${shape} nodropout int8`),
    ...['fixed roberta-base 4x256', 'fixed ettin-17m 16x128', 'fixed ettin-17m 4x512'],
    'real usual',
    'real grouped',
  ];
  const named = rows.map((row) => row.case).filter((name) => !name.startsWith('scaling'));
  expect(named).toEqual(['gemm 2048x384x1536', ...cases.flatMap((name) => [name, `${name} bf16`])]);
  const peerOf = (name: string) => rows.find((row) => row.case === name)?.peers.transformers;
  expect(peerOf('fixed minilm 16x128')).toBe(500);
  expect(peerOf('fixed minilm 16x128 bf16')).toBe(250);
  expect(peerOf('real usual')).toBe(16);
  expect(peerOf('real grouped bf16')).toBe(32);
  expect(counts.disposed).toBe(counts.opened);
});

test('ratio is over 1 where ours is ahead, in milliseconds and in samples per second', async () => {
  const { rows } = await run({ cases: 'fixed minilm 16x128' }, fakePeer());
  for (const row of rows.slice(1)) expect(row.ratio).toBeCloseTo(row.peers.transformers! / row.ours);
  const real = await run({ cases: 'real grouped' }, fakePeer());
  for (const row of real.rows.slice(1)) expect(row.ratio).toBeCloseTo(row.ours / row.peers.transformers!);
});

test('the bf16 row shows the figure of ours that its float32 row shows', async () => {
  const [, float32, bf16] = (await run({ cases: 'fixed minilm 4x512' }, fakePeer())).rows;
  expect(bf16!.case).toBe('fixed minilm 4x512 bf16');
  expect(bf16!.ours).toBe(float32!.ours);
});

test('the int8 row has ours in float32 beside it', async () => {
  const { ours } = fakeOurs();
  const opened: (string | undefined)[] = [];
  const openFixed: Ours['openFixed'] = (fixed) => {
    opened.push(fixed.precision);
    return ours.openFixed(fixed);
  };
  const { rows } = await run({ cases: 'fixed minilm 4x512 nodropout int8' }, fakePeer(), { ...ours, openFixed });
  expect(opened).toEqual(['int8', 'float32']);
  expect(rows[1]!.details.timesFloat32).toBeCloseTo(rows[1]!.details.float32Ms! / rows[1]!.ours);
});

test('without a peer the rows of ours remain, with no ratio', async () => {
  const { rows } = await run({ cases: 'minilm' }, null);
  expect(rows.map((row) => row.case)).toContain('scaling minilm 1x2048');
  expect(rows.every((row) => row.ratio === null)).toBe(true);
  expect(rows.some((row) => row.case.endsWith('bf16'))).toBe(false);
});

test('leaves the real rows out where weights or prompts are missing', async () => {
  const { rows } = await run({ data: undefined }, fakePeer());
  expect(rows.some((row) => row.case.startsWith('real'))).toBe(false);
});

test('a whole epoch trains each batch once and compares the losses', async () => {
  const { rows } = await run({ cases: 'real grouped', epoch: true }, fakePeer());
  expect(rows[1]!.details).toMatchObject({ epochLoss: 4.5, peerEpochLoss: 0.5 });
  expect(rows).toHaveLength(2);
});

test('refuses to compare models of different size', async () => {
  for (const cases of ['minilm', 'real']) {
    await expect(run({ cases }, fakePeer(8))).rejects.toThrow('The models differ: ours has 7 parameters');
  }
});

test('sides take turns, and who goes first changes', async () => {
  const turns: string[] = [];
  const side = (name: string) => async (round: number) => void turns.push(`${name}${round}`);
  await takeTurns([side('a'), side('b')], 2, { pauseMs: 0 });
  expect(turns).toEqual(['a-1', 'b-1', 'b0', 'a0', 'a1', 'b1']);
});

test('progress says what runs, once each, and the time left', () => {
  const lines: string[] = [];
  const progress = new Progress(4, { write: (line) => lines.push(line) });
  for (const label of ['a', 'a', 'b']) progress.advance(1, label);
  progress.finish();
  expect(lines).toEqual(['a, under a minute left\n', 'b, under a minute left\n']);
});

test('the rounds share the batches out, each once', () => {
  for (const epoch of [false, true]) {
    const all = [0, 1, 2].flatMap((round) => batchesOf(round, 10, 3, epoch));
    expect(all.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  }
  expect(batchesOf(1, 10, 3, true)).toEqual([3, 4, 5]);
});

test('a few batches stand for an epoch, from its cheap ones to its dear ones', () => {
  expect(spread([50, 10, 40, 20, 30, 60], 3)).toEqual([3, 2, 5]);
});

test('a peer answers line by line, reports its error, and its end is an error too', async () => {
  const script = `require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const { cmd } = JSON.parse(line);
    if (cmd === 'leave') process.exit();
    console.log(JSON.stringify(cmd === 'fail' ? { error: 'no memory' } : { cmd }));
  });`;
  const peer = new PeerProcess(process.execPath, ['-e', script]);
  expect(await peer.ask({ cmd: 'hello' })).toEqual({ cmd: 'hello' });
  await expect(peer.ask({ cmd: 'fail' })).rejects.toThrow('The peer failed at "fail": no memory');
  await expect(peer.ask({ cmd: 'leave' })).rejects.toThrow('The peer ended during "leave"');
  await peer.end();
});
