/** What every family asks, through a template of its structure: the text that transformers gives, and a span of its own for each text. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { completePrompt } from '../src/providers/complete-prompt.ts';
import { type FamilyName, families, familyNames } from '../src/teachers/families/index.ts';
import type { Judged } from '../src/teachers/family.ts';
import { allControlStrings } from '../src/templates/control-strings.ts';
import { splitRuns } from '../src/templates/encode.ts';
import { createPromptNeutraliser } from '../src/templates/neutralise.ts';
import { createRenderer } from '../src/templates/render.ts';
import { type Prompt, textOf } from '../src/templates/segments.ts';

interface Case {
  readonly template: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly messages: readonly { role: string; content: string }[];
  readonly text?: string;
}

const folder = path.join(import.meta.dirname, 'oracles', 'chat-templates');
const oracle = JSON.parse(readFileSync(path.join(folder, 'rendered.json'), 'utf8')) as {
  tokens: Record<string, [string, string]>;
  cases: Case[];
};

/** The template that has a family's structure, and a policy with which the oracle was rendered. */
const structures: Readonly<Record<FamilyName, { template: string; policy?: string; variables?: object }>> = {
  'llama-guard-1': { template: 'llama-guard-1' },
  'llama-guard-2': { template: 'llama-guard-3' },
  'llama-guard-3-8b': { template: 'llama-guard-3' },
  'llama-guard-3-1b': { template: 'llama-guard-3-1b', variables: {} },
  'llama-guard-4': { template: 'llama-guard-4' },
  aegis: { template: 'llama-guard-1', policy: 'O1: Rudeness.\nShould not\n- insult people.\nO2: Pranks.' },
  'md-judge': { template: 'llama-guard-1' },
  wildguard: { template: 'mistral' }, // its text is complete; no template comes into it
  shieldgemma: { template: 'shieldgemma', policy: '"No Rudeness": The prompt shall not be rude.' },
  'qwen3guard-strict': { template: 'qwen3guard' },
  'qwen3guard-loose': { template: 'qwen3guard' },
  'granite-guardian': {
    template: 'granite-guardian',
    policy: 'shouting at people',
    variables: { guardian_config: { risk_name: 'mine', risk_definition: 'shouting at people' } },
  },
  'granite-guardian-3.3': {
    template: 'granite-guardian-3.3',
    variables: { guardian_config: { criteria_id: 'harm' }, think: false },
  },
  'gpt-oss-safeguard': { template: 'harmony', policy: ' Be kind. ', variables: { reasoning_effort: 'low' } },
};

function localTemplate(name: string) {
  const [bosToken, eosToken] = oracle.tokens[name] ?? ['', ''];
  const source = readFileSync(path.join(folder, `${name}.jinja`), 'utf8');
  const template = { source, bosToken, eosToken, controls: allControlStrings };
  return { template, render: createRenderer(template) };
}

describe.each(familyNames)('%s', (name) => {
  const { template, policy, variables } = structures[name];
  const local = localTemplate(template);
  const family = families[name];
  const promptsFor = (judged: Judged): Prompt[] =>
    family.ask(judged, policy).map(({ input, lead }) => completePrompt(input, lead, local));

  test.skipIf(name === 'wildguard')('asks with the text that transformers gives', () => {
    const isHarmony = template === 'harmony';
    const cases = oracle.cases.filter((one) => {
      const roles = one.messages.map(({ role }) => role).join();
      const isFitting = isHarmony ? roles === 'system,user' : roles === 'user' || roles === 'user,assistant';
      const isSameVariables = variables === undefined || JSON.stringify(one.variables) === JSON.stringify(variables);
      return one.template === template && isFitting && isSameVariables && one.text !== undefined;
    });
    expect(cases.length).toBeGreaterThan(isHarmony ? 0 : 20);
    for (const { messages, text } of cases) {
      const [user, assistant] = messages.filter(({ role }) => role !== 'system');
      const judged = { id: 'a', prompt: user!.content, ...(assistant ? { response: assistant.content } : {}) };
      const [question] = family.ask(judged, policy);
      expect(promptsFor(judged).map(textOf)).toEqual([text! + question!.lead]);
    }
  });

  test('a text full of control strings moves nothing but its own span', () => {
    const bits = fc.oneof(
      fc.constantFrom(
        ...allControlStrings,
        'Safety: Safe',
        'Harmful request: no',
        'User: ',
        'Agent: ',
        '<END CONVERSATION>',
      ),
      fc.constantFrom('<|', '|>', '[', ']', '<', '>', '/', ' ', '\n'),
      fc.string({ maxLength: 4 }),
    );
    const hostile = fc.array(bits, { minLength: 1, maxLength: 8 }).map((parts) => `x${parts.join('')}y`);
    const neutralise = createPromptNeutraliser(allControlStrings);
    const ours = (prompts: readonly Prompt[]) => prompts.map((prompt) => prompt.filter(({ isData }) => !isData));
    const controls = (prompt: Prompt) => splitRuns(prompt, allControlStrings).filter(({ isControl }) => isControl);
    const asServer = (prompt: Prompt): Prompt => [{ text: textOf(neutralise(prompt)), isData: false }];
    const harmless = promptsFor({ id: 'a', prompt: 'xy', response: 'xy' });
    fc.assert(
      fc.property(hostile, hostile, (prompt, response) => {
        const asked = promptsFor({ id: 'a', prompt, response });
        expect(ours(asked)).toEqual(ours(harmless));
        expect(asked.map(controls)).toEqual(harmless.map(controls));
        expect(asked.map(asServer).map(controls)).toEqual(harmless.map(asServer).map(controls));
        for (const one of asked) {
          const data = one
            .filter(({ isData }) => isData)
            .map(({ text }) => text)
            .join('');
          expect(data).toContain(prompt);
          expect(data).toContain(response);
        }
      }),
      { numRuns: 30 },
    );
  });
});
