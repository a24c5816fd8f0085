import { describe, expect, test } from 'vitest';
import type { Message } from '../../templates/render.ts';
import { createRenderer } from '../../templates/render.ts';
import { write } from '../../templates/segments.ts';
import { completePrompt } from '../complete-prompt.ts';
import { type DialectName, dialects } from './dialects.ts';
import { type Ask, chatBody, completionBody } from './requests.ts';

const messages: Message[] = [{ role: 'user', content: 'Hello' }];
const ask: Ask = { id: 'a', input: { kind: 'chat', messages }, maxTokens: 16, temperature: 0 };
const same = (text: string) => text;
const chat = (name: DialectName, more: Partial<Ask> = {}) => chatBody(dialects[name], 'm', { ...ask, ...more }, same);
const last = (body: ReturnType<typeof chat>) => (body.messages as unknown[]).at(-1);

describe('a chat request', () => {
  test('says that it goes on from a prefix as each server wants it', () => {
    const prefix = 'Sure:';
    const message = { role: 'assistant', content: prefix };
    expect(chat('vllm', { prefix })).toMatchObject({ continue_final_message: true, add_generation_prompt: false });
    expect(last(chat('vllm', { prefix }))).toEqual(message);
    for (const name of ['llama.cpp', 'ollama', 'tgi', 'openrouter', 'together'] as const) {
      expect(chat(name, { prefix })).toEqual({ ...chat(name), messages: [...messages, message] });
    }
    for (const name of ['mistral', 'deepseek'] as const) {
      expect(last(chat(name, { prefix }))).toEqual({ ...message, prefix: true });
    }
    expect(() => chat('openai', { prefix })).toThrow(
      /openai cannot go on from a prefix in its chat\. Use api: completions/,
    );
  });

  test('has the fields that were asked for, by the names the server knows', () => {
    expect(chat('vllm', { topP: 0.9, stop: ['\n'], seed: 7, topLogprobs: 20 })).toEqual({
      model: 'm',
      messages,
      max_tokens: 16,
      temperature: 0,
      top_p: 0.9,
      stop: ['\n'],
      seed: 7,
      logprobs: true,
      top_logprobs: 20,
    });
    expect(chat('mistral', { seed: 7 })).toMatchObject({ random_seed: 7 });
    expect(chat('openai')).toMatchObject({ max_completion_tokens: 16 });
    expect(chat('llama-cpp-python')).toMatchObject({ repeat_penalty: 1 });
    expect(chat('together', { topLogprobs: 5 })).toMatchObject({ logprobs: 5 });
  });

  test('passes template variables where the server takes them', () => {
    const input = { kind: 'chat', messages, render: { variables: { guideline: 'x' }, content: 'parts' } } as const;
    const body = chat('vllm', { input });
    expect(body).toMatchObject({ chat_template_kwargs: { guideline: 'x' } });
    expect(last(body)).toEqual({ role: 'user', content: [{ type: 'text', text: 'Hello' }] });
    expect(() => chat('ollama', { input })).toThrow(/takes no template variables, and this one needs guideline/);
  });

  test('is refused for what only a completion can do', () => {
    expect(() => chat('vllm', { input: { kind: 'text', prompt: write`x` } })).toThrow(/Use api: completions/);
    const replace = { begin: '<', end: '>', text: '' };
    expect(() => chat('vllm', { input: { kind: 'chat', messages, replace } })).toThrow(/its policy cannot be replaced/);
  });
});

describe('a completion request', () => {
  const template = {
    source: "{{ bos_token }}<rules>old</rules>{% for m in messages %}{{ m['content'] }}{% endfor %}{{ '\n' }}",
    bosToken: '<s>',
    eosToken: '</s>',
    controls: [],
  };
  const local = { template, render: createRenderer(template) };
  const prompt = completePrompt(ask.input, 'Sure:', local);

  test('holds the whole text, the BOS token once', () => {
    expect(completionBody(dialects.vllm, 'm', ask, prompt, '<s>')).toEqual({
      model: 'm',
      max_tokens: 16,
      temperature: 0,
      prompt: '<s><rules>old</rules>Hello\nSure:',
      add_special_tokens: false,
    });
    const plain = completionBody(dialects.completions, 'm', { ...ask, topLogprobs: 5 }, prompt, '<s>');
    expect(plain).toMatchObject({ prompt: '<rules>old</rules>Hello\nSure:', logprobs: 5 });
    expect(plain).not.toHaveProperty('add_special_tokens');
  });

  test('can have another policy in its template', () => {
    const replace = { begin: '<rules>', end: '</rules>', text: 'new' };
    const replaced = completePrompt({ kind: 'chat', messages, replace }, '', local);
    expect(replaced[0]).toEqual({ text: '<s><rules>new</rules>', isData: false });
    const missing = { ...replace, begin: '<policy>' };
    expect(() => completePrompt({ kind: 'chat', messages, replace: missing }, '', local)).toThrow(/no "<policy>"/);
  });

  test('needs the template for a conversation', () => {
    expect(() => completePrompt(ask.input, '', null)).toThrow(/Give its folder as "tokenizer"/);
  });
});
