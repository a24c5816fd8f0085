import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ConfigError, FormatError } from 'onnx-grad';
import { describe, expect, it } from 'vitest';
import { oracleNames, oracleFolder as oracles } from '../test/oracle-cases.node.ts';
import { readTokenizerFiles, temporaryFolder } from '../test/tokenizer-fixtures.node.ts';
import { readSafetensors, writeSafetensors } from './checkpoint/safetensors.node.ts';
import { describeModel, loadModel, loadWeights, saveModel } from './load.node.ts';
import type { Head } from './model.ts';

function headOf(name: string): Head {
  if (name.endsWith('-model')) return 'mean-pooling';
  if (name.includes('-lm')) return 'causal-lm';
  return name.includes('-mlm') ? 'masked-lm' : 'sequence-classification';
}

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
    ...oracleNames.map((name): [string, Head] => [name, headOf(name)]),
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

  it.each([
    ['roberta', 'Roberta', ['classifier.dense', 'classifier.out_proj']],
    ['xlmroberta', 'XLMRoberta', ['classifier.dense', 'classifier.out_proj']],
    ['distilbert', 'DistilBert', ['classifier', 'pre_classifier']],
    ['electra', 'Electra', ['classifier.dense', 'classifier.out_proj']],
  ])('starts a new head on a bare %s and on its masked LM', async (family, className, modules) => {
    const options = { head: 'sequence-classification', initialiseHead: true } as const;
    const fresh = modules.flatMap((name) => [`${name}.bias`, `${name}.weight`]);
    for (const name of [`${family}-model`, `${family}-mlm`]) {
      const loaded = await loadWeights(path.join(oracles, name), options);
      expect([...loaded.fresh].sort()).toEqual(fresh);
      expect(describeModel(loaded.json, loaded.model).architectures).toEqual([`${className}ForSequenceClassification`]);
    }
  });

  it('starts the last projection alone on a masked LM of ModernBERT, whose head is shared', async () => {
    const options = { head: 'sequence-classification', initialiseHead: true } as const;
    const fresh = async (name: string) => [...(await loadWeights(path.join(oracles, name), options)).fresh].sort();
    expect(await fresh('modernbert-mlm')).toEqual(['classifier.bias', 'classifier.weight']);
    expect(await fresh('modernbert-model')).toEqual([
      'classifier.bias',
      'classifier.weight',
      'head.dense.weight',
      'head.norm.weight',
    ]);
  });

  it.each([
    ['roberta-tiny', { pad_token_id: null }, '"pad_token_id": expected an id, after which positions start, got null'],
    [
      'roberta-tiny',
      { max_position_embeddings: 2 },
      '"max_position_embeddings": expected more than pad_token_id + 1 (2)',
    ],
    ['distilbert-tiny', { n_heads: 5 }, '"n_heads": expected a divisor of dim (12), got 5'],
    ['electra-tiny', { embedding_size: 0 }, '"embedding_size": expected a number from 1 to 65536, got 0'],
    ['modernbert-tiny', { num_attention_heads: 4 }, '"num_attention_heads": expected hidden_size (12) divided into'],
    ['modernbert-tiny', { layer_types: ['full_attention'] }, '"layer_types": expected 4 entries, one a layer'],
    ['modernbert-tiny', { rope_scaling: { factor: 2 } }, '"rope_scaling": expected null'],
    ['modernbert-tiny', { rope_parameters: 3 }, '"rope_parameters": expected an object, got 3'],
    ['modernbert-tiny', { rope_parameters: { full_attention: { rope_type: 'yarn' } } }, 'expected rope_type "default"'],
    ['modernbert-tiny', { local_attention: 1 }, '"local_attention": expected a number from 2'],
  ])('of %s refuses %j', async (name, changes, problem) => {
    const folder = await copyOf(name);
    await edit(path.join(folder, 'config.json'), (config) => Object.assign(config, changes));
    const load = loadWeights(folder, { head: 'sequence-classification' });
    await expect(load).rejects.toThrow(FormatError);
    await expect(load).rejects.toThrow(problem);
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

  it('is saved with its whole floats as floats, which transformers insists on', async () => {
    const folder = await temporaryFolder();
    const loaded = await loadWeights(path.join(oracles, 'modernbert-tiny'), { head: 'sequence-classification' });
    await saveModel(folder, loaded);
    const text = await readFile(path.join(folder, 'config.json'), 'utf8');
    expect(text).toMatch(/^ {2}"initializer_cutoff_factor": 2\.0,?$/m);
    expect(text).toMatch(/^ {2}"local_attention": 8,?$/m);
  });

  it('refuses a folder without a tokenizer', async () => {
    const load = loadModel(path.join(oracles, 'bert-tiny'), { head: 'none' });
    await expect(load).rejects.toThrow('no tokenizer');
  });
});
