import { ConfigError } from 'onnx-grad';
import { refusal } from './refusal.ts';
import type { TokenKind } from './vocabulary.ts';

/**
 * Merges and scores. A tokenizer.json lists the pairs that may be joined, in their order. llama.cpp's SentencePiece joins any
 * two neighbours whose texts together are a token, the token of the highest score first. The two agree where every token's
 * text falls, when all other joins are done, into the one pair that the merges know.
 *
 * Why that is enough: until two neighbours are joined to token t, no join has crossed their outer edges, so between these the
 * same has happened as in the text of t alone. If merging that text does not lead to a pair (l, r), then l and r never
 * stand side by side in any text; if it does, they are the only pair of t that ever will.
 *
 * Source: llama.cpp, src/llama-vocab.cpp `llm_tokenizer_spm_session`; tokenizers 0.23, models/bpe/word.rs `merge_all`
 */

/** How early a pair is joined, smaller is earlier; `undefined` for never. */
type PairOrder = (left: string, right: string) => number | undefined;

/** The order of a list of merges; of equal pairs the last one counts. */
function orderOfMerges(merges: Iterable<readonly [left: string, right: string]>): PairOrder {
  const ranks = new Map<string, Map<string, number>>();
  let rank = 0;
  for (const [left, right] of merges) {
    const after = ranks.get(left) ?? new Map<string, number>();
    ranks.set(left, after.set(right, rank++));
  }
  return (left, right) => ranks.get(left)?.get(right);
}

/** The order of scores. */
function orderOfScores(scores: ReadonlyMap<string, number>): PairOrder {
  return (left, right) => {
    const score = scores.get(left + right);
    return score === undefined ? undefined : -score;
  };
}

/** The two pieces that joining leaves of a token's text before the last join; `undefined` where more than two are left. */
function lastPair(token: string, order: PairOrder): readonly [left: string, right: string] | undefined {
  const pieces = [...token];
  const rankAt = (at: number) => order(pieces[at]!, pieces[at + 1]!) ?? Infinity;
  const ranks = Array.from({ length: pieces.length - 1 }, (_, at) => rankAt(at)); // of each piece with the next
  while (pieces.length > 2) {
    let first = 0;
    for (let at = 1; at < ranks.length; at++) if (ranks[at]! < ranks[first]!) first = at;
    if (ranks[first] === Infinity) return undefined;
    pieces.splice(first, 2, pieces[first]! + pieces[first + 1]!);
    ranks.splice(first, 1);
    if (first > 0) ranks[first - 1] = rankAt(first - 1);
    if (first < ranks.length) ranks[first] = rankAt(first);
  }
  return pieces.length === 2 ? [pieces[0]!, pieces[1]!] : undefined;
}

/** Whether text can become a token of this kind by joining. Tokens that are cut out of texts never need to. */
function isJoined(kind: TokenKind): boolean {
  return kind !== 'control' && kind !== 'unknown' && kind !== 'user-defined';
}

/**
 * The scores by which llama.cpp joins as the merges do.
 * @returns one a token: minus the rank of the merge that gives it, 0 where none does
 * @throws ConfigError where it would join what the merges do not, control tokens spelled out in a text above all
 */
export function scoresOfMerges(
  tokens: readonly string[],
  kinds: readonly TokenKind[],
  merges: readonly (readonly [left: string, right: string])[],
): number[] {
  const order = orderOfMerges(merges);
  return tokens.map((token, id) => {
    const kind = kinds[id]!;
    const pair = lastPair(token, order);
    const isOneJoinAway = pair !== undefined || [...token].length === 1;
    if (kind === 'user-defined' || (isJoined(kind) ? pair === undefined : !isOneJoinAway)) return 0;
    const rank = isJoined(kind) ? order(...pair!) : undefined;
    if (rank !== undefined) return -rank;
    const problem = `do not make token ${id}, but llama.cpp would join its text to it`;
    throw refusal('model.merges', problem, 'the merges of a trained vocabulary, and control tokens unlike its words');
  });
}

/**
 * The merges that join as scores do, the highest first.
 * @throws ConfigError where equal scores leave the order to the place in the text, which merges cannot say: llama.cpp's
 *   converter makes such files, all scores -1000, of folders without a tokenizer.model
 */
export function mergesOfScores(
  tokens: readonly string[],
  kinds: readonly TokenKind[],
  scores: readonly number[],
): (readonly [left: string, right: string])[] {
  const scoreOf = new Map<string, number>();
  tokens.forEach((token, id) => {
    if (isJoined(kinds[id]!)) scoreOf.set(token, scores[id]!);
  });
  const order = orderOfScores(scoreOf);
  const found = [...scoreOf].flatMap(([token, score]) => {
    const pair = lastPair(token, order);
    return pair === undefined ? [] : [{ pair, score }];
  });
  found.sort((a, b) => b.score - a.score);
  const tie = found.find(({ score }, i) => score === found[i + 1]?.score);
  if (tie !== undefined) {
    const remedy = 'Take a file that was converted with them, or the folder that it was made of.';
    throw new ConfigError(
      `Several tokens have the score ${tie.score}: the GGUF lacks the vocabulary's order. ${remedy}`,
    );
  }
  return found.map(({ pair }) => pair);
}
