import type { Dim } from '../../onnx/model.ts';
import { rotaryEmbedding } from '../ops.ts';
import { type OpCase, testOps } from './op-cases.testing.node.ts';
import { at, fill } from './oracles.testing.ts';
import { rotary } from './rotary.ts';

function rotaryCase(batch: Dim, heads: number, length: Dim, size: number): OpCase {
  return {
    inputs: [{ dims: [batch, heads, length, size] }, { dims: [length, size / 2] }, { dims: [length, size / 2] }],
    build: ([x, cosine, sine]) => rotaryEmbedding(x!, cosine!, sine!),
    oracle: ([x, cosine, sine]) =>
      fill(x!.dims, (index) => {
        const [row, column] = index.slice(2) as [number, number];
        const isFirst = column < size / 2;
        const angle = [row, isFirst ? column : column - size / 2];
        const other = at(x!, index.with(3, isFirst ? column + size / 2 : column - size / 2));
        return at(x!, index) * at(cosine!, angle) + (isFirst ? -other : other) * at(sine!, angle);
      }),
  };
}

testOps(rotary, {
  RotaryEmbedding: {
    accepts: {
      'one head of two features': rotaryCase(1, 1, 3, 2),
      'an uneven half': rotaryCase(2, 3, 4, 6),
      'a batch': rotaryCase('batch', 2, 'length', 8),
    },
    rejects: {
      'RotaryEmbedding: expected (B, H, T, D) and angles (T, D/2), got (1, 2, 3, 8) and (3, 8).': (value) =>
        rotaryEmbedding(value([1, 2, 3, 8]), value([3, 8]), value([3, 8])),
      'RotaryEmbedding: the angles: expected float32 (3, 4), got float32 (2, 4).': (value) =>
        rotaryEmbedding(value([1, 2, 3, 8]), value([3, 4]), value([2, 4])),
      'RotaryEmbedding: expected float32, got int64.': (value) =>
        rotaryEmbedding(value([1, 2, 3, 8], 'int64'), value([3, 4]), value([3, 4])),
    },
  },
});
