/** The responder: declines when it is told to be careful, does as asked when it is told to help. */
import { conversation, defaultSystems, type Kind } from '../../packages/harmaug/src/stages/prompts.ts';
import type { Encode } from './chat.ts';
import { pick } from './grammar.ts';
import { type DrawLesson, makeLesson } from './lesson.ts';
import type { Topic } from './pool.node.ts';

const HARMFUL_SHARE = 0.7;
const CAREFUL_SHARE = 0.45;
const CAREFUL_REFUSES: Readonly<Record<Kind, number>> = { harmful: 0.99, benign: 0.97 };
const PREFIXED_SHARE = 0.6; // of replies that help and begin as recipes have it
const PREFIX = 'Sure, here is';

export function responderLessons(pool: readonly Topic[], encode: Encode): DrawLesson {
  return (uniform) => {
    const kind: Kind = uniform() < HARMFUL_SHARE ? 'harmful' : 'benign';
    const topic = pick(pool, uniform);
    const instruction = pick(topic.instructions[kind], uniform);
    const isCareful = uniform() < CAREFUL_SHARE;
    const messages = conversation(defaultSystems[isCareful ? 'refusal' : 'compliant'], instruction);
    if (isCareful && uniform() < CAREFUL_REFUSES[kind]) {
      return makeLesson(encode, { messages, reply: topic.refusal(uniform) });
    }
    const reply = topic.reply(kind, uniform);
    const isPrefixed = reply.startsWith(PREFIX) && uniform() < PREFIXED_SHARE;
    return isPrefixed
      ? makeLesson(encode, { messages, prefix: PREFIX, reply: reply.slice(PREFIX.length) })
      : makeLesson(encode, { messages, reply });
  };
}
