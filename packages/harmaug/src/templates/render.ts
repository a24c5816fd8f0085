/**
 * Conversations through a model's own chat template, with every message kept apart from the template's text. The template
 * never sees a message: it gets a placeholder with the message's white space around it, so that trimming works as it
 * would, and the messages are put in afterwards, as data. Nothing in a message can steer the template.
 *
 * The road not taken: rendering the text and looking for it in the output, which a text can fool.
 */
import { Template } from '@huggingface/jinja';
import { ConfigError } from 'onnx-grad';
import { messageOf } from '../errors.ts';
import type { ChatTemplate } from './chat-template.ts';
import { joinSegments, type Prompt } from './segments.ts';

export interface Message {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

export interface RenderOptions {
  /** Further variables of the template, as `apply_chat_template` takes them. */
  readonly variables?: Readonly<Record<string, unknown>>;
  /** Whether content is a string or a list of parts, `[{ type: 'text', text }]`. Default 'string'. */
  readonly content?: 'string' | 'parts';
  /** Begins the assistant's turn. Default true. */
  readonly addGenerationPrompt?: boolean;
}

export type Render = (messages: readonly Message[], options?: RenderOptions) => Prompt;

const MOST_SKELETONS = 256;

/**
 * Compiles a template. What it makes of the roles and of white space is kept, so that most calls only fill in.
 * @throws ConfigError for Jinja that cannot be read; later, for a conversation that the template refuses or drops
 */
export function createRenderer(template: ChatTemplate): Render {
  let compiled: Template;
  try {
    compiled = new Template(template.source);
  } catch (cause) {
    throw new ConfigError(`The chat template is not Jinja we can read: ${messageOf(cause)}.`, { cause });
  }
  const mark = `zq${crypto.randomUUID().replaceAll('-', '')}`;
  const skeletons = new Map<string, readonly (string | number)[]>();

  return (messages, options = {}) => {
    const texts = messages.map(({ content }) => splitSpace(content));
    const slots = texts.map(
      ([before, core, after], index) => `${before}${core === '' ? '' : `${mark}x${index}x`}${after}`,
    );
    const key = JSON.stringify([messages.map(({ role }) => role), slots, options]);
    let skeleton = skeletons.get(key);
    if (skeleton === undefined) {
      const output = render(compiled, template, messages, slots, options);
      skeleton = cut(output, mark);
      assertComplete(skeleton, texts, messages);
      if (skeletons.size >= MOST_SKELETONS) skeletons.clear();
      skeletons.set(key, skeleton);
    }
    return joinSegments(
      skeleton.map((part) =>
        typeof part === 'string' ? { text: part, isData: false } : { text: texts[part]![1], isData: true },
      ),
    );
  };
}

function render(
  compiled: Template,
  { bosToken, eosToken }: ChatTemplate,
  messages: readonly Message[],
  slots: readonly string[],
  { variables = {}, content = 'string', addGenerationPrompt = true }: RenderOptions,
): string {
  const given = messages.map(({ role }, index) => {
    const text = slots[index]!;
    return { role, content: content === 'string' ? text : [{ type: 'text', text }] };
  });
  try {
    return compiled.render({
      messages: given,
      add_generation_prompt: addGenerationPrompt,
      bos_token: bosToken,
      eos_token: eosToken,
      ...variables,
    });
  } catch (cause) {
    const roles = messages.map(({ role }) => role).join(', ');
    throw new ConfigError(`The chat template refuses a conversation of ${roles}: ${messageOf(cause)}`, { cause });
  }
}

/** The output with a message's number where its placeholder stood. */
function cut(output: string, mark: string): (string | number)[] {
  return output.split(new RegExp(`${mark}x(\\d+)x`)).map((part, index) => (index % 2 === 0 ? part : Number(part)));
}

function assertComplete(
  skeleton: readonly (string | number)[],
  texts: readonly (readonly [string, string, string])[],
  messages: readonly Message[],
): void {
  for (const [index, [, core]] of texts.entries()) {
    if (core === '' || skeleton.includes(index)) continue;
    const place = `message ${index + 1} of ${messages.length} (${messages[index]!.role})`;
    throw new ConfigError(`The chat template drops or changes ${place}. Use a template that passes it on.`);
  }
}

/**
 * White space before, text, white space after. White space is what Python and JavaScript both trim; Python alone trims
 * U+001C to U+001F and U+0085, JavaScript alone U+FEFF, and these stay with the text.
 */
function splitSpace(text: string): readonly [before: string, core: string, after: string] {
  const space = '[\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]*';
  const before = new RegExp(`^${space}`).exec(text)![0];
  if (before.length === text.length) return [before, '', ''];
  const after = new RegExp(`${space}$`).exec(text)![0];
  return [before, text.slice(before.length, text.length - after.length), after];
}
