import { readdirSync } from 'node:fs';
import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ConfigError, FormatError } from 'onnx-grad';
import { describe, expect, it } from 'vitest';
import { readTokenizerFiles, temporaryFolder } from '../test/tokenizer-fixtures.node.ts';
import { readSafetensors, writeSafetensors } from './checkpoint/safetensors.node.ts';
import { loadModel, loadWeights, saveModel } from './load.node.ts';
import type { Head } from './model.ts';

const oracles = path.join(import.meta.dirname, '..', 'test', 'oracles');
const classifiers = readdirSync(oracles).filter((name) => /^(bert|deberta)-/.test(name) && !/mlm|model$/.test(name));

/** A copy of an oracle's folder, to be changed. */
async function copyOf(name: string): Promise<string> {
  const folder = await temporaryFolder();
  await cp(path.join(oracles, name), folder, { recursive: true });
  return folder;
}

async function edit(file: string, change: (config: Record<string, unknown>) => void): Promise<void> {
  const config = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  change(config);
  await writeFile(file, JSON.stringify(config));
}

async function keepWeights(folder: string, isKept: (name: string) => boolean): Promise<void> {
  const file = path.join(folder, 'model.safetensors');
  const weights = await readSafetensors(file);
  await writeSafetensors(file, new Map([...weights].filter(([name]) => isKept(name))));
}

const isBody = (name: string) => name.startsWith('bert.') && !name.startsWith('bert.pooler.');

