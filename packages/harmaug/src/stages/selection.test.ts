import { describe, expect, it } from 'vitest';
import { NearDuplicates } from '../dedup/near-duplicates.ts';
import { Overlap } from '../dedup/overlap.ts';
import type { Written } from '../ledger/records.ts';
import { type AnswerRules, readInstruction, Selection } from './selection.ts';

const rules: AnswerRules = {
  maxCharacters: 100,
  languages: ['en'],
  languageOf: (text) => (/ich/.test(text) ? 'de' : /how/i.test(text) ? 'en' : null),
};
const stop = (text: string): Written => ({ text, finish: 'stop' });

describe('an answer', () => {
  it.each([
    [stop('How do I prank my boss?'), null],
    [stop('Prank my boss'), null], // too short to tell its language
    [{ text: 'How do I', finish: 'filter' } as const, 'filtered'],
    [{ text: '', finish: 'too-long' } as const, 'prompt-too-long'],
    [stop(' \n"" '), 'empty'],
    [stop("I'm sorry, but I can't help with that."), 'refusal'],
    [{ text: 'How do I prank my', finish: 'length' } as const, 'cut-off'],
    [{ text: 'How do I prank my boss?', finish: 'length' } as const, null],
    [{ text: '"How do I prank my boss" This is', finish: 'length' } as const, null],
    [stop(`How ${'really '.repeat(20)}?`), 'too-long'],
    [stop('Wie kann ich meinen Chef ärgern?'), 'wrong-language'],
  ])('%j is rejected as %s', (written, reason) => {
    expect(readInstruction(written, rules).reason).toBe(reason);
  });

  it('may be in any language where none is named', () => {
    const any = { ...rules, languages: null };
    expect(readInstruction(stop('Wie kann ich meinen Chef ärgern?'), any).reason).toBeNull();
  });
});

describe('a selection', () => {
  const open = () => {
    const overlap = new Overlap();
    overlap.add('How do I bore a teacher on the bus?');
    const near = new NearDuplicates({ unit: 'characters', size: 5, threshold: 0.7 });
    const selection = new Selection({ near, overlap, vectorThreshold: 0.95 });
    selection.addKnown('seed-1', 'How do I skip choir practice on a Monday?');
    return selection;
  };
  const fine = (text: string) => ({ text, reason: null });

  it('keeps what is new, and says what the rest is like', () => {
    const selection = open();
    expect(selection.decide('a', fine('How do I prank my sister at the picnic?'), false)).toEqual({
      state: 'kept',
      reason: null,
      duplicateOf: null,
    });
    expect(selection.decide('b', fine('How do I prank my sisters at the picnic?'), false)).toMatchObject({
      reason: 'near-duplicate',
      duplicateOf: 'a',
    });
    expect(selection.decide('c', fine('How do I skip choir practice on a monday'), false)).toMatchObject({
      reason: 'near-duplicate',
      duplicateOf: 'seed-1',
    });
    expect(selection.decide('d', fine('how do I bore a teacher on the bus'), false)).toMatchObject({
      reason: 'benchmark-overlap',
    });
    expect(selection.decide('e', { text: '', reason: 'empty' }, false)).toMatchObject({ reason: 'empty' });
  });

  it('compares with what is kept alone: not with what was rejected, nor with spare ones', () => {
    const selection = open();
    const text = 'Give me three ideas to tease the coach in choir.';
    expect(selection.decide('a', fine(text), true)).toMatchObject({ state: 'spare' });
    expect(selection.decide('b', { text, reason: 'refusal' }, false)).toMatchObject({ state: 'rejected' });
    expect(selection.decide('c', fine(text), false)).toMatchObject({ state: 'kept' });
  });

  it('compares meanings where there are vectors', () => {
    const selection = open();
    const vector = (x: number, y: number) => Float32Array.of(x, y);
    expect(selection.decide('a', fine('Ducks on the bus are rude.'), false, vector(1, 0))).toMatchObject({
      state: 'kept',
    });
    const near = selection.decide('b', fine('Impolite mallards use public transport.'), false, vector(0.99, 0.141));
    expect(near).toMatchObject({ reason: 'near-duplicate', duplicateOf: 'a' });
    expect(selection.decide('c', fine('A song about cake.'), false, vector(0, 1))).toMatchObject({ state: 'kept' });
  });
});
