/** `npm run bench -- <name> [--json] ...`: measures our engine against its peers. `setup` installs them. */
import { setUpPeers } from './peers/venv.ts';
import { formatReport, type Report } from './report.ts';

interface Bench {
  readonly summary: string;
  readonly run: (argv: readonly string[]) => Promise<Report>;
}

/** Each is loaded only when asked for. */
const benches: Record<string, Bench> = {
  train: {
    summary: `training against transformers on PyTorch
      --cases <text>     only rows whose name contains it         --rounds <n>    5
      --threads <n>      all cores
      --minilm <folder>  weights (or HARMAUG_MINILM; default: the peers')
      --data <jsonl>     prompts (or HARMAUG_TRAIN_DATA; default: ../shared/data/train/prompts.jsonl)
      --epoch            real rows over a whole epoch, losses compared; "real usual" takes hours`,
    run: async (argv) => (await import('./train.ts')).runTrain(argv),
  },
  optimizer: {
    summary: `clipping and AdamW against PyTorch's fused one
      --rounds <n>       5                                        --threads <n>   all cores`,
    run: async (argv) => (await import('./optimizer.ts')).runOptimizer(argv),
  },
  distill: {
    summary: `time to a guard against the usual fine-tuning with transformers
      --cases usual|grouped  one of the rows                      --threads <n>   all cores
      --minilm <folder>  weights (default: the peers')            --data <folder> ../shared/data/train`,
    run: async (argv) => (await import('./distill.ts')).runDistill(argv),
  },
  infer: {
    summary: `checking texts beside transformers, optimum's ONNX Runtime export and transformers.js; an hour for all rows
      --cases <text>     only rows whose name contains it         --rounds <n>    3
      --guard <folder>   in place of MiniLM with a fresh head     --threads <n>   all cores
      --data <folder>    texts (default: ../shared/data/eval)     --peer none     ours alone
      --spm <file>       DeBERTa-v3's spm.model (default: ../shared/data/tokenizers/deberta-v3/spm.model)`,
    run: async (argv) => (await import('./infer.ts')).runInfer(argv),
  },
  serve: {
    summary: `a guard over HTTP beside LitServe with transformers and infinity; an hour for all settings of the peers
      --p99 <ms>         1000, what a rate must keep             --seconds <n>   15, of a trial
      --trials <n>       6, of a search                          --rounds <n>    2
      --guard <folder>   MiniLM's weights (default: the peers')  --data <folder> texts (default: ../shared/data/eval)
      --servers <text>   only peers whose name contains it       --peer none     ours alone`,
    run: async (argv) => (await import('./serve.ts')).runServe(argv),
  },
  scale: {
    summary: `large models and long texts: memory, time, saving and loading
      --cases <text>     only rows whose name contains it`,
    run: async (argv) => (await import('./scale.ts')).runScale(argv),
  },
  rows: {
    summary: `a million texts: near-duplicates, overlap, ledger, export
      --counts <n,n>     100000,1000000                           --peer none     ours alone`,
    run: async (argv) => (await import('./rows.ts')).runRows(argv),
  },
  drive: {
    summary: `calls to a server, how close to the most it could answer, and beside distilabel
      --calls <n>        20000                                    --in-flight <n> 512
      --latency <ms>     200                                      --rounds <n>    1
      --peer none        ours alone`,
    run: async (argv) => (await import('./drive.ts')).runDrive(argv),
  },
};

const usage = [
  'npm run bench -- setup [torch|optimum|serve|node|distilabel|datatrove]   installs the peers into bench/peers (6, 6, 6, 0.5, 0.6, 0.6 GB)',
  'npm run bench -- <name> [--json] ...      prints a table, or one JSON object',
  ...Object.entries(benches).map(([name, { summary }]) => `  ${name}: ${summary}`),
  '',
].join('\n');

/** @returns the exit code: 0 done, 1 failed, 2 wrong use */
async function main([name = '', ...argv]: readonly string[]): Promise<number> {
  const bench = benches[name];
  try {
    if (name === 'setup') {
      setUpPeers(argv[0]);
    } else if (bench) {
      const report = await bench.run(argv);
      process.stdout.write(argv.includes('--json') ? `${JSON.stringify(report, null, 2)}\n` : formatReport(report));
    } else {
      process.stderr.write(name ? `Unknown benchmark "${name}".\n${usage}` : usage);
      return 2;
    }
    return 0;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof TypeError && 'code' in error ? 2 : 1; // parseArgs on an unknown flag
  }
}

process.exitCode = await main(process.argv.slice(2));
