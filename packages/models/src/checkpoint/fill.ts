/** A model's parameters from a checkpoint's tensors: matched, converted, and fresh where that was asked for. */
import { ConfigError, FormatError } from 'onnx-grad';
import { initialize } from '../initialize.ts';
import { CATEGORY_HEAD, type Model } from '../model.ts';
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

/** Names that begin with one of `parts`, which the backbone's prefix may come before. */
function startingWith(parts: readonly string[], prefix: string): RegExp[] {
  const escaped = (text: string) => text.replaceAll('.', '\\.');
  return parts.map((part) => new RegExp(`^(${escaped(prefix)}\\.)?${escaped(part)}(\\.|$)`));
}

const BUFFERS = /(^|\.)position_ids$/; // written by transformers before 4.31

/** @throws FormatError listing weights that are missing, unexpected or misshapen, or that are not floating point */
export function fillWeights(
  model: Model,
  found: ReadonlyMap<string, NamedTensor>,
  options: FillOptions,
): FilledWeights {
  const { file, initialiseHead, seed } = options;
  const specs = [...model.scope.parameters.values()];
  const { prefix, idle = [] } = model.backbone;
  const heads = [...model.backbone.heads, CATEGORY_HEAD];
  const isRead = (part: RegExp) => specs.some(({ name }) => part.test(name));
  const { sources, fresh } = matchWeights({
    expected: new Map(specs.map(({ name, shape }) => [name, shape])),
    found: new Map([...found].map(([name, { shape }]) => [name, shape])),
    file,
    prefix,
    ignore: [BUFFERS, ...startingWith([...heads, ...idle], prefix).filter((part) => !isRead(part))],
    mayInitialise: startingWith(heads, prefix),
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
