/** A tiny student folder and mild rows, for tests. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildModel, initialize, mulberry32 } from '@harmaug/models';
import { saveModel } from '@harmaug/models/node';
import type { Row } from '../data/row.ts';

const rude = ['ugly', 'stupid', 'awful', 'boring', 'silly', 'lazy'];
const kind = ['lovely', 'clever', 'great', 'pretty', 'nice', 'busy'];
const things = ['hat', 'dog', 'song', 'cake', 'garden', 'plan', 'joke', 'team'];
const frames = [
  'your thing is adjective',
  'what a adjective thing that is',
  'tell me why the thing is so adjective today',
];
const words = [...new Set([...rude, ...kind, ...things, ...frames.join(' ').split(' '), 'no', 'yes', 'thanks'])];

/** Rows whose adjective decides; soft labels are unsure about some. */
export function tinyRows(count: number, seed = 1): Row[] {
  const uniform = mulberry32(seed);
  const pick = <T>(list: readonly T[]) => list[Math.floor(uniform() * list.length)]!;
  return Array.from({ length: count }, (_, row) => {
    const label = uniform() < 0.35 ? 1 : 0;
    const adjective = pick(label === 1 ? rude : kind);
    const prompt = pick(frames).replace('adjective', adjective).replace('thing', pick(things));
    const softLabel = label === 1 ? 0.7 + 0.3 * uniform() : 0.3 * uniform();
    const response = uniform() < 0.4 ? { response: pick(['no thanks', 'yes', 'what a nice plan']) } : {};
    return { id: `tiny-${row}`, prompt, ...response, label, softLabel };
  });
}

export async function temporaryFolder(): Promise<string> {
  return mkdtemp(path.join(tmpdir(), 'harmaug-distill-'));
}

/** A BERT of two layers of 16 with its vocabulary, in `folder`. */
export async function writeTinyStudent(
  folder: string,
  { dropout = 0.1, labels = ['safe', 'unsafe'] } = {},
): Promise<string> {
  const vocabulary = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...words];
  const json = {
    model_type: 'bert',
    vocab_size: vocabulary.length,
    hidden_size: 16,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    intermediate_size: 32,
    max_position_embeddings: 64,
    id2label: Object.fromEntries(labels.map((label, index) => [index, label])),
    hidden_dropout_prob: dropout,
    attention_probs_dropout_prob: dropout,
  };
  const model = buildModel(json, { head: 'sequence-classification' });
  const weights = new Map([...model.scope.parameters].map(([name, spec]) => [name, initialize(spec, 0.1, 7)]));
  const tokenizerFiles = new Map([['vocab.txt', new TextEncoder().encode(vocabulary.join('\n'))]]);
  await saveModel(folder, { json, model, weights, tokenizerFiles });
  return folder;
}
