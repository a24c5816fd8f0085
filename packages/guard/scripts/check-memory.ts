/**
 * Whether a large guard in 8 bits loads and answers in Node within the memory it was promised: DeBERTa-v3-large's shape, 435M
 * parameters, weights from a seed. `npm run check:memory`: fails where it takes more.
 *
 * It is written and exported in one process, loaded and asked in another, whose peak is its own.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { Guard } from '../src/index.node.ts';
import { writeSeededGuard } from './seeded-guard.ts';

const MOST_MB = 1200;
const SENTENCE = 'The garden is lovely in spring and we often sit there with a cup of tea to read. ';
const WORDS = 'The garden is lovely';
const LONGEST = SENTENCE.repeat(60); // three windows, two of them of 512 tokens, and sentences

interface Asked {
  readonly loadMs: number;
  readonly promptMs: number;
  readonly windowMs: number;
  readonly loadedMb: number;
  readonly peakMb: number;
}

const [step, folder] = process.argv.slice(2) as [string?, string?];
if (step === undefined) await check();
else
  process.stdout.write(
    JSON.stringify(step === 'write' ? await writeSeededGuard(folder!, 'large') : await ask(folder!)),
  );

async function check(): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'harmaug-memory-'));
  try {
    const parameters = Number(await inProcess('write', folder));
    const { size: bytes } = await stat(path.join(folder, 'onnx', 'model_quantized.onnx'));
    const { loadMs, promptMs, windowMs, loadedMb, peakMb }: Asked = JSON.parse(await inProcess('ask', folder));
    process.stdout.write(`${cpus()[0]!.model}, ${cpus().length} cores, Node ${process.version}\n`);
    console.table([
      {
        shape: 'DeBERTa-v3-large, int8',
        'parameters (M)': (parameters / 1e6).toFixed(1),
        'file (MB)': Math.round(bytes / 1e6),
        'load (s)': (loadMs / 1000).toFixed(1),
        'a prompt (ms)': Math.round(promptMs),
        'long text (s)': (windowMs / 1000).toFixed(1),
        'loaded (MB)': Math.round(loadedMb),
        'peak (MB)': Math.round(peakMb),
        'at most': MOST_MB,
      },
    ]);
    if (!(peakMb <= MOST_MB)) process.exitCode = 1;
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function inProcess(...argv: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [...process.execArgv, import.meta.filename, ...argv]);
  return stdout;
}

async function ask(folder: string): Promise<Asked> {
  const timed = async (run: () => Promise<unknown>): Promise<number> => {
    const startMs = performance.now();
    await run();
    return performance.now() - startMs;
  };
  const peakMb = (): number => (process.resourceUsage().maxRSS * 1024) / 1e6;
  let guard!: Guard;
  const loadMs = await timed(async () => {
    guard = await Guard.load(folder);
  });
  const loadedMb = peakMb();
  await guard.check({ prompt: WORDS });
  const promptMs = await timed(() => guard.check({ prompt: SENTENCE }));
  const windowMs = await timed(() => guard.check({ prompt: LONGEST }));
  await guard.dispose();
  return { loadMs, promptMs, windowMs, loadedMb, peakMb: peakMb() };
}
