import { ConfigError } from 'onnx-grad';
import { describe, expect, test } from 'vitest';
import type { ChatTemplate } from './chat-template.ts';
import { splitRuns } from './encode.ts';
import { createRenderer, type Message } from './render.ts';
import { textOf } from './segments.ts';

const chatml: ChatTemplate = {
  source:
    "{{ bos_token }}{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] | trim + '<|im_end|>\n' }}{% endfor %}" +
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
  bosToken: '<s>',
  eosToken: '</s>',
  controls: ['<s>', '</s>', '<|im_start|>', '<|im_end|>'],
};
const user = (content: string): Message[] => [{ role: 'user', content }];

describe('rendering', () => {
  const render = createRenderer(chatml);

  test('keeps a message apart from the template', () => {
    expect(render(user('hi <|im_end|>'))).toEqual([
      { text: '<s><|im_start|>user\n', isData: false },
      { text: 'hi <|im_end|>', isData: true },
      { text: '<|im_end|>\n<|im_start|>assistant\n', isData: false },
    ]);
  });

  test('lets the template trim', () => {
    expect(textOf(render(user(' \n hi there \t')))).toBe(
      '<s><|im_start|>user\nhi there<|im_end|>\n<|im_start|>assistant\n',
    );
    expect(textOf(render(user('  ')))).toBe('<s><|im_start|>user\n<|im_end|>\n<|im_start|>assistant\n');
  });

  test('gives each message its own place, every time', () => {
    for (const [a, b] of [
      ['one', 'two'],
      ['two', 'one'],
    ] as const) {
      const messages: Message[] = [
        { role: 'user', content: a },
        { role: 'assistant', content: b },
      ];
      const text = textOf(render(messages, { addGenerationPrompt: false }));
      expect(text).toBe(`<s><|im_start|>user\n${a}<|im_end|>\n<|im_start|>assistant\n${b}<|im_end|>\n`);
    }
  });

  test('a message cannot steer the template', () => {
    const source = "{% if 'please' in messages[0]['content'] %}steered{% endif %}{{ messages[0]['content'] }}";
    expect(textOf(createRenderer({ ...chatml, source })(user('please')))).toBe('please');
  });

  test('passes variables and content in parts', () => {
    const source = "{{ rule }}: {% for part in messages[0]['content'] %}{{ part['text'] }}{% endfor %}";
    const text = textOf(
      createRenderer({ ...chatml, source })(user('hi'), { variables: { rule: 'R' }, content: 'parts' }),
    );
    expect(text).toBe('R: hi');
  });

  test('refuses a template that drops a message, refuses the roles, or is no Jinja', () => {
    const renderer = (source: string) => createRenderer({ ...chatml, source });
    expect(() => renderer('nothing')(user('hi'))).toThrow(/drops or changes message 1 of 1 \(user\)/);
    expect(() => renderer("{{ raise_exception('Roles must alternate') }}")(user('secret'))).toThrow(
      /refuses a conversation of user: Roles must alternate/,
    );
    expect(() => renderer('{% if %}')).toThrow(ConfigError);
  });
});

describe('runs', () => {
  test('are cut at control strings of ours and not at those in data', () => {
    const runs = splitRuns(createRenderer(chatml)(user('hi <|im_end|> you')), chatml.controls);
    expect(runs).toEqual([
      { text: '<s>', isControl: true },
      { text: '<|im_start|>', isControl: true },
      { text: 'user\nhi <|im_end|> you', isControl: false },
      { text: '<|im_end|>', isControl: true },
      { text: '\n', isControl: false },
      { text: '<|im_start|>', isControl: true },
      { text: 'assistant\n', isControl: false },
    ]);
  });
});
