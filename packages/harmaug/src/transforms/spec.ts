/** How a transform is written: `caesar:3`, several one after the other `role-play+base64`, one side alone `hex@prompt`. */
import { ConfigError } from 'onnx-grad';
import { unknownName } from '../text/suggest.ts';
import { type Field, type TransformName, transformNames, transforms } from './table.ts';

export interface Step {
  readonly name: TransformName;
  readonly value: unknown;
}

export interface Transform {
  /** As it was written; rows are named after it. */
  readonly spec: string;
  readonly steps: readonly Step[];
  /** The only text that is changed; `null`: those that each step is meant for. */
  readonly only: Field | null;
  readonly needsModel: boolean;
}

/**
 * @param where the flag or key it came from, for errors
 * @throws ConfigError for a name that is not in the table, or a value out of its range
 */
export function parseTransform(spec: string, where = 'transform'): Transform {
  const [chain, only, ...rest] = spec.split('@');
  if (rest.length > 0 || (only !== undefined && only !== 'prompt' && only !== 'response')) {
    throw new ConfigError(`${where}: expected @prompt or @response at the end, or nothing.`);
  }
  const steps = chain!.split('+').map((part): Step => {
    const colon = part.indexOf(':');
    const name = colon < 0 ? part : part.slice(0, colon);
    if (!Object.hasOwn(transforms, name))
      throw new ConfigError(`${where}: ${unknownName('transform', name, transformNames)}`);
    const given = colon < 0 ? undefined : part.slice(colon + 1);
    const { option } = transforms[name as TransformName];
    if (option === null && given !== undefined) throw new ConfigError(`${where}: ${name} takes no value.`);
    return { name: name as TransformName, value: option?.read(given, `${where}: ${name}`) };
  });
  return {
    spec,
    steps,
    only: only ?? null,
    needsModel: steps.some(({ name }) => transforms[name].needsModel === true),
  };
}
