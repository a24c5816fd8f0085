/** Qwen3Guard-Gen: three verdicts; `strict` counts Controversial as unsafe, `loose` as safe. Source: 2.7, technical report */
import { type Family, messagesOf } from '../family.ts';
import type { Sides } from '../verdict.ts';

const CANDIDATES = [' Unsafe', ' Controversial', ' Safe'];

function qwen3guard(summary: string, sides: Sides): Family {
  return {
    summary,
    license: 'Apache-2.0',
    prompt: 'model template',
    policy: 'none',
    judges: 'prompts and responses',
    ask: (judged) => [
      {
        about: null,
        input: { kind: 'chat', messages: messagesOf(judged) },
        lead: 'Safety:',
        positions: 'first',
        match: 'exact',
        candidates: CANDIDATES,
        sides,
        maxTokens: 32,
      },
    ],
    category: (text) => {
      const named = /Categories:\s*([^\n,]+)/.exec(text)?.[1]?.trim();
      return named === undefined || named === 'None' ? null : named;
    },
  };
}

export const qwen3guards = {
  'qwen3guard-strict': qwen3guard('Qwen3Guard-Gen 0.6B, 4B, 8B: what is controversial counts as unsafe', {
    unsafe: [0, 1],
    safe: [2],
  }),
  'qwen3guard-loose': qwen3guard('Qwen3Guard-Gen 0.6B, 4B, 8B: what is controversial counts as safe', {
    unsafe: [0],
    safe: [1, 2],
  }),
} satisfies Record<string, Family>;
