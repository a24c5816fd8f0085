/**
 * What gradient checkpointing saves in memory and costs in time; a note is in docs/experiments.md.
 * `node --conditions=source scripts/measure-recompute.ts`: four models, each in a process of its own.
 */
import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { buildModel, collate, initialize, mulberry32, trainingProgram } from '@harmaug/models';
import { crossEntropy } from 'onnx-grad';
import { createTrainer } from 'onnx-grad/node';
import { debertaV3 } from '../bench/deberta-v3.ts';

const STEPS = 3;
const SEED = 1;

interface Case {
  readonly config: Readonly<Record<string, unknown>>;
  readonly rows: number;
  readonly length: number;
}

const cases: Readonly<Record<string, Case>> = {
  'deberta-v3-xsmall': {
    config: debertaV3.xsmall,
    rows: 4,
    length: 512,
  },
  'MiniLM-L6': {
    config: {
      model_type: 'bert',
      hidden_size: 384,
      num_hidden_layers: 6,
      num_attention_heads: 12,
      intermediate_size: 1536,
      vocab_size: 30_522,
      max_position_embeddings: 512,
    },
    rows: 8,
    length: 512,
  },
};

interface Measured {
  readonly peakBytes: number;
  /** The quickest of the steps after the first. */
  readonly stepMs: number;
  readonly loss: number;
}

const [name, recompute] = process.argv.slice(2);
if (name === undefined) measureAll();
else process.stdout.write(JSON.stringify(await measure(cases[name]!, recompute === 'recompute')));

function measureAll(): void {
  const load = loadavg()[0]!.toFixed(1);
  process.stdout.write(`${cpus()[0]!.model}, ${availableParallelism()} cores, load ${load}, Node ${process.version}\n`);
  const rows = Object.entries(cases).map(([model, { rows, length }]) => {
    const [kept, again] = ['keep', 'recompute'].map((how) => measureApart(model, how)) as [Measured, Measured];
    return {
      model,
      batch: `${rows} x ${length}`,
      'peak, kept (GB)': gigabytes(kept),
      'peak, recomputed (GB)': gigabytes(again),
      memory: (again.peakBytes / kept.peakBytes).toFixed(2),
      time: (again.stepMs / kept.stepMs).toFixed(2),
      'losses differ by': Math.abs(again.loss - kept.loss).toExponential(0),
    };
  });
  console.table(rows);
}

/** In a process of its own, whose peak is this model's. */
function measureApart(model: string, how: string): Measured {
  const args = [...process.execArgv, process.argv[1]!, model, how];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }));
}

async function measure({ config, rows, length }: Case, recompute: boolean): Promise<Measured> {
  const model = buildModel(config, { head: 'sequence-classification', training: true, recompute });
  const { initializerRange, vocabSize } = model.config;
  const weights = new Map(
    [...model.scope.parameters].map(([of, spec]) => [of, initialize(spec, initializerRange, SEED)]),
  );
  const loss = crossEntropy(model.output, model.graph.input('labels', 'int64', ['batch']));
  const trainer = await createTrainer(trainingProgram(model, { loss, weights }), { learningRate: 3e-5, seed: SEED });
  const uniform = mulberry32(SEED);
  const texts = Array.from({ length: rows }, () => {
    const ids = Array.from({ length }, () => 1 + Math.floor(uniform() * (vocabSize - 1)));
    return { ids, typeIds: ids.map(() => 0) };
  });
  const batch = collate(texts, model.config, { labels: texts.map((_, row) => row % 2) });
  const times: number[] = [];
  let last = Number.NaN;
  for (let step = 0; step < STEPS; step++) {
    const start = performance.now();
    last = (await trainer.step(batch)).loss;
    times.push(performance.now() - start);
  }
  await trainer.dispose();
  const peakBytes = process.resourceUsage().maxRSS * 1024; // given in kilobytes
  return { peakBytes, stepMs: Math.min(...times.slice(1)), loss: last };
}

function gigabytes({ peakBytes }: Measured): string {
  return (peakBytes / 1e9).toFixed(2);
}
