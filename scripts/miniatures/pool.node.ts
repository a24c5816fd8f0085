/** What the miniatures are taught: samples/pool, a grammar of mild instructions, refusals and replies for each category. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Category } from '../../packages/harmaug/src/stages/categories.ts';
import type { Kind } from '../../packages/harmaug/src/stages/prompts.ts';
import { strictObject } from '../../packages/harmaug/src/text/schema.ts';
import { capitalise, expand, type Lists, pick, type Uniform } from './grammar.ts';

const folder = path.resolve(import.meta.dirname, '../../samples/pool');

const lines = z.string().transform((text) => text.split('\n').filter(Boolean));
const choices = z.string().transform((text) => text.split(' | '));

const commonFile = strictObject({
  slots: z.record(z.string(), choices),
  frames: lines,
  contexts: lines,
  refusals: lines,
  freeRefusals: lines,
  writerRefusals: lines,
  offers: lines,
  openings: lines,
  closings: lines,
  harmlessOpenings: lines,
});

const topicFile = strictObject({
  name: z.string(),
  description: z.string(),
  aliases: z.array(z.string()).default([]),
  slots: z.record(z.string(), choices),
  deeds: lines,
  harmful: lines,
  innocent: lines,
  benign: lines,
  matter: choices,
  reasons: lines,
  replies: lines,
  answers: lines,
});

/** In the order of the teacher's codes S1, S2, … */
const topicNames = ['cheating', 'rudeness', 'spam', 'pranks', 'lying', 'snooping', 'freeloading', 'nuisance'] as const;

/** One category with everything that can be said about it. */
export interface Topic {
  readonly category: Category;
  /** S1, S2, … as the teacher names it. */
  readonly code: string;
  /** Distinct instructions: what the miniatures learn from. */
  readonly instructions: Readonly<Record<Kind, readonly string[]>>;
  readonly refusal: (uniform: Uniform) => string;
  /** One in freer words, which `isRefusal` may not know. */
  readonly freeRefusal: (uniform: Uniform) => string;
  /** Of a writer that is asked for an instruction. */
  readonly writerRefusal: (uniform: Uniform) => string;
  /** A reply that does as asked: to a harmful instruction, or to a harmless one. */
  readonly reply: (kind: Kind, uniform: Uniform) => string;
}

const DEED_SHARE = 0.65; // of instructions that are a deed within a frame; the others are whole lines
const CONTEXT_SHARE = 0.15; // begin with a sentence about something else
const LOWER_SHARE = 0.12; // begin in lower case, as people type
const BARE_SHARE = 0.08; // end without a mark

/**
 * @param perKind distinct instructions of each kind in each category
 * @param uniform the same draws give the same pool
 */
export function readPool(perKind: number, uniform: Uniform): readonly Topic[] {
  const common = commonFile.parse(readYaml('frames'));
  return topicNames.map((name, index) => {
    const file = topicFile.parse(readYaml(name));
    const { name: title, description, aliases, matter, reasons } = file;
    const lists: Lists = { ...common.slots, ...file.slots, matter, reason: reasons, offer: common.offers };
    const say = (list: readonly string[]) => (draw: Uniform) => capitalise(expand(pick(list, draw), lists, draw));
    const request = (kind: Kind) => {
      const [deeds, whole] = kind === 'harmful' ? [file.deeds, file.harmful] : [file.innocent, file.benign];
      if (uniform() >= DEED_SHARE) return capitalise(expand(pick(whole, uniform), lists, uniform));
      const deed = expand(pick(deeds, uniform), lists, uniform);
      return expand(pick(common.frames, uniform), { ...lists, deed: [deed] }, uniform);
    };
    const instruction = (kind: Kind) => {
      const text = asTyped(request(kind), uniform);
      return uniform() < CONTEXT_SHARE ? `${expand(pick(common.contexts, uniform), lists, uniform)} ${text}` : text;
    };
    return {
      category: { name: title, description, aliases },
      code: `S${index + 1}`,
      instructions: {
        harmful: distinct(perKind, () => instruction('harmful')),
        benign: distinct(perKind, () => instruction('benign')),
      },
      refusal: say(common.refusals),
      freeRefusal: say(common.freeRefusals),
      writerRefusal: say(common.writerRefusals),
      reply: (kind, draw) =>
        kind === 'harmful'
          ? reply(common.openings, file.replies, common.closings, draw)
          : reply(common.harmlessOpenings, file.answers, [], draw),
    };
  });
}

/** One or two steps behind an opening, and at times a closing. */
function reply(
  openings: readonly string[],
  steps: readonly string[],
  closings: readonly string[],
  uniform: Uniform,
): string {
  const opening = expand(pick(openings, uniform), {}, uniform);
  const first = pick(steps, uniform);
  const second = uniform() < 0.3 ? pick(steps, uniform) : first;
  const said = second === first ? first : `${first}, ${pick(['then', 'or', 'and after that'], uniform)} ${second}`;
  const body = `${opening} ${opening.endsWith('.') ? capitalise(said) : said}.`;
  return closings.length > 0 && uniform() < 0.25 ? `${body} ${pick(closings, uniform)}` : body;
}

function asTyped(text: string, uniform: Uniform): string {
  const cased = uniform() < LOWER_SHARE && !text.startsWith('I ') ? text.charAt(0).toLowerCase() + text.slice(1) : text;
  return uniform() < BARE_SHARE ? cased.replace(/[.?!]$/, '') : cased;
}

function distinct(count: number, draw: () => string): string[] {
  const found = new Set<string>();
  for (let tries = 0; found.size < count && tries < 20 * count; tries++) found.add(draw());
  return [...found];
}

function readYaml(name: string): unknown {
  return parse(readFileSync(path.join(folder, `${name}.yaml`), 'utf8'));
}
