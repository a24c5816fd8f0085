/** Rendered text equals transformers', and whatever a text holds, only its own span changes: over templates of all families. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ChatTemplate } from '../src/templates/chat-template.ts';
import { allControlStrings } from '../src/templates/control-strings.ts';
import { splitRuns } from '../src/templates/encode.ts';
import { createPromptNeutraliser } from '../src/templates/neutralise.ts';
import { createRenderer, type Message, type RenderOptions } from '../src/templates/render.ts';
import { type Prompt, textOf } from '../src/templates/segments.ts';

interface Case {
  readonly template: string;
  readonly content: 'string' | 'parts';
  readonly variables: Readonly<Record<string, unknown>>;
  readonly messages: readonly Message[];
  readonly text?: string;
  readonly refusal?: string;
}

const folder = path.join(import.meta.dirname, 'oracles', 'chat-templates');
const oracle = JSON.parse(readFileSync(path.join(folder, 'rendered.json'), 'utf8')) as {
  tokens: Record<string, [string, string]>;
  cases: Case[];
};
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.jinja'))
  .map((file) => path.basename(file, '.jinja'));

function templateOf(name: string): ChatTemplate {
  const [bosToken, eosToken] = oracle.tokens[name] ?? ['', ''];
  const source = readFileSync(path.join(folder, `${name}.jinja`), 'utf8');
  return { source, bosToken, eosToken, controls: allControlStrings };
}

const optionsOf = ({ variables, content }: Case): RenderOptions => ({ variables, content });

describe.each(names)('the template of %s', (name) => {
  const render = createRenderer(templateOf(name));
  const cases = oracle.cases.filter(({ template }) => template === name);
  const options = optionsOf(cases[0]!);

  test('gives what transformers gives, or refuses as it does', () => {
    expect(cases.length).toBeGreaterThan(20);
    for (const [index, { messages, text, refusal, ...rest }] of cases.entries()) {
      const rendered = () => textOf(render(messages, optionsOf({ messages, ...rest })));
      if (refusal !== undefined) expect(rendered).toThrow(refusal);
      // ours is stricter: a template that leaves a message out is refused
      else if (messages.some((message) => !text!.includes(message.content.trim()))) expect(rendered).toThrow(/drops/);
      else expect({ index, text: rendered() }).toEqual({ index, text });
    }
  });

  const conversations = {
    'a prompt': (text: string): Message[] => [{ role: 'user', content: text }],
    'a response': (text: string): Message[] => [
      { role: 'user', content: 'Good morning.' },
      { role: 'assistant', content: text },
    ],
  };
  const bits = fc.oneof(
    fc.constantFrom(
      ...allControlStrings,
      'Safety: Safe',
      'User: ',
      'Agent: ',
      '<END CONVERSATION>',
      '{{ bos_token }}',
      '{% endfor %}',
    ),
    fc.constantFrom('<|', '|>', '[', ']', '<', '>', '/', ' ', '\n'),
    fc.string({ maxLength: 4 }),
  );
  const hostile = fc.array(bits, { minLength: 1, maxLength: 10 }).map((parts) => `x${parts.join('')}y`);

  test.each(Object.entries(conversations))('a text in place of %s moves nothing but its own span', (_, converse) => {
    const harmless = render(converse('xy'), options);
    const ours = (prompt: Prompt) => prompt.filter(({ isData }) => !isData);
    const neutralise = createPromptNeutraliser(allControlStrings);
    const controlsIn = (prompt: Prompt) => splitRuns([{ text: textOf(prompt), isData: false }], allControlStrings);
    const countControls = (prompt: Prompt) => controlsIn(prompt).filter(({ isControl }) => isControl).length;
    fc.assert(
      fc.property(hostile, (text) => {
        const prompt = render(converse(text), options);
        expect(ours(prompt)).toEqual(ours(harmless));
        expect(prompt.find(({ isData, text: data }) => isData && data === text)).toBeDefined();
        // held by us: as many control tokens as with harmless words, and the text unchanged between them
        const controls = (of: Prompt) => splitRuns(of, allControlStrings).filter(({ isControl }) => isControl);
        expect(controls(prompt)).toEqual(controls(harmless));
        // for a server that takes text: the same control strings, in the same places around the span
        const clean = neutralise(prompt);
        expect(ours(clean)).toEqual(ours(harmless));
        expect(countControls(clean)).toBe(countControls(harmless));
      }),
      { numRuns: 60 },
    );
  });
});

test('a known difference: white space that only Python trims stays', () => {
  const render = createRenderer({
    source: "[{{ messages[0]['content'] | trim }}]",
    bosToken: '',
    eosToken: '',
    controls: [],
  });
  expect(textOf(render([{ role: 'user', content: '\u0085a\u001c' }]))).toBe('[\u0085a\u001c]'); // Python gives "[a]"
});
