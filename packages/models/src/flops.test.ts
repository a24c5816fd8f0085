/** Oracle: fixtures/flops_oracle.py, torch.utils.flop_counter on transformers' own models. */
import { readFileSync } from 'node:fs';
import { FormatError } from 'onnx-grad';
import { describe, expect, it } from 'vitest';
import { modelTypes } from './backbones.ts';
import { modelShape } from './flops.ts';

interface Oracle {
  readonly models: Readonly<
    Record<
      string,
      {
        readonly config: Readonly<Record<string, unknown>>;
        readonly parameters: number;
        readonly counts: readonly { readonly batch: number; readonly length: number; readonly flops: number }[];
      }
    >
  >;
}

const file = new URL('./fixtures/flops-torch.json', import.meta.url);
const { models }: Oracle = JSON.parse(readFileSync(file, 'utf8'));

describe('a model’s operations', () => {
  it.each(Object.keys(models))('of %s are those that PyTorch counts, to 2%%', (name) => {
    const { config, parameters, counts } = models[name]!;
    const shape = modelShape(config);
    expect(shape.parameters / parameters).toBeCloseTo(1, 3); // tables that our graph does not read
    for (const { batch, length, flops } of counts) {
      expect(Math.abs(shape.flops(length, batch) / flops - 1), `${batch}x${length}`).toBeLessThan(0.02);
    }
  });

  it('have an oracle for every family', () => {
    const known = new Set(Object.values(models).map(({ config }) => config.model_type));
    expect([...known].sort()).toEqual([...modelTypes].sort());
  });

  it('are those of a count by hand', () => {
    const { config } = models['minilm-l6']!;
    const [T, E, I, L] = [100, 384, 1536, 6]; // tokens, hidden size, intermediate size, layers
    const projections = 4 * 2 * T * E * E; // query, key, value, output
    const attention = 2 * 2 * T * T * E; // scores, and the mean of the values
    const feedForward = 2 * 2 * T * E * I;
    const head = 2 * E * E + 2 * E * 2; // pooler, classifier
    const shape = modelShape(config);
    expect(shape.flops(T)).toBe(L * (projections + attention + feedForward) + head);
    const perLayer = 4 * (E * E + E) + (2 * E * I + I + E) + 4 * E;
    const rest = 2 * E + (E * E + E) + (2 * E + 2); // norm of the embeddings, pooler, classifier
    expect(shape.parametersWithoutEmbeddings).toBe(L * perLayer + rest);
    expect(shape.parameters).toBe(L * perLayer + rest + (30_522 + 512 + 2) * E);
  });

  it('that run here are fewer, for nobody reads the other tokens of the last layer', () => {
    const { config } = models['minilm-l6']!;
    const shape = modelShape(config);
    expect(shape.ownFlops(128)).toBeLessThan(0.9 * shape.flops(128));
    expect(shape.ownFlops(128)).toBeGreaterThan((5 / 6) * shape.flops(128));
    const long = modelShape(models['modernbert-base']!.config);
    expect(long.ownFlops(8192)).toBeLessThan(0.6 * long.flops(8192));
  });

  it('of a decoder are a language model’s, or a classifier’s where its class says so', () => {
    expect(modelShape(models['llama-guard-3-8b']!.config).head).toBe('causal-lm');
    expect(modelShape(models['llama-classifier']!.config).head).toBe('sequence-classification');
    expect(modelShape(models['qwen2-0.5b']!.config, 'sequence-classification').parameters).toBe(494_032_768 + 2 * 896);
  });

  it('need a family that we know', () => {
    expect(() => modelShape({ model_type: 'mamba' })).toThrow(FormatError);
  });
});
