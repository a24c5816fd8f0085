/**
 * Guards that list categories between two markers and answer safe or unsafe in their first words: Llama Guard and its kin.
 * Source: shared/teachers.md 2.1 to 2.4, 2.9, 2.10; HarmAug, src/utils.py: the versions from 3 on write "\n\n" first.
 */
import { codeIn, type Family, messagesOf } from '../family.ts';

const MARKERS = { begin: '<BEGIN UNSAFE CONTENT CATEGORIES>', end: '<END UNSAFE CONTENT CATEGORIES>' };

interface Kind {
  readonly summary: string;
  readonly license: string;
  readonly prompt?: Family['prompt'];
  readonly policy?: Family['policy'];
  readonly judges?: Family['judges'];
  /** Written before the verdict. */
  readonly lead?: string;
  /** Space before the verdict, as the tokenizer has it. */
  readonly space?: string;
  readonly content?: 'string' | 'parts';
  readonly codes: RegExp;
}

function llamaGuard(kind: Kind): Family {
  const { lead = '', space = '', content = 'string', codes } = kind;
  return {
    summary: kind.summary,
    license: kind.license,
    prompt: kind.prompt ?? 'model template',
    policy: kind.policy ?? 'replaces',
    judges: kind.judges ?? 'prompts and responses',
    ask: (judged, policy) => [
      {
        about: null,
        input: {
          kind: 'chat',
          messages: messagesOf(judged),
          render: { content },
          ...(policy === undefined ? {} : { replace: { ...MARKERS, text: `\n${policy.trim()}\n` } }),
        },
        lead,
        positions: 'first',
        match: 'exact',
        candidates: [`${space}unsafe`, `${space}safe`],
        sides: { unsafe: [0], safe: [1] },
        maxTokens: 16,
      },
    ],
    category: (text) => (/\bunsafe\b/.test(text) ? codeIn(text, codes) : null),
  };
}

const S = /\bS\d{1,2}\b/;
const O = /\bO\d{1,2}\b/;

export const llamaGuards = {
  'llama-guard-1': llamaGuard({
    summary: 'LlamaGuard-7b: 6 categories, the verdict is the first token',
    license: 'Llama 2: outputs may not improve other models',
    space: ' ',
    codes: O,
  }),
  'llama-guard-2': llamaGuard({
    summary: 'Llama-Guard-2-8B: 11 categories, the verdict is the first token',
    license: 'Llama 3: a model trained on its outputs is named Llama-…',
    codes: S,
  }),
  'llama-guard-3-8b': llamaGuard({
    summary: 'Llama-Guard-3-8B, the teacher of the paper: 14 categories, the verdict after an empty line',
    license: 'Llama 3.1: a model trained on its outputs is named Llama-…',
    lead: '\n\n',
    codes: S,
  }),
  'llama-guard-3-1b': llamaGuard({
    summary: 'Llama-Guard-3-1B: 13 categories, the verdict after an empty line',
    license: 'Llama 3.2: a model trained on its outputs is named Llama-…',
    lead: '\n\n',
    content: 'parts',
    codes: S,
  }),
  'llama-guard-4': llamaGuard({
    summary: 'Llama-Guard-4-12B: 14 categories, the verdict after an empty line',
    license: 'Llama 4: a model trained on its outputs is named Llama-…',
    lead: '\n\n',
    content: 'parts',
    codes: S,
  }),
  aegis: llamaGuard({
    summary: "NVIDIA's Aegis, an adapter of LlamaGuard-7b: its template with the policy of the Aegis card, to be given",
    license: 'Llama 2: outputs may not improve other models',
    policy: 'needed',
    space: ' ',
    codes: O,
  }),
  'md-judge': llamaGuard({
    summary: 'MD-Judge-v0.1 (Mistral 7B): judges responses; its prompt is to be given as a template',
    license: 'Apache-2.0',
    prompt: 'given template',
    judges: 'responses',
    space: ' ',
    codes: O,
  }),
} satisfies Record<string, Family>;
