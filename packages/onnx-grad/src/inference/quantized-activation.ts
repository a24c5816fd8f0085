/** Activations as bytes, by the ranges of their channels. */
import { type ActivationBytes, activationBytes, type ChannelRanges } from './channel-ranges.ts';
import { makeNode, makeTensor, type Replacement } from './records.ts';

/** Names of what an activation is as bytes; the nodes that make them go before its first reader. */
export interface QuantizedActivation extends Replacement {
  readonly bytes: string;
  readonly scale: string;
  readonly zeroPoint: string;
  readonly divisors: Float32Array | null;
}

/** Activations as bytes by their ranges: each once, however many products read it. */
export class ActivationTable {
  readonly #ranges: ReadonlyMap<string, ChannelRanges>;
  readonly #made = new Map<string, QuantizedActivation>();

  constructor(ranges: ReadonlyMap<string, ChannelRanges>) {
    this.#ranges = ranges;
  }

  /** `null` for one without ranges. */
  quantize(name: string): QuantizedActivation | null {
    const made = this.#made.get(name);
    if (made) return { ...made, nodes: [], initializers: [] };
    const ranges = this.#ranges.get(name);
    if (!ranges) return null;
    const quantized = quantizeActivation(name, activationBytes(ranges));
    this.#made.set(name, quantized);
    return quantized;
  }
}

function quantizeActivation(name: string, { scale, zeroPoint, divisors }: ActivationBytes): QuantizedActivation {
  const scaleTensor = makeTensor(`${name}_activation_scale`, 'float32', [], Float32Array.of(scale));
  const zeroPointTensor = makeTensor(`${name}_activation_zero_point`, 'uint8', [], Uint8Array.of(zeroPoint));
  const factors =
    divisors &&
    makeTensor(
      `${name}_activation_factors`,
      'float32',
      [divisors.length],
      divisors.map((value) => 1 / value),
    );
  const divided = factors ? `${name}_activation_divided` : name;
  const bytes = `${name}_activation`;
  return {
    bytes,
    scale: scaleTensor.name,
    zeroPoint: zeroPointTensor.name,
    divisors,
    initializers: [scaleTensor, zeroPointTensor, ...(factors ? [factors] : [])],
    nodes: [
      ...(factors ? [makeNode('Mul', '', [name, factors.name], divided, {})] : []),
      makeNode('QuantizeLinear', '', [divided, scaleTensor.name, zeroPointTensor.name], bytes, {}),
    ],
  };
}
