/** Where tests find the tiny real model, and the template they use with it: it has none of its own. */
import { existsSync } from 'node:fs';
import path from 'node:path';

/** HARMAUG_STORIES_GGUF, or beside the repository; `null` where it is not. */
export function storiesFile(): string | null {
  const file =
    process.env.HARMAUG_STORIES_GGUF ??
    path.join(import.meta.dirname, '../../../../shared/data/models/stories260K.gguf');
  return existsSync(file) ? path.resolve(file) : null;
}

/** Bare: the model knows stories, not conversations. */
export const storiesTemplate =
  "{{ bos_token }}{% for message in messages %}{{ message['content'] + '\\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ 'Once' }}{% endif %}";
