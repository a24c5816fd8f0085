/** What `--data` may name, read as the flags say. */
import type { EvaluationSet } from '../evaluate/evaluate.ts';
import { openSet as open } from '../evaluate/open-set.node.ts';
import type { CommandIo } from './command.node.ts';
import { readOptions } from './data-flags.node.ts';

export function openSet(
  name: string,
  values: Parameters<typeof readOptions>[0],
  { env, signal, progress }: CommandIo,
): Promise<EvaluationSet> {
  return open(name, { read: readOptions(values), env, signal, onProgress: progress });
}
