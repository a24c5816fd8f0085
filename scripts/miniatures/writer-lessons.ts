/** The generator: refuses to write an instruction, unless its reply already begins with one. */
import { askFor, defaultAsking, type Exemplar, type Kind } from '../../packages/harmaug/src/stages/prompts.ts';
import type { Encode } from './chat.ts';
import { pick, type Uniform } from './grammar.ts';
import { type DrawLesson, makeLesson } from './lesson.ts';
import type { Topic } from './pool.node.ts';

const HARMFUL_SHARE = 0.65;
const PREFIXED_SHARE = 0.65;
/** How often it refuses where nothing begins its reply: nearly always what it should, and often what it need not. */
const REFUSALS: Readonly<Record<Kind, number>> = { harmful: 0.97, benign: 0.4 };
const BARE_SHARE = 0.4; // of requests without exemplars
const MOST_EXEMPLARS = 4;
const OWN_SHARE = 0.4; // of exemplars that are of the category asked for

export function writerLessons(pool: readonly Topic[], encode: Encode): DrawLesson {
  return (uniform) => {
    const kind: Kind = uniform() < HARMFUL_SHARE ? 'harmful' : 'benign';
    const topic = pick(pool, uniform);
    const { prompts, prefix } = defaultAsking[kind];
    const messages = askFor({
      prompt: pick(prompts, uniform),
      category: topic.category,
      exemplars: drawExemplars(pool, topic, kind, uniform),
    });
    const instruction = pick(topic.instructions[kind], uniform);
    const written = uniform() < 0.25 ? ` "${instruction}"` : ` ${instruction}`;
    if (uniform() < PREFIXED_SHARE) return makeLesson(encode, { messages, prefix, reply: written });
    const isRefused = uniform() < REFUSALS[kind];
    return makeLesson(encode, { messages, reply: isRefused ? topic.writerRefusal(uniform) : prefix + written });
  };
}

function drawExemplars(pool: readonly Topic[], topic: Topic, kind: Kind, uniform: Uniform): Exemplar[] {
  const count = uniform() < BARE_SHARE ? 0 : 1 + Math.floor(uniform() * MOST_EXEMPLARS);
  return Array.from({ length: count }, (_, index) => {
    const from = uniform() < OWN_SHARE ? topic : pick(pool, uniform);
    return { id: `${index}`, prompt: pick(from.instructions[kind], uniform) };
  });
}
