/** Rotary positions. */
import { ShapeError } from '../../errors.ts';
import { formatShape, mulDims } from '../dims.ts';
import { expectType, type Value } from '../graph.ts';
import { add, mul, neg, rotaryEmbedding, split, sub } from '../ops.ts';
import { expectDtype, type OpTable, type } from '../rule.ts';

export const rotary = {
  RotaryEmbedding: {
    domain: 'com.microsoft',
    infer: ([x, , cosine, sine]) => {
      const [, , length, size] = x!.dims;
      expectDtype('RotaryEmbedding', x!, 'float32');
      const half = cosine!.dims[1];
      if (x!.dims.length !== 4 || half === undefined || mulDims(2, half) !== size) {
        const shapes = `${formatShape(x!.dims)} and ${formatShape(cosine!.dims)}`;
        throw new ShapeError(`RotaryEmbedding: expected (B, H, T, D) and angles (T, D/2), got ${shapes}.`);
      }
      for (const table of [cosine!, sine!])
        expectType('RotaryEmbedding: the angles', table, 'float32', [length!, half]);
      return [type('float32', x!.dims)];
    },
    // y₁ = x₁cos - x₂sin, y₂ = x₂cos + x₁sin: back by the same angles turned the other way
    gradient: ({ grad, inputs: [x, , cosine, sine] }) => {
      const half = { axis: 3, sizes: [0, 0].map(() => (x!.dims[3] as number) / 2) };
      const [[x1, x2], [g1, g2]] = [split(x!, half), split(grad, half)] as [[Value, Value], [Value, Value]];
      const ofCosine = add(mul(x1, g1), mul(x2, g2));
      return [rotaryEmbedding(grad, cosine!, neg(sine!)), null, ofCosine, sub(mul(x1, g2), mul(x2, g1))];
    },
  },
} satisfies Partial<OpTable>;
