import fc from 'fast-check';
import { ConfigError } from 'onnx-grad';
import { describe, expect, it } from 'vitest';
import { createBpeEncoder, pairKey } from '../tokenizers/bpe.ts';
import { mergesOfScores, scoresOfMerges } from './spm-order.ts';
import type { TokenKind } from './vocabulary.ts';

/** llama.cpp's way, step by step: of all neighbours that make a token those of the highest score, the leftmost first. */
function joinByScores(text: string, tokens: readonly string[], scores: readonly number[]): string[] {
  const pieces = [...text];
  for (;;) {
    let best: { at: number; score: number } | undefined;
    for (let at = 0; at + 1 < pieces.length; at++) {
      const id = tokens.indexOf(pieces[at]! + pieces[at + 1]!);
      if (id >= 0 && (best === undefined || scores[id]! > best.score)) best = { at, score: scores[id]! };
    }
    if (best === undefined) return pieces;
    pieces.splice(best.at, 2, pieces[best.at]! + pieces[best.at + 1]!);
  }
}

function joinByMerges(
  text: string,
  tokens: readonly string[],
  merges: readonly (readonly [string, string])[],
): string[] {
  const idOf = new Map(tokens.map((token, id) => [token, id]));
  const encode = createBpeEncoder({
    symbols: new Map([...idOf].filter(([token]) => token.length === 1)),
    ranks: new Map(merges.map(([left, right], rank) => [pairKey(idOf.get(left)!, idOf.get(right)!), rank])),
    merged: merges.map((pair) => idOf.get(pair.join(''))!),
    words: new Map(),
    unkId: undefined,
    fusesUnknown: false,
  });
  const ids: number[] = [];
  encode(text, ids);
  return ids.map((id) => tokens[id]!);
}

const LETTERS = ['a', 'b', 'c'];
const text = fc.string({ unit: fc.constantFrom(...LETTERS), maxLength: 14 });

/** Vocabularies of three letters with some merges, sensible or not: each joins two tokens there are by then. */
const anyMerges = fc.array(fc.tuple(fc.nat(30), fc.nat(30)), { maxLength: 12 }).map((picks) => {
  const tokens = [...LETTERS];
  const merges = picks.map(([left, right]): [string, string] => {
    const pair: [string, string] = [tokens[left % tokens.length]!, tokens[right % tokens.length]!];
    if (!tokens.includes(pair.join(''))) tokens.push(pair.join(''));
    return pair;
  });
  return { tokens, merges };
});

/** Merges as training finds them: each time the pair that is most frequent in a text. */
const trained = fc.string({ unit: fc.constantFrom(...LETTERS), minLength: 10, maxLength: 80 }).map((corpus) => {
  let pieces = [...corpus];
  const [tokens, merges]: [string[], [string, string][]] = [[...LETTERS], []];
  for (let step = 0; step < 10; step++) {
    const counts = new Map<string, { pair: [string, string]; count: number }>();
    for (let at = 0; at + 1 < pieces.length; at++) {
      const pair: [string, string] = [pieces[at]!, pieces[at + 1]!];
      const count = (counts.get(pair.join(' '))?.count ?? 0) + 1;
      counts.set(pair.join(' '), { pair, count });
    }
    const [best] = [...counts.values()].sort((a, b) => b.count - a.count);
    if (best === undefined || best.count < 2) break;
    merges.push(best.pair);
    if (!tokens.includes(best.pair.join(''))) tokens.push(best.pair.join(''));
    const next: string[] = [];
    for (let at = 0; at < pieces.length; at++) {
      const isPair = pieces[at] === best.pair[0] && pieces[at + 1] === best.pair[1];
      next.push(isPair ? best.pair.join('') : pieces[at]!);
      if (isPair) at++;
    }
    pieces = next;
  }
  return { tokens, merges };
});

const normal = (tokens: readonly string[]): TokenKind[] => tokens.map(() => 'normal');

describe('scores', () => {
  it('join as the merges do, in every vocabulary for which they are given', () => {
    let given = 0;
    fc.assert(
      fc.property(fc.oneof(anyMerges, trained), fc.array(text, { maxLength: 8 }), ({ tokens, merges }, texts) => {
        let scores: number[];
        try {
          scores = scoresOfMerges(tokens, normal(tokens), merges);
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError);
          return;
        }
        given++;
        for (const one of texts) expect(joinByScores(one, tokens, scores)).toEqual(joinByMerges(one, tokens, merges));
      }),
      { numRuns: 1500 },
    );
    expect(given).toBeGreaterThan(500);
  });

  it('are refused where llama.cpp would join what the merges do not', () => {
    // "abc" is "ab" and "c" to the merges, yet "bc" comes first, and no merge joins it with "a"
    const tokens = ['a', 'b', 'c', 'bc', 'ab', 'abc'];
    const merges = [
      ['b', 'c'],
      ['a', 'b'],
      ['ab', 'c'],
    ] as const;
    expect(joinByMerges('abc', tokens, merges)).toEqual(['a', 'bc']);
    expect(() => scoresOfMerges(tokens, normal(tokens), merges)).toThrow('do not make token 5');
  });

  it('are refused where a control token is one join away from its text', () => {
    const tokens = ['<', 's', '>', 's>', '<s>'];
    const kinds: TokenKind[] = [...normal(tokens.slice(0, 4)), 'control'];
    expect(() => scoresOfMerges(tokens, kinds, [['s', '>']])).toThrow('llama.cpp would join its text to it');
    expect(scoresOfMerges(tokens.slice(0, 3).concat('<s>'), [...normal(tokens.slice(0, 3)), 'control'], [])).toEqual([
      0, 0, 0, 0,
    ]);
    expect(() => scoresOfMerges(['|'], ['control'], [])).toThrow('do not make token 0');
  });
});

describe('merges', () => {
  it('join as the scores do', () => {
    const scored = fc
      .tuple(trained, fc.infiniteStream(fc.double({ min: -100, max: 0, noNaN: true })))
      .map(([{ tokens }, stream]) => ({ tokens, scores: tokens.map(() => stream.next().value as number) }));
    fc.assert(
      fc.property(scored, fc.array(text, { maxLength: 8 }), ({ tokens, scores }, texts) => {
        fc.pre(new Set(scores).size === scores.length);
        const merges = mergesOfScores(tokens, normal(tokens), scores);
        for (const one of texts) expect(joinByMerges(one, tokens, merges)).toEqual(joinByScores(one, tokens, scores));
      }),
      { numRuns: 500 },
    );
  });

  it('are refused where tokens of equal scores leave the order to the text', () => {
    expect(() => mergesOfScores(['a', 'b', 'ab', 'ba'], normal(['a', 'b', 'ab', 'ba']), [0, 0, -1, -1])).toThrow(
      'Several tokens have the score -1',
    );
  });
});
