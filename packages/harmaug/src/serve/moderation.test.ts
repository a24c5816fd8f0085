import { describe, expect, it } from 'vitest';
import { moderationResult, moderationTexts } from './moderation.ts';

const answer = { score: 0.7, verdict: 'unsafe', threshold: 0.5, window: { prompt: [0, 4] }, windows: 1 } as const;

describe('moderations', () => {
  it('read a string, strings, and parts as one text', () => {
    expect(moderationTexts('a')).toEqual([{ prompt: 'a' }]);
    expect(moderationTexts(['a', 'b'])).toEqual([{ prompt: 'a' }, { prompt: 'b' }]);
    const parts = [
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b' },
    ] as const;
    expect(moderationTexts([...parts])).toEqual([{ prompt: 'a\nb' }]);
    expect(() => moderationTexts([parts[0], { type: 'image_url' }])).toThrow(/"input.1" is an image/);
  });

  it('give the score to the hazard that fits, and to no other', () => {
    expect(moderationResult({ ...answer, category: 'insults' }, ['insults', 'pranks'])).toEqual({
      flagged: true,
      categories: { unsafe: true, insults: true, pranks: false },
      category_scores: { unsafe: 0.7, insults: 0.7, pranks: 0 },
      category_applied_input_types: { unsafe: ['text'], insults: ['text'], pranks: ['text'] },
    });
    const safe = moderationResult({ ...answer, score: 0.2, verdict: 'safe' }, []);
    expect(safe).toMatchObject({ flagged: false, categories: { unsafe: false }, category_scores: { unsafe: 0.2 } });
  });
});
