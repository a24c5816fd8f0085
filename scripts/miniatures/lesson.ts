/** What a language model reads at once, and which of it it is to learn. */
import { IGNORED_LABEL } from 'onnx-grad';
import type { Message } from '../../packages/harmaug/src/templates/render.ts';
import { END_ID, type Encode } from './chat.ts';
import type { Uniform } from './grammar.ts';

export interface Lesson {
  readonly ids: readonly number[];
  /** The same ids, -100 where nothing is to be learned. */
  readonly labels: readonly number[];
}

export type DrawLesson = (uniform: Uniform) => Lesson;

export interface LessonParts {
  readonly messages: readonly Message[];
  /** Put into the model's mouth: read, not learned. */
  readonly prefix?: string;
  /** What it goes on with. */
  readonly reply: string;
}

/** The reply alone is learned. */
export function makeLesson(encode: Encode, { messages, prefix = '', reply }: LessonParts): Lesson {
  const given = encode(messages, prefix).length;
  const ids = [...encode(messages, prefix + reply), END_ID];
  return { ids, labels: ids.map((id, at) => (at < given ? IGNORED_LABEL : id)) };
}
