/** Activation functions by the name Hugging Face configs give them (transformers, activations.py, ACT2FN). */
import { ConfigError, ops, type Value } from 'onnx-grad';

export const activationNames = [
  'gelu',
  'gelu_new',
  'gelu_pytorch_tanh',
  'relu',
  'silu',
  'swish',
  'tanh',
  'sigmoid',
  'linear',
] as const;

export type Activation = (typeof activationNames)[number];

/** ½x(1 + tanh(√(2/π)(x + 0.044715x³))), the approximation of BERT's first code. */
function geluTanh(x: Value): Value {
  const cube = ops.mul(ops.mul(x, x), x);
  const inner = ops.mul(ops.add(x, ops.mul(cube, 0.044715)), Math.sqrt(2 / Math.PI));
  return ops.mul(ops.mul(x, 0.5), ops.add(ops.tanh(inner), 1));
}

const silu = (x: Value): Value => ops.mul(x, ops.sigmoid(x));

const activations: { readonly [Name in Activation]: (x: Value) => Value } = {
  gelu: ops.gelu,
  gelu_new: geluTanh,
  gelu_pytorch_tanh: geluTanh,
  relu: ops.relu,
  silu,
  swish: silu,
  tanh: ops.tanh,
  sigmoid: ops.sigmoid,
  linear: (x: Value): Value => x,
};

export function activate(name: Activation, x: Value): Value {
  const apply = activations[name];
  if (!apply) throw new ConfigError(`Unknown activation "${name}". Available: ${activationNames.join(', ')}.`);
  return apply(x);
}
