import { FormatError } from 'onnx-grad';
import { quote } from '../files/json.ts';

/** Which tensor of a checkpoint fills which parameter of a model. Strict: nothing is skipped without being said. */

type Shapes = ReadonlyMap<string, readonly number[]>;

export interface MatchRequest {
  /** Parameter name -> shape, as the model wants them. */
  readonly expected: Shapes;
  /** Tensor name -> shape, as the checkpoint has them. */
  readonly found: Shapes;
  /** Name of the checkpoint, for errors. */
  readonly file: string;
  /** transformers' `base_model_prefix` ("bert"): bare encoders leave it out, models with a head carry it. */
  readonly prefix?: string;
  /** Tensors of the checkpoint that the model has no use for (buffers, another task's head). */
  readonly ignore?: readonly RegExp[];
  /** Parameters that may be absent and start fresh (a new classifier head). */
  readonly mayInitialise?: readonly RegExp[];
}

export interface WeightMatch {
  /** Parameter -> the tensor that fills it. */
  readonly sources: ReadonlyMap<string, string>;
  /** Parameters to initialise. */
  readonly fresh: readonly string[];
}

/** Names that old TensorFlow checkpoints use. Source: transformers, modeling_utils, `_fix_state_dict_key_on_load`. */
const oldNames: readonly (readonly [RegExp, string])[] = [
  [/LayerNorm\.gamma$/, 'LayerNorm.weight'],
  [/LayerNorm\.beta$/, 'LayerNorm.bias'],
];

/**
 * Pairs a model's parameters with a checkpoint's tensors.
 * @throws FormatError listing the missing, unexpected and misshapen weights together
 */
export function matchWeights(request: MatchRequest): WeightMatch {
  const { expected, found, file, ignore = [], mayInitialise = [] } = request;
  const rename = renaming(expected, found, request.prefix);
  const tensorOf = new Map<string, string>();
  const extra: string[] = [];
  const misshapen: string[] = [];
  for (const [tensor, shape] of found) {
    if (ignore.some((pattern) => pattern.test(tensor))) continue;
    const parameter = rename(tensor);
    const wanted = expected.get(parameter);
    if (wanted === undefined || tensorOf.has(parameter)) {
      extra.push(quote(tensor));
      continue;
    }
    tensorOf.set(parameter, tensor);
    if (wanted.join() !== shape.join()) misshapen.push(`${quote(tensor)} (${shape}), expected (${wanted})`);
  }
  const absent = [...expected.keys()].filter((parameter) => !tensorOf.has(parameter));
  const fresh = absent.filter((parameter) => mayInitialise.some((pattern) => pattern.test(parameter)));
  const missing = absent.filter((parameter) => !fresh.includes(parameter)).map(quote);
  const problems = [describe('missing', missing), describe('unexpected', extra), describe('misshapen', misshapen)];
  if (problems.some((problem) => problem !== '')) {
    const remedy = 'Does config.json belong to these weights, and is this the right model type and task?';
    throw new FormatError(`${file} does not fit the model: ${problems.filter(Boolean).join('; ')}. ${remedy}`, {
      file,
    });
  }
  return { sources: tensorOf, fresh };
}

/** Old names to new, and the prefix added or taken away when only one side has it, as transformers does. */
function renaming(expected: Shapes, found: Shapes, prefix: string | undefined): (tensor: string) => string {
  const modern = (name: string) => oldNames.reduce((result, [from, to]) => result.replace(from, to), name);
  if (prefix === undefined) return modern;
  const start = `${prefix}.`;
  const has = (names: Shapes) => [...names.keys()].some((name) => name.startsWith(start));
  const [isExpected, isFound] = [has(expected), has(found)];
  if (isExpected === isFound) return modern;
  if (isFound) return (name) => modern(name.startsWith(start) ? name.slice(start.length) : name);
  return (name) => (expected.has(modern(name)) ? modern(name) : start + modern(name));
}

function describe(kind: string, items: readonly string[]): string {
  if (items.length === 0) return '';
  const more = items.length > 4 ? `, and ${items.length - 4} more` : '';
  return `${items.length} ${kind}: ${items.slice(0, 4).join(', ')}${more}`;
}
