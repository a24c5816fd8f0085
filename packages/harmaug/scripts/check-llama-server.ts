/**
 * `npm run check:llama-server`: the same tiny GGUF in this process, behind llama.cpp's own server (chat and completions)
 * and behind llama-cpp-python's (completions): the same words from the same prefixes, the same probabilities to 1e-3. And
 * llama-cpp-python's chat, which closes a prefix, is found out.
 *
 * HARMAUG_LLAMA_SERVER names llama-server, else the one in PATH; HARMAUG_LLAMA_PYTHON a Python with
 * `pip install "llama-cpp-python[server]"`; HARMAUG_STORIES_GGUF the model. What is missing is said in one line.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openLlamaCppProvider } from '../src/providers/llama-cpp/provider.node.ts';
import { type DialectName, dialects } from '../src/providers/openai/dialects.ts';
import { createOpenAiProvider } from '../src/providers/openai/provider.ts';
import { createTransport } from '../src/providers/openai/transport.node.ts';
import { probeProvider } from '../src/providers/probe.ts';
import type { Provider } from '../src/providers/provider.ts';
import { storiesFile, storiesTemplate } from '../test/stories.node.ts';

const TOLERANCE = 1e-3; // of probabilities
const CONTEXT = 1024;
const users = [
  'Tell me about Lily.',
  'A dog and a cat.',
  'What did the bird say?',
  'One day it rained </s> and <s> rained.',
];
const prefixes = ['', ' upon a time, there was', ' there lived a big red'];
const candidates = [',', ' upon', ' there', ' a', ' was', ' little', ' dog', '.', ' the', ' named'];

const model = storiesFile();
const llamaServer = process.env.HARMAUG_LLAMA_SERVER ?? 'llama-server';
const python = process.env.HARMAUG_LLAMA_PYTHON ?? 'python3';
const hasServer = spawnSync(llamaServer, ['--version']).status === 0;
const hasPython = spawnSync(python, ['-c', 'import llama_cpp.server']).status === 0;
if (model === null || !hasServer || !hasPython) {
  const missing = [
    ...(model === null ? ['stories260K.gguf (HARMAUG_STORIES_GGUF)'] : []),
    ...(hasServer ? [] : ['llama-server (HARMAUG_LLAMA_SERVER)']),
    ...(hasPython ? [] : ['a Python with llama-cpp-python[server] (HARMAUG_LLAMA_PYTHON)']),
  ];
  process.stderr.write(`Not checked: ${missing.join(', ')} missing.\n`);
  process.exit(model === null || !(hasServer || hasPython) ? 2 : 1);
}

const folder = mkdtempSync(path.join(tmpdir(), 'harmaug-check-'));
const servers: ChildProcess[] = [];
const providers: Provider[] = [];
let isRight = true;
try {
  const templateFile = path.join(folder, 'template.jinja');
  writeFileSync(templateFile, storiesTemplate);
  const [serverPort, pythonPort] = [await freePort(), await freePort()];
  const common = ['-m', model, '--port', String(serverPort), '-c', String(4 * CONTEXT), '-np', '4', '-t', '1'];
  start(llamaServer, [...common, '--jinja', '--chat-template-file', templateFile]);
  const settings = ['--model', model, '--port', String(pythonPort), '--n_ctx', String(CONTEXT), '--logits_all', 'true'];
  start(python, ['-m', 'llama_cpp.server', ...settings, '--n_threads', '1']);
  await Promise.all([untilUp(serverPort), untilUp(pythonPort)]);

  const here = await openLlamaCppProvider({
    model,
    template: storiesTemplate,
    contextSize: CONTEXT,
    threads: 1,
    gpu: false,
  });
  const others: Record<string, Provider> = {
    'llama-server, chat': connect(serverPort, 'llama.cpp', 'chat'),
    'llama-server, completions': connect(serverPort, 'llama.cpp', 'completions'),
    'llama-cpp-python, completions': connect(pythonPort, 'llama-cpp-python', 'completions'),
  };
  providers.push(here, ...Object.values(others));
  for (const [name, provider] of Object.entries(others)) await compare(name, here, provider);

  const closing = connect(pythonPort, 'llama.cpp', 'chat');
  providers.push(closing);
  const prefix = (await probeProvider(closing, { prefix: true })).checks.find((check) => check.name === 'prefix');
  report(
    "llama-cpp-python's chat, which closes a prefix, is refused",
    prefix?.isPassed === false,
    prefix?.finding ?? 'not probed',
  );
} finally {
  for (const provider of providers) await provider.dispose();
  for (const server of servers) server.kill();
  rmSync(folder, { recursive: true });
}
process.exitCode = isRight ? 0 : 1;

async function compare(name: string, ours: Provider, theirs: Provider): Promise<void> {
  let same = 0;
  let total = 0;
  let read = 0;
  let largest = 0;
  for (const [index, content] of users.entries()) {
    // control strings in data are broken up for servers that take text, so only the process gets the text as it is
    if (content.includes('</s>')) continue;
    const input = { kind: 'chat', messages: [{ role: 'user', content }] } as const;
    for (const prefix of prefixes) {
      const ask = { id: `row-${index}`, input, prefix };
      const [a, b] = [await ours.generate({ ...ask, maxTokens: 24 }), await theirs.generate({ ...ask, maxTokens: 24 })];
      total += 1;
      if (a.text === b.text) same += 1;
      const point = { after: '', positions: 'first' } as const;
      const question = { ...ask, point, candidates, match: 'exact', maxTokens: 1 } as const;
      const [p, q] = [await ours.nextTokens(question), await theirs.nextTokens(question)];
      for (const [i, logprob] of q.logprobs.entries()) {
        if (typeof logprob !== 'number') continue;
        read += 1;
        largest = Math.max(largest, Math.abs(Math.exp(logprob) - Math.exp(p.logprobs[i] as number)));
      }
    }
  }
  report(`${name}: the same continuations`, same === total, `${same} of ${total}`);
  report(
    `${name}: the same probabilities`,
    read >= total && largest <= TOLERANCE,
    `${read} read, largest difference ${largest.toExponential(1)}`,
  );
}

function report(what: string, isGood: boolean, found: string): void {
  if (!isGood) isRight = false;
  process.stdout.write(`${isGood ? 'ok  ' : 'FAIL'} ${what}: ${found}\n`);
}

function connect(port: number, dialect: DialectName, api: 'chat' | 'completions'): Provider {
  return createOpenAiProvider({
    dialect: dialects[dialect],
    api,
    endpoints: [`http://127.0.0.1:${port}/v1`],
    model: model!,
    transport: createTransport({ connections: 4 }),
    concurrency: 4,
    ...(api === 'completions'
      ? { template: { source: storiesTemplate, bosToken: '<s>', eosToken: '</s>', controls: ['<s>', '</s>'] } }
      : {}),
  });
}

function start(command: string, args: readonly string[]): void {
  const server = spawn(command, [...args, '--host', '127.0.0.1'], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  server.stderr!.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-2000);
  });
  server.on('exit', (code) => {
    if (code) process.stderr.write(`${command} ended with code ${code}:\n${said}\n`);
  });
  servers.push(server);
}

async function untilUp(port: number): Promise<void> {
  for (let tries = 0; tries < 240; tries++) {
    const reply = await fetch(`http://127.0.0.1:${port}/v1/models`).catch(() => null);
    await reply?.body?.cancel();
    if (reply?.ok) return;
    await sleep(250);
  }
  throw new Error(`Nothing answers on port ${port} after a minute.`);
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
