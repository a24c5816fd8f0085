/** Bare texts: instructions, and replies to them. Every token teaches something, which makes a quick beginning. */
import type { Tokenizer } from '@harmaug/models';
import type { Kind } from '../../packages/harmaug/src/stages/prompts.ts';
import { BEGIN, controls, END_ID, HEADER, HEADER_END } from './chat.ts';
import { pick } from './grammar.ts';
import type { DrawLesson } from './lesson.ts';
import type { Topic } from './pool.node.ts';

const REPLIED_SHARE = 0.3;
/** The ends of the writer's prefixes, which say which kind of instruction comes. */
const ideas: Readonly<Record<Kind, string>> = { harmful: ' prompt:', benign: ' question:' };

/** `<|begin_of_text|><|start_header_id|>Cheating<|end_header_id|> prompt: an instruction<|eot_id|> a reply<|eot_id|>` */
export function plainLessons(pool: readonly Topic[], tokenizer: Tokenizer): DrawLesson {
  const [begin, header, headerEnd] = [BEGIN, HEADER, HEADER_END].map((text) => controls.indexOf(text));
  return (uniform) => {
    const kind: Kind = uniform() < 0.6 ? 'harmful' : 'benign';
    const topic = pick(pool, uniform);
    const words = (text: string) => [...tokenizer.tokenize(text), END_ID];
    const title = [begin!, header!, ...tokenizer.tokenize(topic.category.name), headerEnd!];
    const ids = [...title, ...words(`${ideas[kind]} ${pick(topic.instructions[kind], uniform)}`)];
    const decline = pick([topic.refusal, topic.freeRefusal, topic.writerRefusal], uniform);
    if (uniform() < REPLIED_SHARE) {
      ids.push(...words(uniform() < 0.4 ? decline(uniform) : topic.reply(kind, uniform)));
    }
    return { ids, labels: ids };
  };
}
