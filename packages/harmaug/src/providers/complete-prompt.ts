/** The whole text that a model goes on from, put together here. */
import { ProviderError } from '../errors.ts';
import type { ChatTemplate } from '../templates/chat-template.ts';
import type { Render } from '../templates/render.ts';
import { type Prompt, replaceBetween } from '../templates/segments.ts';
import type { Input } from './provider.ts';

/** What completions need: the model's template where conversations are asked. */
export interface LocalTemplate {
  readonly template: ChatTemplate;
  readonly render: Render;
}

/**
 * The whole text before the model's words, data marked.
 * @throws ProviderError 'unsupported' for a conversation without a template
 */
export function completePrompt(input: Input, prefix: string, local: LocalTemplate | null): Prompt {
  const end = { text: prefix, isData: true };
  if (input.kind === 'text') return [...input.prompt, end];
  if (local === null) {
    const remedy = 'Give its folder as "tokenizer", or a Jinja file as "template".';
    throw new ProviderError(`Completions need the model's chat template. ${remedy}`, {
      problem: 'unsupported',
      isRetryable: false,
    });
  }
  const rendered = local.render(input.messages, input.render);
  if (!input.replace) return [...rendered, end];
  const { begin, end: until, text } = input.replace;
  const replaced = replaceBetween(rendered, begin, until, text);
  if (replaced) return [...replaced, end];
  throw new ProviderError(`The template has no "${begin}" … "${until}" to put the policy between.`, {
    problem: 'unsupported',
    isRetryable: false,
  });
}
