/** What an encoder builds with: the graph, its parameters by their Hugging Face names, and dropout. */
import { checkpoint, type Dim, formatShape, type Graph, ops, ShapeError, sameShape, type Value } from 'onnx-grad';

/** How a fresh parameter starts. 'normal' has the config's initializer_range as its deviation. */
export type Initializer = 'normal' | 'zeros' | 'ones';

export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly initializer: Initializer;
  readonly value: Value;
}

/** A mask multiplied onto values in training: float32 0 or 1/(1 - probability), drawn anew at every step. */
export interface DropoutSite {
  readonly name: string;
  readonly probability: number;
  readonly value: Value;
}

/** What a model's parts are computed in while it is trained. */
export type Precision = 'float32' | 'int8';

type Part = 'embeddings' | 'layers' | 'positions' | 'rest';

/**
 * What is computed of bytes, by the part of the model: products with weights, and rows of tables, which a model in int8 has
 * as bytes. The layers' products are nearly all there is to compute. Poolers and heads are little, and what the verdict
 * hangs on; DeBERTa's projected positions become a table when a model is exported. Norms, softmax and attention's own
 * products, whose factors are both activations, are float32.
 */
const precisions: Readonly<Record<Precision, Readonly<Record<Part, Precision>>>> = {
  float32: { embeddings: 'float32', layers: 'float32', positions: 'float32', rest: 'float32' },
  int8: { embeddings: 'int8', layers: 'int8', positions: 'float32', rest: 'float32' },
};

export class Scope {
  readonly graph: Graph;
  /** Whether dropout is on. */
  readonly training: boolean;
  /** Whether each layer's inner values are computed again in the backward pass instead of kept. */
  readonly recompute: boolean;
  readonly precision: Precision;
  #part: Part = 'rest';
  readonly parameters = new Map<string, ParameterSpec>();
  readonly dropoutSites = new Map<string, DropoutSite>();

  constructor(graph: Graph, { training = false, recompute = false, precision = 'float32' as Precision } = {}) {
    this.graph = graph;
    this.training = training;
    this.recompute = recompute;
    this.precision = precision;
  }

  /** One layer of the encoder, from `inputs`: the unit of gradient checkpointing. */
  layer(inputs: readonly Value[], body: (inputs: readonly Value[]) => Value): Value {
    const layer = (values: readonly Value[]) => this.inPart('layers', () => body(values));
    return this.recompute ? checkpoint(inputs, layer) : layer(inputs);
  }

  /** Builds something as a part of the model that has a precision of its own. */
  inPart<Built>(part: Part, build: () => Built): Built {
    const outside = this.#part;
    this.#part = part;
    try {
      return build();
    } finally {
      this.#part = outside;
    }
  }

  /** Whether a part, by default the one being built, is computed of bytes. */
  isInt8(part: Part = this.#part): boolean {
    return precisions[this.precision][part] === 'int8';
  }

  /** The parameter of this name, declared at first use; asking again gives the same one (tied weights). */
  parameter(name: string, shape: readonly number[], initializer: Initializer = 'normal'): Value {
    const existing = this.parameters.get(name);
    if (existing) {
      if (sameShape(existing.shape, shape)) return existing.value;
      throw new ShapeError(`${name}: declared as ${formatShape(existing.shape)} and as ${formatShape(shape)}.`);
    }
    const value = this.graph.input(name, 'float32', shape);
    this.parameters.set(name, { name, shape, initializer, value });
    return value;
  }

  /** `x` with elements dropped in training; `name` tells the places apart and stays the same between runs. */
  dropout(x: Value, probability: number, name: string): Value {
    const mask = this.dropoutMask(x.dims, probability, name);
    return mask ? ops.mul(x, mask) : x;
  }

  /** The mask itself, for operations that apply it inside; `undefined` where nothing is dropped. */
  dropoutMask(dims: readonly Dim[], probability: number, name: string): Value | undefined {
    if (!this.training || probability === 0) return undefined;
    const existing = this.dropoutSites.get(name);
    if (existing) return existing.value;
    const value = this.graph.input(`dropout:${name}`, 'float32', dims);
    this.dropoutSites.set(name, { name, probability, value });
    return value;
  }
}
