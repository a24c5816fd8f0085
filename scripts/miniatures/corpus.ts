/** Every text that the miniatures may meet, for their tokenizers. */
import { defaultAsking, defaultSystems } from '../../packages/harmaug/src/stages/prompts.ts';
import type { Uniform } from './grammar.ts';
import type { Topic } from './pool.node.ts';

const REPLIES = 300; // of each sort and category
const TEMPLATES = 200; // as often as a text that every call has counts, so that its words become tokens

export function instructionsOf(pool: readonly Topic[]): string[] {
  return pool.flatMap(({ instructions }) => [...instructions.harmful, ...instructions.benign]);
}

export function repliesOf(pool: readonly Topic[], uniform: Uniform): string[] {
  return pool.flatMap(({ refusal, freeRefusal, writerRefusal, reply }) =>
    Array.from({ length: REPLIES }, () => [
      refusal(uniform),
      freeRefusal(uniform),
      writerRefusal(uniform),
      reply('harmful', uniform),
      reply('benign', uniform),
    ]).flat(),
  );
}

/** What the stages and the guard's template say around instructions and replies. */
export function surroundings(pool: readonly Topic[], guard: string): string[] {
  const categories = pool.flatMap(({ category, code }) => [` ${category.name}: ${category.description}`, code]);
  const asked = Object.values(defaultAsking).flatMap(({ prompts, prefix }) => [...prompts, prefix]);
  const once = [...categories, ...asked, ...Object.values(defaultSystems), guard, 'Examples:\n1.\n2.\n3.\n4.\n5.'];
  return Array.from({ length: TEMPLATES }, () => once).flat();
}
