import { ConfigError } from 'onnx-grad';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { parseConfig, strictObject } from './schema.ts';

const schema = strictObject({
  models: z.record(z.string(), strictObject({ endpoint: z.string(), concurrency: z.int().optional() })),
});

test('names the place and the key that was meant', () => {
  const value = { models: { teacher: { endpont: 'x' } } };
  expect(() => parseConfig(schema, value, 'run.yaml')).toThrow(ConfigError);
  expect(() => parseConfig(schema, value, 'run.yaml')).toThrow(
    'run.yaml: "models.teacher.endpoint" is missing, expected string.\n' +
      'run.yaml: "models.teacher" unknown key "endpont". Did you mean "endpoint"?',
  );
});

test('says what was expected and what there was', () => {
  const value = { models: { teacher: { endpoint: 7 } } };
  expect(() => parseConfig(schema, value, 'run.yaml')).toThrow(
    '"models.teacher.endpoint" is wrong: expected string, got number.',
  );
});
