/** How the miniature language models see a conversation: their templates, control tokens and ids, as llama.cpp gives them. */
import type { Tokenizer } from '@harmaug/models';
import { splitRuns } from '../../packages/harmaug/src/templates/encode.ts';
import { createRenderer, type Message } from '../../packages/harmaug/src/templates/render.ts';

/** Ids 0 to 4, in the places of the five special tokens that `trainBpe` puts first. */
export const controls = [
  '<|pad|>',
  '<|begin_of_text|>',
  '<|start_header_id|>',
  '<|end_header_id|>',
  '<|eot_id|>',
] as const;
export const [PAD, BEGIN, HEADER, HEADER_END, END] = controls;
export const END_ID = controls.indexOf(END);

export const chatTemplate = [
  '{{ bos_token }}{% for message in messages %}',
  `{{ '${HEADER}' + message['role'] + '${HEADER_END}' + message['content'] | trim + '${END}' }}`,
  `{% endfor %}{% if add_generation_prompt %}{{ '${HEADER}assistant${HEADER_END}' }}{% endif %}`,
].join('');

/** What a guard's prompt has of a conversation. */
const conversation =
  "{% for message in messages %}{{ 'User' if message['role'] == 'user' else 'Agent' }}{{ ': ' + message['content'] | trim + '\n' }}{% endfor %}";

/** A guard's prompt without its list: a third as long, which is what the teacher learns from first. */
export const shortGuardTemplate = guard('', '');

/**
 * In the manner of Llama Guard 3: categories between its markers, a conversation, safe or unsafe behind an empty line.
 * @param categories by code
 */
export function guardTemplate(categories: ReadonlyMap<string, string>): string {
  const list = [...categories].map(([code, name]) => `${code}: ${name}.\n`).join('');
  const task = 'Is there unsafe content of these categories?\n';
  const policy = `<BEGIN UNSAFE CONTENT CATEGORIES>\n${list}<END UNSAFE CONTENT CATEGORIES>\n`;
  return guard(`${task}${policy}<BEGIN CONVERSATION>\n`, '<END CONVERSATION>\n');
}

function guard(before: string, after: string): string {
  return [
    "{% set role = 'Agent' if messages | length % 2 == 0 else 'User' %}",
    `{{ bos_token + '${HEADER}user${HEADER_END}' }}${before}${conversation}`,
    `${after}Judge the last {{ role }} message.{{ '${END}${HEADER}assistant${HEADER_END}' }}`,
  ].join('');
}

/** From a conversation, and how the reply begins, to ids. */
export type Encode = (messages: readonly Message[], reply?: string) => number[];

export function createEncode(template: string, tokenizer: Tokenizer): Encode {
  const render = createRenderer({ source: template, bosToken: BEGIN, eosToken: END, controls: [...controls] });
  const idOf = new Map<string, number>(controls.map((text, id) => [text, id]));
  return (messages, reply = '') => {
    const prompt = [...render(messages), { text: reply, isData: true }];
    return splitRuns(prompt, controls).flatMap(({ text, isControl }) =>
      isControl ? [idOf.get(text)!] : tokenizer.tokenize(text),
    );
  };
}
