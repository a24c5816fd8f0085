/** A model's parameters from a checkpoint's tensors: matched, converted, and fresh where that was asked for. */
import { ConfigError, FormatError } from 'onnx-grad';
import { initialize } from '../initialize.ts';
import type { Model } from '../model.ts';
import { type NamedTensor, toFloat32 } from './dtypes.ts';
import { matchWeights } from './match.ts';

export interface FillOptions {
  /** Name of the checkpoint, for errors. */
  readonly file: string;
  /** Whether a head that the checkpoint lacks may start fresh. */
  readonly initialiseHead: boolean;
  /** Of fresh parameters. */
  readonly seed: number;
}

export interface FilledWeights {
  /** Parameter -> its values, in memory of their own. */
  readonly weights: Map<string, Float32Array>;
  /** Parameters that started fresh. */
  readonly fresh: readonly string[];
}

/** Left out where the model has no such part: buffers, tied copies, and what belongs to another task. */
const optionalParts: readonly RegExp[] = [
  /(^|\.)position_ids$/,
  /^cls\.predictions\.bias$/,
  /^cls\.predictions\.decoder\./,
  /^cls\.seq_relationship\./,
  /^cls\./,
  /^lm_predictions\./,
  /^mask_predictions\./,
  /^classifier\./,
  /^qa_outputs\./,
  /^(bert\.)?pooler\./,
  /^deberta\.encoder\.LayerNorm\./, // transformers makes it for relative embeddings even where there are none
];

/** @throws FormatError listing weights that are missing, unexpected or misshapen, or that are not floating point */
export function fillWeights(
  model: Model,
  found: ReadonlyMap<string, NamedTensor>,
  options: FillOptions,
): FilledWeights {
  const { file, initialiseHead, seed } = options;
  const specs = [...model.scope.parameters.values()];
  const { prefix } = model.encoder;
  const { sources, fresh } = matchWeights({
    expected: new Map(specs.map(({ name, shape }) => [name, shape])),
    found: new Map([...found].map(([name, { shape }]) => [name, shape])),
    file,
    prefix,
    ignore: optionalParts.filter((part) => !specs.some(({ name }) => part.test(name))),
    mayInitialise: [new RegExp(`^(?!${prefix}\\.)|^${prefix}\\.pooler\\.`)], // BERT's pooler lies under its name
  });
  if (fresh.length > 0 && !initialiseHead) {
    throw new FormatError(
      `${file} has no weights for the head: ${fresh.join(', ')} missing. Train a new one with initialiseHead: true.`,
      { file, field: fresh[0]! },
    );
  }
  const weights = new Map<string, Float32Array>();
  for (const spec of specs) {
    const source = sources.get(spec.name);
    const values =
      source === undefined
        ? initialize(spec, model.config.initializerRange, seed)
        : readTensor(found.get(source)!, source, file);
    weights.set(spec.name, values);
  }
  return { weights, fresh };
}

function readTensor(tensor: NamedTensor, name: string, file: string): Float32Array {
  try {
    return toFloat32(tensor);
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    throw new FormatError(`${file}: "${name}": ${cause.message}`, { file, field: name, cause });
  }
}