describe('loading weights', () => {
  const cases: [string, Head][] = [
    ...classifiers.map((name): [string, Head] => [name, 'sequence-classification']),
    ...['bert-mlm', 'bert-mlm-untied', 'deberta-mlm', 'deberta-mlm-new'].map((name): [string, Head] => [
      name,
      'masked-lm',
    ]),
    ['bert-model', 'mean-pooling'],
    ['bert-tiny', 'none'],
    ['deberta-tiny', 'mean-pooling'],
  ];
  it.each(cases)('of %s for %s fills every parameter, and saving keeps every bit', async (name, head) => {
    const loaded = await loadWeights(path.join(oracles, name), { head });
    expect(loaded.fresh).toEqual([]);
    expect([...loaded.weights.keys()]).toEqual([...loaded.model.scope.parameters.keys()]);
    const folder = await temporaryFolder();
    await saveModel(folder, { ...loaded, head });
    const again = await loadWeights(folder, { head });
    expect(again.weights).toEqual(loaded.weights);
    expect(again.model.config).toEqual(loaded.model.config);
  });

  it('initialises a missing head from the seed, when asked to', async () => {
    const folder = await copyOf('bert-tiny');
    await keepWeights(folder, isBody);
    const options = { head: 'sequence-classification', labels: 3 } as const;
    await expect(loadWeights(folder, options)).rejects.toThrow(/bert\.pooler\.dense\.weight.*initialiseHead: true/);
    const load = (seed: number) => loadWeights(folder, { ...options, initialiseHead: true, seed });
    const [one, same, other] = [await load(1), await load(1), await load(2)];
    const head = ['bert.pooler.dense.weight', 'bert.pooler.dense.bias', 'classifier.weight', 'classifier.bias'];
    expect([...one.fresh].sort()).toEqual(head.sort());
    expect(one.weights).toEqual(same.weights);
    expect(one.weights.get('classifier.weight')).toHaveLength(3 * 24);
    expect(one.weights.get('classifier.weight')).not.toEqual(other.weights.get('classifier.weight'));
    expect(one.weights.get('bert.embeddings.LayerNorm.weight')).toEqual(
      other.weights.get('bert.embeddings.LayerNorm.weight'),
    );
  });

  it('starts a new head on a masked LM, whose own head is left out', async () => {
    const loaded = await loadWeights(path.join(oracles, 'bert-mlm'), {
      head: 'sequence-classification',
      labels: ['fine', 'rude'],
      initialiseHead: true,
    });
    expect(loaded.fresh).toContain('classifier.weight');
    expect(loaded.json).toMatchObject({ id2label: { 0: 'fine', 1: 'rude' }, label2id: { fine: 0, rude: 1 } });
  });

  it('never starts a missing weight of the encoder itself', async () => {
    const folder = await copyOf('bert-tiny');
    await keepWeights(folder, (name) => !name.includes('layer.1.output.dense'));
    const load = loadWeights(folder, { head: 'sequence-classification', initialiseHead: true });
    await expect(load).rejects.toThrow(/2 missing: "bert\.encoder\.layer\.1\.output\.dense/);
  });

  it.each([
    ['half a head', (f: string) => keepWeights(f, (n) => n !== 'classifier.bias'), 'has no weights for the head'],
    [
      'another hidden size',
      (f: string) => edit(`${f}/config.json`, (c) => Object.assign(c, { hidden_size: 48 })),
      'misshapen',
    ],
    [
      'another number of layers',
      (f: string) => edit(`${f}/config.json`, (c) => Object.assign(c, { num_hidden_layers: 2 })),
      'unexpected',
    ],
    [
      'an unknown model',
      (f: string) => edit(`${f}/config.json`, (c) => Object.assign(c, { model_type: 'gpt2' })),
      'model_type',
    ],
    [
      'whole numbers for weights',
      async (f: string) => {
        const weights = await readSafetensors(`${f}/model.safetensors`);
        const bias = weights.get('classifier.bias')!;
        weights.set('classifier.bias', { ...bias, dtype: 'int32' });
        await writeSafetensors(`${f}/model.safetensors`, weights);
      },
      '"classifier.bias": Cannot read int32',
    ],
  ])('refuses %s', async (_, damage, problem) => {
    const folder = await copyOf('bert-tiny');
    await damage(folder);
    const load = loadWeights(folder, { head: 'sequence-classification' });
    await expect(load).rejects.toThrow(FormatError);
    await expect(load).rejects.toThrow(problem);
  });

  it('refuses labels that differ from the head that is there, and names given twice', async () => {
    const folder = path.join(oracles, 'bert-tiny');
    const head = 'sequence-classification';
    await expect(loadWeights(folder, { head, labels: 3 })).rejects.toThrow('misshapen');
    await expect(loadWeights(folder, { head, labels: ['a', 'a'] })).rejects.toThrow(ConfigError);
  });
});

describe('loading a model', () => {
  it('brings its tokenizer, which travels along when it is saved', async () => {
    const folder = await copyOf('bert-tiny');
    for (const [name, bytes] of readTokenizerFiles('wordpiece')) await writeFile(path.join(folder, name), bytes);
    const options = { head: 'sequence-classification' } as const;
    await expect(loadModel(folder, options)).rejects.toThrow("the model's vocabulary ends at 59");
    await edit(path.join(folder, 'config.json'), (config) => Object.assign(config, { vocab_size: 8000 }));
    const weights = await readSafetensors(path.join(folder, 'model.safetensors'));
    const table = { dtype: 'float32', shape: [8000, 24], data: new Uint8Array(8000 * 24 * 4) } as const;
    weights.set('bert.embeddings.word_embeddings.weight', table);
    await writeSafetensors(path.join(folder, 'model.safetensors'), weights);
    const loaded = await loadModel(folder, options);
    const saved = await temporaryFolder();
    await saveModel(saved, loaded);
    const again = await loadModel(saved, options);
    expect(again.tokenizer.encode('Is this fine?')).toEqual(loaded.tokenizer.encode('Is this fine?'));
    expect(JSON.parse(await readFile(path.join(saved, 'config.json'), 'utf8'))).toMatchObject({
      architectures: ['BertForSequenceClassification'],
      model_type: 'bert',
      id2label: { 0: 'LABEL_0', 1: 'LABEL_1' },
      dtype: 'float32',
    });
  });

  it('refuses a folder without a tokenizer', async () => {
    const load = loadModel(path.join(oracles, 'bert-tiny'), { head: 'none' });
    await expect(load).rejects.toThrow('no tokenizer');
  });
});
