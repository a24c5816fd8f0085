import { describe, expect, it } from 'vitest';
import { loadTokenizer } from '../src/tokenizers/load.ts';
import { fixtureKinds, fixtureNames, readRecorded, readTexts, readTokenizerFiles } from './tokenizer-fixtures.node.ts';

/** Ids against transformers on 2,232 texts: see test/oracles/tokenizers. Real tokenizers: scripts/check-tokenizers.ts. */

const { texts, pairs } = readTexts();

describe.each(fixtureNames)('the %s tokenizer', (name) => {
  const files = readTokenizerFiles(name);
  const recorded = readRecorded(name);
  const asTokens = loadTokenizer(files, { specialTokensInText: 'tokens' });
  const asText = loadTokenizer(files);
  const controls = new Set(Object.values(asText.special));

  it('gives the ids of transformers for every text', () => {
    const differing = texts.filter((text, i) => asTokens.encode(text).ids.join() !== recorded.ids[i]!.join());
    expect(differing).toEqual([]);
  });

  it('cuts pairs to a length as transformers does, with the same type ids', () => {
    const around = asTokens.assemble([], []).ids.length; // fewer than the special tokens is refused
    pairs.forEach(([first, second, maxLength], i) => {
      if (maxLength < around) return;
      const { ids, typeIds } = asTokens.encode(texts[first]!, texts[second]!, { maxLength });
      expect([ids, typeIds]).toEqual(recorded.pairs[i]);
    });
  });

  it('never turns text into a control token by default', () => {
    for (const text of texts) {
      const inside = asText.tokenize(text).filter((id) => controls.has(id) && id !== asText.special.unk);
      expect(inside).toEqual([]);
    }
  });

  it('reads special tokens in text as transformers does with split_special_tokens, where that keeps them out', () => {
    const controlsIn = (ids: readonly number[]) => ids.filter((id) => controls.has(id)).length;
    let keptOut = 0;
    for (const [i, theirs] of Object.entries(recorded.asText)) {
      const ours = asText.encode(texts[Number(i)]!).ids;
      if (controlsIn(theirs) > controlsIn(ours)) {
        expect(fixtureKinds[name]).toBe('unigram'); // known difference: the reference's vocabulary holds the control tokens
      } else {
        expect(ours).toEqual(theirs);
        keptOut++;
      }
    }
    const isTried = Object.keys(recorded.asText).length > 0; // the texts hold special tokens of encoders
    if (isTried && fixtureKinds[name] !== 'unigram') expect(keptOut).toBeGreaterThan(0);
  });

  it('gives ids below vocabSize, and text back from them', () => {
    for (const text of ['homework', 'running jumped happily', 'long make thing']) {
      const ids = asText.tokenize(text);
      expect(Math.max(...ids)).toBeLessThan(asText.vocabSize);
      expect(asText.decode(ids).trimStart()).toBe(text);
    }
  });

  it('leaves special tokens out of decoded text when asked', () => {
    const { ids } = asText.encode('homework', 'running');
    const around = asText.assemble([], []).ids; // none in Qwen2
    for (const id of around) expect(asText.decode(ids)).toContain(asText.decode([id]));
    expect(asText.decode(ids, { skipSpecialTokens: true }).trimStart()).toMatch(/^homework ?running$/); // bytes have no more
  });

  it.each([
    ['10,000 spaces', ' '.repeat(10_000)],
    ['one word of 100,000 letters', 'x'.repeat(100_000)],
    ['100,000 accents on one letter', `a${'\u0301'.repeat(100_000)}`],
    ['100,000 unknown characters', '\u{1F9FF}'.repeat(100_000)],
  ])('takes %s in linear time', (_, text) => {
    asText.tokenize(text.slice(0, 1000));
    const begin = performance.now();
    asText.tokenize(text);
    expect(performance.now() - begin).toBeLessThan(2000); // a quadratic pass over 100,000 takes minutes
  });
});
