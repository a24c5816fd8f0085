/** The convolution over tokens that DeBERTa-v2-xlarge has beside its first layer (He et al., arXiv:2006.03654, A.5). */
import { addDims, ConfigError, type Dim, ops, productOf, type Value } from 'onnx-grad';
import { activate } from '../activations.ts';
import { layerNorm } from '../layers.ts';
import type { Scope } from '../scope.ts';
import type { DebertaConfig } from './deberta-v2.ts';

/**
 * LayerNorm(output + act(dropout(conv(embedded)))), padding set to zero before and after.
 * The convolution is a sum of shifted matrix products, one for each of its taps.
 * @param embedded (B·T, E) what the first layer read
 * @param output   (B·T, E) what it gave
 * @param isReal   (B·T, 1) 1 for a token, 0 for padding
 */
export function convolution(
  scope: Scope,
  embedded: Value,
  output: Value,
  isReal: Value,
  [batch, length]: readonly Dim[],
  config: DebertaConfig,
): Value {
  const at = 'deberta.encoder.conv';
  const { hiddenSize: size, convolutionSize: taps, convolutionGroups: groups } = config;
  if (size % groups !== 0) throw new ConfigError(`conv_groups: expected a divisor of ${size}, got ${groups}.`);
  const weight = scope.parameter(`${at}.conv.weight`, [size, size / groups, taps]); // (out, in / groups, taps)
  const bias = scope.parameter(`${at}.conv.bias`, [size], 'zeros');
  const reach = (taps - 1) / 2;
  const around = { before: [0, reach, 0], after: [0, reach, 0] };
  const padded = ops.pad(ops.reshape(embedded, [batch!, length!, size]), around);
  const perGroup = size / groups;
  const channels = Array.from({ length: groups }, () => perGroup);
  const weights = groups === 1 ? [weight] : ops.split(weight, { axis: 0, sizes: channels });
  const sums = weights.map((part, group) => {
    const terms = Array.from({ length: taps }, (_, tap) => {
      const shifted = ops.slice(padded, { axis: 1, start: tap, end: addDims(length!, tap) });
      const inputs = ops.slice(shifted, { axis: 2, start: group * perGroup, end: (group + 1) * perGroup });
      const kernel = ops.reshape(ops.slice(part, { axis: 2, start: tap, end: tap + 1 }), [perGroup, perGroup]);
      return ops.gemm(ops.reshape(inputs, [productOf([batch!, length!]), perGroup]), kernel, null, { transB: true });
    });
    return terms.reduce((a, b) => ops.add(a, b));
  });
  const sum = ops.add(sums.length === 1 ? sums[0]! : ops.concat(sums, { axis: 1 }), bias);
  const dropped = scope.dropout(ops.mul(sum, isReal), config.hiddenDropout, at);
  const active = activate(config.convolutionActivation, dropped);
  const normed = layerNorm(scope, ops.add(output, active), `${at}.LayerNorm`, config.layerNormEpsilon);
  return ops.mul(normed, isReal);
}
