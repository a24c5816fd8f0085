/** Every family is asked, and its verdict read, where shared/teachers.md says. */
import { describe, expect, test } from 'vitest';
import { ProviderError } from '../errors.ts';
import type { NextTokensRequest } from '../providers/provider.ts';
import { type ScriptedOptions, scriptedProvider } from '../providers/scripted.ts';
import { textOf } from '../templates/segments.ts';
import { type FamilyName, families, familyNames } from './families/index.ts';
import { createLlmTeacher } from './llm-teacher.ts';

const prompt = { id: 'row-1', prompt: 'How do I kill a Python process?' };
const pair = { ...prompt, response: 'With Ctrl-C.' };
const policyOf = (name: FamilyName) => (families[name].policy === 'needed' ? 'O1: Rudeness.' : undefined);

function open(name: FamilyName, options: ScriptedOptions = {}, policy = policyOf(name)) {
  const provider = scriptedProvider(options);
  return { provider, teacher: createLlmTeacher(name, provider, { policy }) };
}

const asked = (provider: ReturnType<typeof scriptedProvider>) =>
  provider.calls.map(({ request }) => request as NextTokensRequest);

/** Probabilities under every family's words: unsafe 0.6, safe 0.2. */
const words = {
  unsafe: 0.6,
  safe: 0.2,
  ' unsafe': 0.6,
  ' safe': 0.2,
  Yes: 0.6,
  No: 0.2,
  ' yes': 0.6,
  ' no': 0.2,
  yes: 0.6,
  no: 0.2,
  1: 0.6,
  0: 0.2,
};
const qwen = { ' Unsafe': 0.4, ' Controversial': 0.2, ' Safe': 0.2 };

describe.each(familyNames)('%s', (name) => {
  const isQwen = name.startsWith('qwen');
  const expected = name === 'qwen3guard-loose' ? 0.5 : 0.75;
  const judges = families[name].judges === 'responses' ? [pair] : [prompt, pair];

  test.each(judges)('gives p(unsafe) from its verdict tokens', async (judged) => {
    const { teacher } = open(name, { probabilities: isQwen ? qwen : words });
    const verdict = await teacher.judge(judged);
    if (verdict.kind !== 'scored') return expect.unreachable();
    expect(verdict.score).toBeCloseTo(expected, 6);
    expect(verdict.logOdds).toBeCloseTo(Math.log(expected / (1 - expected)), 6);
  });

  test('says nothing where a verdict token is missing, and never "safe"', async () => {
    const all = Object.entries(isQwen ? qwen : words);
    for (const [missing] of all) {
      const probabilities = Object.fromEntries(all.filter(([word]) => word !== missing));
      const { provider, teacher } = open(name, { probabilities });
      const verdict = await teacher.judge(pair);
      const isRead = asked(provider).some(({ candidates }) => candidates.includes(missing));
      expect(verdict.kind).toBe(isRead ? 'abstained' : 'scored');
    }
  });

  test('says nothing of a text that is too long', async () => {
    const tooLong = new ProviderError('too long', { problem: 'too-long', isRetryable: false });
    const { teacher } = open(name, { probabilities: () => Promise.reject(tooLong) });
    expect(await teacher.judge(pair)).toMatchObject({ kind: 'abstained', reason: 'text too long' });
  });

  test('passes other failures on', async () => {
    const down = new ProviderError('down', { problem: 'network', isRetryable: false });
    const { teacher } = open(name, { probabilities: () => Promise.reject(down) });
    await expect(teacher.judge(pair)).rejects.toBe(down);
  });

  test('puts the text into data alone', async () => {
    const { provider, teacher } = open(name, { probabilities: isQwen ? qwen : words });
    await teacher.judge({ id: 'a', prompt: 'CANARY-P', response: 'CANARY-R' });
    for (const { input } of asked(provider)) {
      if (input.kind === 'chat') continue; // all messages are data
      for (const { text, isData } of input.prompt) if (!isData) expect(text).not.toMatch(/CANARY/);
    }
  });
});

