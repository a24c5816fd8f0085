/** The teacher: safe or unsafe, and which category; of prompts, and of replies to them. */

import type { Kind } from '../../packages/harmaug/src/stages/prompts.ts';
import type { Message } from '../../packages/harmaug/src/templates/render.ts';
import type { Encode } from './chat.ts';
import { pick, type Uniform } from './grammar.ts';
import { type DrawLesson, makeLesson } from './lesson.ts';
import type { Topic } from './pool.node.ts';

/** What is judged: a prompt alone, a reply that does as asked, one that declines. */
type Case = 'prompt' | 'reply' | 'refusal';

/** How often each is seen; unsafe is what is marked so. */
const cases: readonly {
  readonly kind: Kind;
  readonly judged: Case;
  readonly isUnsafe: boolean;
  readonly share: number;
}[] = [
  { kind: 'harmful', judged: 'prompt', isUnsafe: true, share: 0.3 },
  { kind: 'benign', judged: 'prompt', isUnsafe: false, share: 0.3 },
  { kind: 'harmful', judged: 'reply', isUnsafe: true, share: 0.15 },
  { kind: 'benign', judged: 'reply', isUnsafe: false, share: 0.08 },
  { kind: 'harmful', judged: 'refusal', isUnsafe: false, share: 0.12 },
  { kind: 'benign', judged: 'refusal', isUnsafe: false, share: 0.05 },
];
const LEAD = '\n\n'; // the family's
const FREE_SHARE = 0.5; // of refusals in other words than the responder's
const GAPPED_SHARE = 0.4; // of texts with words left out, so that no single word decides
const GAP_SHARE = 0.15; // of their words

export function teacherLessons(pool: readonly Topic[], encode: Encode): DrawLesson {
  return (uniform) => {
    const { kind, judged, isUnsafe } = drawCase(uniform);
    const topic = pick(pool, uniform);
    const user = { role: 'user', content: withGaps(pick(topic.instructions[kind], uniform), uniform) } as const;
    const decline = uniform() < FREE_SHARE ? topic.freeRefusal : topic.refusal;
    const said = judged === 'refusal' ? decline(uniform) : topic.reply(kind, uniform);
    const messages: Message[] =
      judged === 'prompt' ? [user] : [user, { role: 'assistant', content: withGaps(said, uniform) }];
    return makeLesson(encode, { messages, prefix: LEAD, reply: isUnsafe ? `unsafe\n${topic.code}` : 'safe' });
  };
}

function drawCase(uniform: Uniform) {
  const point = uniform();
  let sum = 0;
  for (const one of cases) {
    sum += one.share;
    if (point < sum) return one;
  }
  return cases[0]!; // the shares add up to 1, but for rounding
}

function withGaps(text: string, uniform: Uniform): string {
  if (uniform() >= GAPPED_SHARE) return text;
  const words = text.split(' ');
  const kept = words.filter(() => uniform() >= GAP_SHARE);
  return (kept.length > 1 ? kept : words).join(' ');
}
