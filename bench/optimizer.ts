/**
 * `npm run bench -- optimizer`: what follows the backward pass, clipping to a global norm and AdamW, over MiniLM's
 * parameters. Ours has the word table as a trainer does, by the rows that a batch read, and once as a whole like the
 * peer, which is PyTorch's clip_grad_norm_ and fused AdamW.
 */
import os from 'node:os';
import { parseArgs } from 'node:util';
import { buildModel } from '@harmaug/models';
import { type AdamwPart, KernelPool } from '../packages/onnx-grad/src/kernels/pool.node.ts';
import { RowSet } from '../packages/onnx-grad/src/kernels/rows.ts';
import { describeMachine, makeRow, type Report, type Row } from './report.ts';
import { median, type Side, takeTurns, timed, WARM_UP } from './rounds.ts';
import { startTrainPeer } from './train/peer.ts';

const MINILM = { family: 'bert', hidden: 384, layers: 6, heads: 12, intermediate: 1536, vocab: 30_522 } as const;
const CASE = { ...MINILM, batch: 16, length: 128, dropout: 0 } as const;
const TOKENS = CASE.batch * CASE.length;
const STEPS_PER_TURN = 5;

export async function runOptimizer(argv: readonly string[]): Promise<Report> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      json: { type: 'boolean' }, // main.ts's
      rounds: { type: 'string', default: '5' },
      threads: { type: 'string', default: String(os.availableParallelism()) },
    },
  });
  const threads = Number(values.threads);
  const peer = await startTrainPeer(threads);
  const pool = await KernelPool.create({ threads });
  try {
    await peer?.openFixed({ ...CASE, threads });
    const [byRows, whole, theirs]: number[][] = [[], [], []];
    const side =
      (into: number[], step: () => void): Side =>
      async (round) => {
        for (let n = 0; n < STEPS_PER_TURN; n++) {
          const { ms } = await timed(async () => step());
          if (round !== WARM_UP) into.push(ms);
        }
      };
    const sides = [side(byRows!, optimizer(pool, { byRows: true })), side(whole!, optimizer(pool, { byRows: false }))];
    if (peer) {
      sides.push(async (round) => {
        const ms = await peer.optimizerSteps(STEPS_PER_TURN);
        if (round !== WARM_UP) theirs!.push(...ms);
      });
    }
    await takeTurns(sides, Number(values.rounds));
    const row = (name: string, ours: number[]): Row =>
      makeRow({
        case: name,
        metric: 'step',
        unit: 'ms',
        ours: median(ours),
        peers: peer ? { 'torch fused': median(theirs!) } : {},
        better: 'lower',
        details: {},
      });
    return {
      bench: 'optimizer',
      machine: describeMachine(threads, peer?.versions ?? {}),
      rows: [row('optimizer minilm', byRows!), row('optimizer minilm, table as a whole', whole!)],
    };
  } finally {
    await pool.dispose();
    await peer?.end();
  }
}

/** One update of MiniLM's parameters in place, as the CPU trainer does it after a backward pass. */
function optimizer(pool: KernelPool, { byRows }: { byRows: boolean }): () => void {
  const json = {
    model_type: 'bert',
    hidden_size: MINILM.hidden,
    num_hidden_layers: MINILM.layers,
    num_attention_heads: MINILM.heads,
    intermediate_size: MINILM.intermediate,
    vocab_size: MINILM.vocab,
  };
  const { scope } = buildModel(json, { head: 'sequence-classification' });
  const tables: { gradient: AdamwPart['gradient']; rows: RowSet; found: AdamwPart['gradient'] }[] = [];
  const parts = [...scope.parameters.values()].map(({ name, shape }): AdamwPart => {
    const length = shape.reduce((a, b) => a * b, 1);
    const isTable = byRows && name.endsWith('word_embeddings.weight');
    const lengths = [length, length, length, length, ...(isTable ? [TOKENS * shape[1]!] : [])];
    const [parameter, gradient, firstMoment, secondMoment, found] = pool.allocate([{ lengths }])[0]!;
    parameter!.data.fill(1); // a page that was never written would be read from cache
    if (!isTable) gradient!.data.fill(1e-3);
    const rows = isTable ? new RowSet(shape[0]!, shape[1]!) : undefined;
    if (rows) tables.push({ gradient: gradient!, rows, found: found! });
    const arrays = {
      parameter: parameter!,
      gradient: gradient!,
      firstMoment: firstMoment!,
      secondMoment: secondMoment!,
    };
    return { ...arrays, learningRate: 3e-5, weightDecay: shape.length > 1 ? 0.1 : 0, ...(rows ? { rows } : {}) };
  });
  const ids = BigInt64Array.from({ length: TOKENS }, (_, token) => BigInt((token * 7919) % 1500));
  let step = 0;
  return () => {
    for (const { gradient, rows, found } of tables) pool.scatterAddRows(gradient, rows, found, ids);
    const operands = parts.map(({ gradient, rows }) => (rows ? { buffer: gradient, rows } : gradient));
    const norm = Math.sqrt(pool.sumSquares(operands));
    pool.adamw(parts, { step: ++step, gradientScale: Math.min(1, 1 / norm) });
    pool.fillZero(operands.filter((operand) => 'rows' in operand));
    for (const { rows } of tables) rows.settle();
  };
}