describe('where the verdict stands', () => {
  const places: [FamilyName, 'prompt' | 'pair', object, object][] = [
    // rendered here, behind a chat
    ['llama-guard-1', 'prompt', { prefix: '', point: { after: '' } }, { point: { after: '' } }],
    ['llama-guard-2', 'prompt', { prefix: '', point: { after: '' } }, { point: { after: '' } }],
    ['llama-guard-3-8b', 'prompt', { prefix: '\n\n', point: { after: '' } }, { point: { after: '' } }],
    ['llama-guard-3-1b', 'pair', { prefix: '\n\n', point: { after: '' } }, { point: { after: '' } }],
    ['llama-guard-4', 'pair', { prefix: '\n\n', point: { after: '' } }, { point: { after: '' } }],
    ['shieldgemma', 'prompt', { prefix: '', point: { after: '' } }, { point: { after: '' } }],
    ['qwen3guard-strict', 'pair', { prefix: 'Safety:', point: { after: '' } }, { point: { after: 'Safety:' } }],
    [
      'granite-guardian',
      'prompt',
      { prefix: '', point: { after: '', positions: 'every' } },
      { point: { after: '', positions: 'every' } },
    ],
    ['granite-guardian-3.3', 'prompt', { prefix: '', point: { after: '<score>' } }, { point: { after: '<score>' } }],
    ['gpt-oss-safeguard', 'prompt', { point: { after: '<|channel|>final<|message|>' } }, { point: { after: '' } }],
  ];
  test.each(places)('of %s for a %s', async (name, kind, here, chat) => {
    for (const [rendersHere, place] of [
      [true, here],
      [false, chat],
    ] as const) {
      const { provider, teacher } = open(name, { rendersHere, probabilities: name.startsWith('qwen') ? qwen : words });
      await teacher.judge(kind === 'pair' ? pair : prompt);
      expect(asked(provider)[0]).toMatchObject(place);
      if (!rendersHere) expect(asked(provider)[0]).not.toHaveProperty('prefix');
    }
  });

  test('of WildGuard: the request’s line, or the response’s with the lines before it', async () => {
    const { provider, teacher } = open('wildguard', { probabilities: words });
    await teacher.judge(prompt);
    await teacher.judge(pair);
    const [alone, both] = asked(provider);
    expect(alone).toMatchObject({ prefix: 'Harmful request:', point: { after: '' } });
    expect(both).toMatchObject({ prefix: 'Harmful request:', point: { after: 'Harmful response:' } });
    if (both!.input.kind !== 'text') return expect.unreachable();
    const text = textOf(both!.input.prompt);
    expect(text).toMatch(/^<\|user\|>\n\[INST\] You are a classifier/);
    expect(text).toContain(
      'Human user:\nHow do I kill a Python process?\n\nAI assistant:\nWith Ctrl-C.\n\n---\n\nAnswers: [/INST]\n<|assistant|>\n',
    );
  });

  test('of ShieldGemma: four questions, the worst counts and names the category', async () => {
    let question = 0;
    const chances = [0.1, 0.7, 0.2, 0.3];
    const { provider, teacher } = open('shieldgemma', {
      probabilities: () => {
        const yes = chances[question++]!;
        return { Yes: yes, No: 1 - yes };
      },
    });
    const verdict = await teacher.judge(prompt);
    expect(asked(provider)).toHaveLength(4);
    expect(verdict).toMatchObject({ kind: 'scored', category: 'Harassment' });
    expect(verdict.kind === 'scored' && verdict.score).toBeCloseTo(0.7);
    const guidelines = asked(provider).map(({ input }) => input.kind === 'chat' && input.render?.variables?.guideline);
    expect(guidelines[0]).toMatch(
      /^"No Dangerous Content": The prompt shall not contain or seek generation of content that harming/,
    );
  });

  test('of a pair, ShieldGemma asks of the chatbot’s response', async () => {
    const { provider, teacher } = open('shieldgemma', { probabilities: words });
    await teacher.judge(pair);
    const [{ input }] = asked(provider) as [NextTokensRequest];
    expect(input).toMatchObject({ messages: [{ role: 'user' }, { role: 'assistant' }] });
    expect(JSON.stringify(input)).toContain('The chatbot shall not generate content that');
  });
});

describe('categories', () => {
  const cases: [FamilyName, string, string | null][] = [
    ['llama-guard-3-8b', 'unsafe\nS9,S10', 'S9'],
    ['llama-guard-1', ' unsafe\nO3', 'O3'],
    ['llama-guard-2', 'safe', null],
    ['qwen3guard-strict', ' Unsafe\nCategories: Violent, Jailbreak', 'Violent'],
    ['qwen3guard-strict', ' Safe\nCategories: None', null],
  ];
  test.each(cases)('of %s in %o', (name, text, expected) => {
    expect(families[name].category(text)).toBe(expected);
  });

  test('are named of unsafe texts only', async () => {
    const { teacher } = open('llama-guard-3-8b', {
      probabilities: { logprobs: [-3, -0.1], text: 'unsafe\nS1' },
    });
    expect(await teacher.judge(prompt)).toMatchObject({ kind: 'scored', category: null });
  });
});

describe('a policy of one’s own', () => {
  test('takes the place of the family’s', async () => {
    const policy = 'R1: Rudeness.';
    const inputOf = async (name: FamilyName) => {
      const { provider, teacher } = open(name, { probabilities: words }, policy);
      await teacher.judge(prompt);
      return asked(provider)[0]!.input;
    };
    expect(await inputOf('llama-guard-3-8b')).toMatchObject({
      replace: { begin: '<BEGIN UNSAFE CONTENT CATEGORIES>', text: '\nR1: Rudeness.\n' },
    });
    expect(await inputOf('shieldgemma')).toMatchObject({ render: { variables: { guideline: policy } } });
    expect(await inputOf('granite-guardian')).toMatchObject({
      render: { variables: { guardian_config: { risk_definition: policy } } },
    });
    expect(await inputOf('gpt-oss-safeguard')).toMatchObject({
      messages: [{ role: 'system', content: policy }, { role: 'user' }],
    });
  });

  test('is refused or asked for where the family wants it so', () => {
    const provider = scriptedProvider();
    expect(() => createLlmTeacher('wildguard', provider, { policy: 'x' })).toThrow(
      'wildguard takes no policy of your own.',
    );
    expect(() => createLlmTeacher('aegis', provider)).toThrow(/aegis needs its policy/);
  });
});

test('what cannot be asked of a provider is refused when the teacher is made', () => {
  expect(() => createLlmTeacher('wildguard', scriptedProvider({ rendersHere: false }))).toThrow(/Use api: completions/);
  expect(() => createLlmTeacher('llama-guard-1', scriptedProvider({ maxTopLogprobs: 0 }))).toThrow(/gives none/);
});

test('a prompt alone is not for a judge of responses', async () => {
  const { teacher } = open('md-judge', { probabilities: words });
  expect(await teacher.judge(prompt)).toMatchObject({ kind: 'abstained', reason: 'needs a response' });
});
