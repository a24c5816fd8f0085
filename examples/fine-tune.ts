/**
 * Fine-tunes a small encoder on a text file and prints its learning curve:
 *
 *   npm run example                                        a fresh little BERT on manners.tsv, some seconds
 *   npm run example -- --data my.tsv --model <folder>      your texts, a Hugging Face folder of BERT or DeBERTa
 *   npm run example -- --device webgpu --out <folder>      on any GPU; keeps the result, which transformers can load
 *
 * The file has one text a line: a label, a tab, the text. A fifth of the lines is held out.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { buildModel, collate, lengthBatches, mulberry32, trainingProgram } from '@harmaug/models';
import { type LoadedModel, loadModel, saveModel } from '@harmaug/models/node';
import { crossEntropy, schedules } from 'onnx-grad';
import { createTrainer, type Device } from 'onnx-grad/node';
import { freshModel } from './fresh-model.ts';

process.on('uncaughtException', ({ message }) => {
  console.error(message); // one line, not a stack
  process.exit(1);
});

const { values: options } = parseArgs({
  options: {
    data: { type: 'string', default: path.join(import.meta.dirname, 'manners.tsv') },
    model: { type: 'string' },
    out: { type: 'string' },
    device: { type: 'string', default: 'cpu' },
    epochs: { type: 'string', default: '12' },
    seed: { type: 'string', default: '1' },
  },
});
const seed = Number(options.seed);
const epochs = Number(options.epochs);
const batchSize = 16;

// 1. The data
const rows = readRows(options.data);
const labels = [...new Set(rows.map(({ label }) => label))].sort();

// 2. The model and its tokenizer
const head = 'sequence-classification';
const loaded: LoadedModel =
  options.model === undefined
    ? freshModel(
        rows.map(({ text }) => text),
        { labels, seed },
      )
    : await loadModel(options.model, { head, labels, training: true, initialiseHead: true, seed });
const { model, tokenizer } = loaded;

// 3. Texts become ids; a fifth is held out
const uniform = mulberry32(seed);
const encoded = rows
  .map(({ label, text }) => ({
    ...tokenizer.encode(text, undefined, { maxLength: 128 }),
    label: labels.indexOf(label),
  }))
  .map((row) => ({ row, key: uniform() }))
  .sort((a, b) => a.key - b.key)
  .map(({ row }) => row);
const cut = Math.round(encoded.length * 0.8);
const [training, heldOut] = [encoded.slice(0, cut), encoded.slice(cut)];
const toBatch = (batch: typeof encoded) => collate(batch, model.config, { labels: batch.map(({ label }) => label) });

// 4. The loss is one more value of the model's graph; the gradients are derived from it
const loss = crossEntropy(model.output, model.graph.input('labels', 'int64', ['batch']));
const program = trainingProgram(model, { loss, weights: loaded.weights, weightDecay: 0.1 });
const totalSteps = epochs * Math.ceil(training.length / batchSize);
const peak = options.model === undefined ? 2e-3 : 5e-5; // fresh weights take larger steps than trained ones
const learningRate = schedules.linear({ peak, warmupSteps: Math.ceil(totalSteps / 10), totalSteps });
const trainer = await createTrainer(program, { learningRate, seed, device: options.device as Device });

// 5. The same model without dropout reads the same weights
const plain = buildModel(loaded.json, { head });
const predictor = await trainer.predictor(plain.graph, new Map([['logits', plain.output]]));

console.log(`${training.length} texts to learn from, ${heldOut.length} held out; labels: ${labels.join(', ')}`);
const start = performance.now();
for (let epoch = 0; epoch < epochs; epoch++) {
  const batches = lengthBatches(
    training.map(({ ids }) => ids.length),
    { batchSize, seed, epoch },
  );
  let sum = 0;
  for (const batch of batches)
    sum += batch.length * (await trainer.step(toBatch(batch.map((row) => training[row]!)))).loss;
  const mean = sum / training.length; // nats
  const percent = `${Math.round(100 * (await measureAccuracy()))}%`.padStart(4);
  console.log(
    `epoch ${`${epoch + 1}`.padStart(2)}  held out ${percent} right  loss ${mean.toFixed(3)} ${'#'.repeat(mean * 40)}`,
  );
}
console.log(`${((performance.now() - start) / 1000).toFixed(1)} s on ${options.device}`);

if (options.out !== undefined) {
  await saveModel(options.out, { ...loaded, weights: await trainer.parameters() });
  console.log(`Saved to ${options.out}`);
}
await predictor.dispose();
await trainer.dispose();

/** The share of held-out texts whose label has the largest logit. */
async function measureAccuracy(): Promise<number> {
  const { labels: _, ...batch } = toBatch(heldOut);
  const logits = (await predictor.run(batch)).logits!;
  const classes = logits.dims[1]!;
  const right = heldOut.filter(({ label }, row) => {
    const scores = logits.data.subarray(row * classes, (row + 1) * classes);
    return scores.indexOf(Math.max(...scores)) === label;
  });
  return right.length / heldOut.length;
}

function readRows(file: string): { label: string; text: string }[] {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return lines.map((line, index) => {
    const [label, text] = line.split('\t');
    if (label && text) return { label, text };
    throw new Error(`${file} line ${index + 1}: expected a label, a tab and a text.`);
  });
}
