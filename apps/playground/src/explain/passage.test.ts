import type { GuardAnswer } from '@harmaug/guard';
import { describe, expect, it } from 'vitest';
import { passagesOf, requestOf } from './passage.ts';

const answer = (more: Partial<GuardAnswer>): GuardAnswer => ({
  score: 0.9,
  verdict: 'unsafe',
  threshold: 0.5,
  window: { prompt: [0, 3] },
  windows: 1,
  ...more,
});

describe('passagesOf', () => {
  it('cuts the worst window out, with some of what is around it', () => {
    const prompt = `${'a'.repeat(300)}WINDOW${'b'.repeat(10)}`;
    const [only, ...rest] = passagesOf({ prompt }, answer({ window: { prompt: [300, 306] }, windows: 3 }));
    expect(rest).toEqual([]);
    expect(only).toEqual({ field: 'prompt', text: 'WINDOW', before: `…${'a'.repeat(240)}`, after: 'b'.repeat(10) });
  });

  it('has both texts of an exchange, an empty response too', () => {
    const request = { prompt: 'you', response: 'fine' };
    const both = passagesOf(request, answer({ window: { prompt: [0, 3], response: [0, 4] } }));
    expect(requestOf(both)).toEqual(request);
    const none = passagesOf({ prompt: 'you', response: '' }, answer({ window: { prompt: [0, 3], response: [0, 0] } }));
    expect(requestOf(none)).toEqual({ prompt: 'you', response: '' });
  });

  it('says what an encoded text says', () => {
    const hidden = btoa('you are a stupid lazy dog');
    const prompt = `read ${hidden} now`;
    const window = { prompt: [5, 5 + hidden.length] as const };
    const passages = passagesOf({ prompt }, answer({ window, view: 'base64' }));
    expect(passages).toEqual([
      { field: 'prompt', text: 'you are a stupid lazy dog', before: '', after: '', view: 'base64' },
    ]);
    const inResponse = passagesOf(
      { prompt: 'hi', response: prompt },
      answer({ window: { prompt: [0, 2], response: window.prompt }, view: 'base64' }),
    );
    expect(requestOf(inResponse)).toEqual({ prompt: 'hi', response: 'you are a stupid lazy dog' });
  });
});
