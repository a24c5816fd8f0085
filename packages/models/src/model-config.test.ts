import { expect, it } from 'vitest';
import { backboneFor, modelTypes } from './backbones.ts';
import { configParsers, parseModelConfig } from './model-config.ts';

it('reads the config of every family as its backbone does', () => {
  expect(Object.keys(configParsers).sort()).toEqual([...modelTypes].sort());
  for (const modelType of modelTypes) {
    const json = { model_type: modelType, vocab_size: 64, max_position_embeddings: 40, pad_token_id: 0, num_labels: 3 };
    expect(parseModelConfig(json)).toEqual(backboneFor(json).parseConfig(json));
    expect(configParsers[modelType]).toBe(backboneFor(json).parseConfig);
  }
});

it.each([[{}], [{ model_type: 'bart' }], [{ model_type: 'toString' }]])('refuses %o', (json) => {
  expect(() => parseModelConfig(json)).toThrow(/config\.json: "model_type": expected one of bert, .*, got/);
});
