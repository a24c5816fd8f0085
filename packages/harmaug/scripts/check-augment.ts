/**
 * The whole chain as commands on a real, tiny model (stories260K): in this process, and behind llama.cpp's own server. Real
 * calls, though the texts are children's stories. And the Parquet is read by pandas and Hugging Face datasets.
 *
 *   node --conditions=source packages/harmaug/scripts/check-augment.ts [folder to keep]
 *
 * HARMAUG_LLAMA_SERVER names llama-server, else the one in PATH; HARMAUG_STORIES_GGUF the model; HARMAUG_DATA_PYTHON a
 * Python with pandas, pyarrow and datasets. What is missing is said in one line, and the rest is checked.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { harmaug, rowsOf } from '../test/augment/harness.node.ts';
import { storiesFile, storiesTemplate } from '../test/stories.node.ts';

const CONTEXT = 512;
const stages = ['generate', 'respond', 'label'] as const;
const llamaServer = process.env.HARMAUG_LLAMA_SERVER ?? 'llama-server';
const python = process.env.HARMAUG_DATA_PYTHON ?? 'python3';
const keep = process.argv[2];

const model = storiesFile();
if (model === null) {
  process.stderr.write('Not checked: stories260K.gguf is missing (HARMAUG_STORIES_GGUF).\n');
  process.exit(2);
}
const folder = keep ?? mkdtempSync(path.join(tmpdir(), 'harmaug-check-'));
mkdirSync(folder, { recursive: true });
const at = (name: string) => path.join(folder, name);
writeFileSync(at('template.jinja'), storiesTemplate);
writeFileSync(at('seeds.jsonl'), `${JSON.stringify({ prompt: 'How do I prank my sister?', label: 1 })}\n`);
let isRight = true;
let server: ChildProcess | null = null;
try {
  const here = {
    provider: 'llama.cpp',
    model,
    template: 'template.jinja',
    contextSize: CONTEXT,
    threads: 1,
    gpu: false,
  };
  await runChain('in-process', here, null);
  if (spawnSync(llamaServer, ['--version']).status === 0) {
    const port = await freePort();
    server = await startServer(port);
    const behind = {
      provider: 'openai',
      dialect: 'llama.cpp',
      model: 'stories',
      endpoints: [`http://127.0.0.1:${port}/v1`],
    };
    await runChain('behind llama-server', { ...behind, concurrency: 4 }, here);
  } else process.stderr.write('Not checked behind a server: llama-server is missing (HARMAUG_LLAMA_SERVER).\n');
} finally {
  server?.kill();
  if (keep === undefined) rmSync(folder, { recursive: true });
}
process.exitCode = isRight ? 0 : 1;

/** @param judge the guard's model, where it is another one: its prompt has to be put together in this process */
async function runChain(name: string, writer: object, judge: object | null): Promise<void> {
  const recipe = at(`${name}.yaml`);
  const models = { writer, guard: judge ?? writer };
  const topics = ['Animals', 'Weather'].map((topic) => ({
    name: topic,
    description: `a story about ${topic.toLowerCase()}`,
  }));
  const asked = {
    prompts: ['Tell a story about {category}.'],
    exemplars: 0,
    maxTokens: 64,
    stop: ['.'],
    prefix: ' upon a time, there was',
  };
  const sections = {
    models,
    teachers: { main: { family: 'llama-guard-1', model: 'guard' } },
    seed: { files: ['seeds.jsonl'] },
    generate: { model: 'writer', perCategory: 6, categories: topics, ...asked },
    benign: { share: 0.25, ...asked },
    respond: {
      refusal: { model: 'writer', system: 'none', maxTokens: 24 },
      compliant: { model: 'writer', system: 'none', prefix: ' day, a', maxTokens: 24 },
    },
    label: { teacher: 'main' },
    dataset: { name: 'Stories', license: 'mit', language: ['en'] },
  };
  writeFileSync(recipe, stringify(sections));
  const run = at(name.replaceAll(' ', '-'));
  for (const stage of stages) {
    const { exitCode, stdout, stderr } = await harmaug(stage, recipe, '--out', run, '--json');
    if (exitCode !== 0) process.stderr.write(stderr);
    const { kept, wanted, calls, prompt_tokens, completion_tokens } = JSON.parse(stdout || '{"calls":{}}');
    const found = `${kept} of ${wanted} rows, ${calls.made} calls, ${prompt_tokens} + ${completion_tokens} tokens`;
    report(`${name}: ${stage}`, exitCode === 0 && calls.made > 0, found);
  }
  const again = JSON.parse((await harmaug('generate', recipe, '--out', run, '--json')).stdout);
  report(`${name}: again`, again.calls.made === 0, `${again.calls.made} calls made, ${again.calls.reused} were there`);
  const exported = await harmaug('export-data', recipe, '--out', run, '--json');
  const { rows, labelled } = JSON.parse(exported.stdout || '{}');
  report(`${name}: export`, exported.exitCode === 0 && labelled > 0, `${rows} rows, ${labelled} labelled`);
  const judged = rowsOf(run).labels.filter(({ soft_label }) => soft_label !== null).length;
  report(`${name}: every labelled row is exported`, rows === judged, `${rows} of ${judged}`);
  checkParquet(name, path.join(run, 'dataset'));
}

function checkParquet(name: string, dataset: string): void {
  const script = path.join(import.meta.dirname, 'check_parquet.py');
  if (spawnSync(python, ['-c', 'import pandas, pyarrow, datasets']).status !== 0) {
    process.stderr.write('Not checked in Python: pandas, pyarrow or datasets is missing (HARMAUG_DATA_PYTHON).\n');
    return;
  }
  const { status, stdout, stderr } = spawnSync(python, [script, dataset], { encoding: 'utf8' });
  if (status !== 0) process.stderr.write(stderr);
  report(`${name}: Parquet in pandas and datasets`, status === 0, stdout.trim());
}

function report(what: string, isGood: boolean, found: string): void {
  if (!isGood) isRight = false;
  process.stdout.write(`${isGood ? 'ok  ' : 'FAIL'} ${what}: ${found}\n`);
}

async function startServer(port: number): Promise<ChildProcess> {
  const args = [
    '-m',
    model!,
    '--port',
    String(port),
    '-c',
    String(4 * CONTEXT),
    '-np',
    '4',
    '-t',
    '1',
    '--host',
    '127.0.0.1',
  ];
  const started = spawn(llamaServer, [...args, '--jinja', '--chat-template-file', at('template.jinja')], {
    stdio: 'ignore',
  });
  for (let tries = 0; tries < 240; tries++) {
    const reply = await fetch(`http://127.0.0.1:${port}/v1/models`).catch(() => null);
    await reply?.body?.cancel();
    if (reply?.ok) return started;
    await sleep(250);
  }
  started.kill();
  throw new Error(`Nothing answers on port ${port} after a minute.`);
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
