/** Operations of onnxruntime that stand for several of ours, in graphs that are used and no longer trained. */
import { ShapeError } from '../../errors.ts';
import { broadcastShapes, formatShape, sameShape } from '../dims.ts';
import { expectDtype, type OpTable, type } from '../rule.ts';

export const fused = {
  MultiHeadAttention: {
    domain: 'com.microsoft',
    infer: ([query, key, value, , , bias], { heads }) => {
      for (const factor of [query!, key!, value!]) {
        expectDtype('MultiHeadAttention', factor, 'float32');
        if (factor.dims.length === 3 && (factor.dims[2] as number) % heads === 0) continue;
        throw new ShapeError(`MultiHeadAttention: expected (B, T, ${heads}·D), got ${formatShape(factor.dims)}.`);
      }
      const scores = [query!.dims[0]!, heads, query!.dims[1]!, key!.dims[1]!];
      if (bias && !sameShape(broadcastShapes('MultiHeadAttention', bias.dims, scores), scores)) {
        throw new ShapeError(`MultiHeadAttention: ${formatShape(bias.dims)} does not fit ${formatShape(scores)}.`);
      }
      return [type('float32', [query!.dims[0]!, query!.dims[1]!, value!.dims[2]!])];
    },
    onnx: ({ heads, scale }) => ({ attributes: { num_heads: heads, scale: { float: scale } } }),
    gradient: () => {
      throw new ShapeError('MultiHeadAttention: it has no gradient. Differentiate the graph before fuseAttention.');
    },
  },
} satisfies Partial<OpTable>;
