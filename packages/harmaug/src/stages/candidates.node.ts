/** Candidates: the n-th call of a cell, everything about it drawn from its number and the seed. */
import { mulberry32 } from '@harmaug/models';
import { hashText } from '../dedup/hash.ts';
import { hashKey } from '../ledger/key.node.ts';
import type { Message } from '../templates/render.ts';
import type { Cell } from './cells.ts';
import { drawExemplars } from './exemplars.ts';
import type { Identity } from './identity.node.ts';
import { askFor } from './prompts.ts';
import type { Sampling } from './sampling.ts';

/** How a cell's writer is asked. */
export interface Writing {
  readonly model: Identity;
  readonly system: string | undefined;
  readonly prompts: readonly string[];
  /** `null`: the model begins its turn by itself. */
  readonly prefix: string | null;
  readonly exemplars: number;
  readonly sampling: Sampling;
  readonly seed: number;
}

export interface Candidate {
  readonly key: string;
  /** Number of the prompt that is used, from 0. */
  readonly prompt: number;
  readonly exemplars: readonly string[];
  readonly messages: readonly Message[];
}

export function candidateOf({ kind, category, pool }: Cell, writing: Writing, number: number): Candidate {
  const { model, system, prompts, prefix, exemplars: count, sampling, seed } = writing;
  const words = `${seed}/${kind}/${category.name}/${number}`;
  const exemplars = drawExemplars(pool, count, words);
  const prompt = Math.floor(mulberry32(hashText(`${words}/prompt`))() * prompts.length);
  const messages = askFor({ system, prompt: prompts[prompt]!, category, exemplars });
  const { temperature, topP = null, maxTokens, stop } = sampling;
  const asked = [messages.map(({ role, content }) => [role, content]), prefix, temperature, topP, maxTokens, stop];
  const key = hashKey(['generate', kind, category.name, model, ...asked, seed, number]);
  return { key, prompt, exemplars: exemplars.map(({ id }) => id), messages };
}
