/** The README's program runs as it stands, on a little model with the tokenizer of the tests. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { initialize } from '../src/initialize.ts';
import { loadModel, saveModel } from '../src/load.node.ts';
import { buildModel } from '../src/model.ts';
import { loadTokenizer } from '../src/tokenizers/load.ts';
import { readTokenizerFiles, temporaryFolder } from './tokenizer-fixtures.node.ts';

it('loads, trains and saves', async () => {
  const folder = await temporaryFolder();
  const tokenizerFiles = readTokenizerFiles('wordpiece');
  const json = {
    model_type: 'bert',
    vocab_size: loadTokenizer(tokenizerFiles).vocabSize,
    hidden_size: 16,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    intermediate_size: 32,
    max_position_embeddings: 64,
  };
  const model = buildModel(json, { head: 'none' });
  const weights = new Map([...model.scope.parameters].map(([name, spec]) => [name, initialize(spec, 0.02, 1)]));
  await saveModel(path.join(folder, 'all-MiniLM-L6-v2'), { json, model, head: 'none', weights, tokenizerFiles });
  await symlink(path.join(import.meta.dirname, '../../../node_modules'), path.join(folder, 'node_modules'));

  const readme = readFileSync(path.join(import.meta.dirname, '../README.md'), 'utf8');
  const [, program] = readme.match(/```ts\n(.*?)```/s)!;
  const flags = ['--conditions=source', '--input-type=module-typescript', '--no-warnings', '--eval', program!];
  await promisify(execFile)(process.execPath, flags, { cwd: folder });

  const saved = await loadModel(path.join(folder, 'guard'), { head: 'sequence-classification' });
  expect(saved.json).toMatchObject({ id2label: { 0: 'safe', 1: 'unsafe' } });
  const words = 'bert.embeddings.word_embeddings.weight';
  expect(saved.weights.get(words)).not.toEqual(weights.get(words)); // it was trained
});
