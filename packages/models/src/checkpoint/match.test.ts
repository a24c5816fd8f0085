import { FormatError } from 'onnx-grad';
import { expect, it } from 'vitest';
import { matchWeights } from './match.ts';

const shapes = (...names: string[]) => new Map(names.map((name) => [name, [2, 3]]));
const file = 'model.safetensors';

it('pairs equal names', () => {
  const names = ['bert.embeddings.weight', 'classifier.weight'];
  const { sources, fresh } = matchWeights({
    expected: shapes(...names),
    found: shapes(...names),
    file,
    prefix: 'bert',
  });
  expect([...sources]).toEqual(names.map((name) => [name, name]));
  expect(fresh).toEqual([]);
});

it('loads a bare encoder into a model with a head, which starts fresh when that is allowed', () => {
  const expected = shapes('bert.embeddings.weight', 'classifier.weight', 'classifier.bias');
  const request = { expected, found: shapes('embeddings.weight'), file, prefix: 'bert' };
  const { sources, fresh } = matchWeights({ ...request, mayInitialise: [/^classifier\./] });
  expect([...sources]).toEqual([['bert.embeddings.weight', 'embeddings.weight']]);
  expect(fresh).toEqual(['classifier.weight', 'classifier.bias']);
  expect(() => matchWeights(request)).toThrow('2 missing: "classifier.weight", "classifier.bias"');
});

it('loads a bare encoder that carries another head into a model with a head', () => {
  const { sources } = matchWeights({
    expected: shapes('bert.pooler.weight', 'classifier.weight'),
    found: shapes('pooler.weight', 'classifier.weight'),
    file,
    prefix: 'bert',
  });
  expect(sources.get('classifier.weight')).toBe('classifier.weight');
  expect(sources.get('bert.pooler.weight')).toBe('pooler.weight');
});

it('loads a model with a head into a bare encoder, its head ignored when that is said', () => {
  const { sources } = matchWeights({
    expected: shapes('embeddings.weight'),
    found: shapes('bert.embeddings.weight', 'cls.predictions.bias'),
    file,
    prefix: 'bert',
    ignore: [/^cls\./],
  });
  expect([...sources]).toEqual([['embeddings.weight', 'bert.embeddings.weight']]);
});

it("maps TensorFlow's names of layer normalisation", () => {
  const { sources } = matchWeights({
    expected: shapes('bert.LayerNorm.weight', 'bert.LayerNorm.bias'),
    found: shapes('LayerNorm.gamma', 'LayerNorm.beta'),
    file,
    prefix: 'bert',
  });
  expect(sources.get('bert.LayerNorm.weight')).toBe('LayerNorm.gamma');
  expect(sources.get('bert.LayerNorm.bias')).toBe('LayerNorm.beta');
});

it('refuses two tensors for one parameter', () => {
  const found = shapes('LayerNorm.gamma', 'LayerNorm.weight');
  expect(() => matchWeights({ expected: shapes('LayerNorm.weight'), found, file })).toThrow('1 unexpected');
});

it('lists missing, unexpected and misshapen weights in one error, the first few of each', () => {
  const expected = new Map([['same', [1]], ['shape', [2, 3]], ...shapes('m1', 'm2', 'm3', 'm4', 'm5', 'm6')]);
  const found = new Map([
    ['same', [1]],
    ['shape', [3, 2]],
    ['extra', [1]],
  ]);
  const match = () => matchWeights({ expected, found, file });
  expect(match).toThrow(FormatError);
  expect(match).toThrow('6 missing: "m1", "m2", "m3", "m4", and 2 more');
  expect(match).toThrow('1 unexpected: "extra"');
  expect(match).toThrow('1 misshapen: "shape" (3,2), expected (2,3)');
});
