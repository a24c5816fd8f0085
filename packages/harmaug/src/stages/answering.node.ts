/** Who responds to instructions, and the keys of their calls. */
import path from 'node:path';
import { hashKey } from '../ledger/key.node.ts';
import { type Identity, modelIdentity } from './identity.node.ts';
import { modelOf, type NamedModel, need, type Pipeline } from './pipeline.node.ts';
import type { Sampling } from './sampling.ts';

export interface Answering {
  readonly kind: 'refusal' | 'compliant';
  readonly named: NamedModel;
  readonly model: Identity;
  readonly system: string | undefined;
  readonly prefix: string | null;
  readonly sampling: Sampling;
  readonly seed: number;
}

/** Who responds, in the order of the rows. */
export function responders(pipeline: Pipeline): Answering[] {
  const section = need(pipeline, 'respond');
  return (['refusal', 'compliant'] as const).flatMap((kind) => {
    const own = section[kind];
    if (own === undefined) return [];
    const named = modelOf(pipeline, own.model);
    const model = modelIdentity(named.config, (file) => path.resolve(pipeline.folder, file));
    const { system, prefix, temperature, topP, maxTokens, stop } = own;
    return [
      { kind, named, model, system, prefix, sampling: { temperature, topP, maxTokens, stop }, seed: section.seed },
    ];
  });
}

/** Key of a response's call: the instruction's text and what can change the answer. */
export function responseKey(text: string, { kind, model, system, prefix, sampling, seed }: Answering): string {
  const { temperature, topP = null, maxTokens, stop } = sampling;
  return hashKey(['respond', kind, model, text, system ?? null, prefix, temperature, topP, maxTokens, stop, seed]);
}
