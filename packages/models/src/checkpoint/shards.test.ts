import fc from 'fast-check';
import { ConfigError } from 'onnx-grad';
import { describe, expect, it } from 'vitest';
import { parseShardIndex } from '../files/shard-index.ts';
import { encodeShardIndex, isWeightFile, planShards } from './shards.ts';

const sized = (...sizes: number[]) =>
  new Map(sizes.map((size, index): [string, { data: Uint8Array }] => [`t${index}`, { data: new Uint8Array(size) }]));

describe('a plan of shards', () => {
  it('fills files in order, and gives a tensor above the limit one of its own', () => {
    const plan = planShards(sized(6, 6, 2, 20, 6, 2, 2), 10);
    expect([...plan]).toEqual([
      ['model-00001-of-00004.safetensors', ['t0']],
      ['model-00002-of-00004.safetensors', ['t3']],
      ['model-00003-of-00004.safetensors', ['t1', 't2']],
      ['model-00004-of-00004.safetensors', ['t4', 't5', 't6']],
    ]);
  });

  it('of what fits one file is that file', () => {
    for (const limit of [undefined, 8])
      expect([...planShards(sized(4, 4), limit)]).toEqual([['model.safetensors', ['t0', 't1']]]);
    expect([...planShards(new Map(), 1)]).toEqual([['model.safetensors', []]]);
  });

  it('holds every tensor once and no file above the limit but for a tensor that is', () => {
    const cases = fc.tuple(
      fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 20 }),
      fc.integer({ min: 1, max: 40 }),
    );
    fc.assert(
      fc.property(cases, ([sizes, limit]) => {
        const tensors = sized(...sizes);
        const files = [...planShards(tensors, limit).values()];
        expect(files.flat().sort()).toEqual([...tensors.keys()].sort());
        for (const names of files) {
          const total = names.reduce((sum, name) => sum + tensors.get(name)!.data.byteLength, 0);
          expect(total <= limit || names.length === 1).toBe(true);
        }
      }),
    );
  });

  it.each([0, -1, 1.5, Number.NaN])('has no limit %d', (limit) => {
    expect(() => planShards(sized(1), limit)).toThrow(ConfigError);
  });

  it('comes back from its index', () => {
    const tensors = sized(6, 6, 2);
    const plan = planShards(tensors, 8);
    const bytes = encodeShardIndex(plan, tensors);
    expect(parseShardIndex(bytes, 'x')).toEqual(plan);
    expect(new TextDecoder().decode(bytes)).toContain('"total_size": 14');
  });
});

it.each([
  ['model.safetensors', true],
  ['model-00002-of-00003.safetensors', true],
  ['model-00002-of-00003.safetensors.new', true],
  ['model.safetensors.index.json', true],
  ['optimizer.safetensors', false],
  ['adapter_model.safetensors', false],
  ['my-model-00001-of-00002.safetensors', false],
])('%s is a file of saved weights: %s', (name, isOne) => {
  expect(isWeightFile(name)).toBe(isOne);
});
