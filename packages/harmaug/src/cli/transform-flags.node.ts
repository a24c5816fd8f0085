/** The flag of commands that read rows in disguise too. */
import { ConfigError } from 'onnx-grad';
import { parseTransform } from '../transforms/spec.ts';
import { type Flags, UsageError } from './flags.node.ts';

export const transformFlags = {
  transform: {
    kind: 'texts',
    value: '<name:value>',
    help: 'the rows in disguise too: caesar:3 base64 (harmaug transform)',
  },
} as const satisfies Flags;

/** @throws UsageError for a transform that is none, or needs a language model, which only `harmaug transform` has */
export function checkTransforms(specs: readonly string[] = [], where = '--transform'): readonly string[] {
  for (const spec of specs) {
    if (parsed(spec, where).needsModel) {
      throw new UsageError(`${where}: translate first, into a file of its own: harmaug transform.`);
    }
  }
  return specs;
}

function parsed(spec: string, where: string) {
  try {
    return parseTransform(spec, where);
  } catch (error) {
    throw error instanceof ConfigError ? new UsageError(error.message) : error;
  }
}
