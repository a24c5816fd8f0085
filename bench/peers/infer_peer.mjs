/**
 * transformers.js as a classifier in Node, driven by JSON lines, with the commands of infer_peer.py. It reads the folder
 * that optimum exported, as its published models are made. Its pipeline takes no pairs: the parts of it are called here,
 * tokenizer, padding to the longest of the batch, model, softmax.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { AutoModelForSequenceClassification, AutoTokenizer, env, pipeline, Tensor } from '@huggingface/transformers';

const MOST_TOKENS = 512;
env.allowRemoteModels = false;
let threads = 1;
const open = new Map();

async function openClassifier({ variant, folder, texts }) {
  env.localModelPath = path.dirname(folder);
  const name = path.basename(folder);
  const options = { local_files_only: true };
  const tokenizer = await AutoTokenizer.from_pretrained(name, options);
  const session_options = { intraOpNumThreads: threads };
  const model = await AutoModelForSequenceClassification.from_pretrained(name, {
    ...options,
    dtype: variant,
    device: 'cpu',
    session_options,
  });
  const rows = readFileSync(texts, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  open.set(variant, { tokenizer, model, rows, unsafe: model.config.label2id.unsafe, folder });
  return {};
}

async function score({ tokenizer, model, rows, unsafe }, indices) {
  const encoded = indices.map((index) => {
    const { prompt, response } = rows[index];
    const pair = response === undefined ? {} : { text_pair: response };
    return tokenizer(prompt, { ...pair, truncation: true, max_length: MOST_TOKENS, return_tensor: false });
  });
  const length = Math.max(...encoded.map(({ input_ids }) => input_ids.length));
  const fill = { input_ids: BigInt(tokenizer.pad_token_id), attention_mask: 0n, token_type_ids: 0n };
  const inputs = Object.fromEntries(
    Object.keys(encoded[0]).map((name) => {
      const data = new BigInt64Array(indices.length * length).fill(fill[name]);
      encoded.forEach((text, row) => {
        for (let at = 0; at < text[name].length; at++) data[row * length + at] = BigInt(text[name][at]);
      });
      return [name, new Tensor('int64', data, [indices.length, length])];
    }),
  );
  const { logits } = await model(inputs);
  const values = logits.data;
  return indices.map((_, row) => 1 / (1 + Math.exp(values[2 * row + 1 - unsafe] - values[2 * row + unsafe])));
}

async function many({ variant, indices, batch }) {
  const classifier = open.get(variant);
  const start = performance.now();
  const scores = [];
  for (let at = 0; at < indices.length; at += batch)
    scores.push(...(await score(classifier, indices.slice(at, at + batch))));
  return { ms: performance.now() - start, scores };
}

async function single({ variant, indices }) {
  const ms = [];
  for (const index of indices) {
    const start = performance.now();
    await score(open.get(variant), [index]);
    ms.push(performance.now() - start);
  }
  return { ms };
}

/** As its users call it: one prompt after the other. */
async function askPipeline({ variant, indices }) {
  const { rows, folder } = open.get(variant);
  const options = { local_files_only: true, dtype: variant, device: 'cpu' };
  const classify = await pipeline('text-classification', path.basename(folder), options);
  const scores = [];
  for (const index of indices) {
    const labels = await classify(rows[index].prompt, { top_k: null });
    scores.push(labels.find(({ label }) => label === 'unsafe').score);
  }
  await classify.dispose();
  return { scores };
}

const commands = {
  hello: (command) => {
    threads = command.threads;
    return { versions: { 'transformers.js': env.version } };
  },
  open: openClassifier,
  many,
  single,
  pipeline: askPipeline,
  close: async ({ variant }) => {
    await open.get(variant).model.dispose();
    open.delete(variant);
    return {};
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  let reply;
  try {
    reply = await commands[command.cmd](command);
  } catch (error) {
    reply = { error: String(error) };
  }
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
