import { ConfigError } from 'onnx-grad';
import type { JsonObject } from '../files/json.ts';
import { pairKey } from './bpe.ts';
import { byteCharacters, splitWords, toByteLevel } from './byte-level.ts';

/**
 * Training a byte-level BPE: the most frequent pair of neighbours becomes a token, again and again. Of equally frequent
 * pairs the one with the smaller ids comes first, so the same texts always give the same tokenizer.
 *
 * Source: Sennrich et al. 2016, arXiv:1508.07909; tokenizers 0.23, models/bpe/trainer.rs, whose choices these are
 */
export interface BpeTraining {
  /** Tokens in all: 5 special ones, 256 bytes, and the merges. Fewer where pairs run out. */
  readonly vocabSize: number;
  /** Pairs seen less often are not merged. Default 2. */
  readonly minFrequency?: number;
}

const specialTokens = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'] as const; // ids 0 to 4

/**
 * Trains a tokenizer on texts and gives its tokenizer.json, which transformers reads too. Any text comes back from its ids
 * as it was.
 * @example
 * const json = trainBpe((await readFile('corpus.txt', 'utf8')).split('\n'), { vocabSize: 8000 });
 * await writeFile('guard/tokenizer.json', JSON.stringify(json));
 * @throws ConfigError for a vocabulary without room for all bytes
 */
export function trainBpe(texts: Iterable<string>, { vocabSize, minFrequency = 2 }: BpeTraining): JsonObject {
  const tokens: string[] = [...specialTokens, ...byteCharacters.toSorted()];
  if (!Number.isInteger(vocabSize) || vocabSize < tokens.length || vocabSize > 2 ** 24) {
    throw new ConfigError(`vocabSize must be a whole number from ${tokens.length} to 2^24, got ${vocabSize}.`);
  }
  if (!(minFrequency >= 1)) throw new ConfigError(`minFrequency must be at least 1, got ${minFrequency}.`);
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const pairs = new PairCounts(countWords(texts, ids));
  const merges: [string, string][] = [];
  for (;;) {
    if (tokens.length >= vocabSize) break;
    const pair = pairs.takeMostFrequent(minFrequency);
    if (pair === undefined) break;
    const [left, right] = [tokens[pair.left]!, tokens[pair.right]!];
    const joined = left + right;
    if (!ids.has(joined)) ids.set(joined, tokens.push(joined) - 1); // else it was made from another pair already
    merges.push([left, right]);
    pairs.merge(pair, ids.get(joined)!);
  }
  return describe(ids, merges);
}

/** A word's tokens, and how often it was seen. */
interface Word {
  ids: number[];
  readonly count: number;
}

function countWords(texts: Iterable<string>, ids: ReadonlyMap<string, number>): Word[] {
  const counts = new Map<string, number>();
  for (const text of texts) for (const word of splitWords(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].map(([word, count]) => {
    return { count, ids: Array.from(toByteLevel(word), (character) => ids.get(character)!) };
  });
}

interface Pair {
  readonly left: number;
  readonly right: number;
}

interface PairEntry extends Pair {
  count: number;
  /** Words that have it, or had it. */
  readonly words: Set<Word>;
}

/** How often each pair of neighbours occurs, kept up to date from merge to merge. */
class PairCounts {
  readonly #pairs = new Map<number, PairEntry>();

  constructor(words: readonly Word[]) {
    for (const word of words) this.#add(word, word.count);
  }

  /** Looks at every pair: time grows with merges times pairs, some seconds for 8,000 merges. */
  takeMostFrequent(minFrequency: number): PairEntry | undefined {
    let best: PairEntry | undefined;
    for (const entry of this.#pairs.values()) {
      if (entry.count < minFrequency || (best && entry.count < best.count)) continue;
      if (!best || entry.count > best.count || comesBefore(entry, best)) best = entry;
    }
    if (best) this.#pairs.delete(pairKey(best.left, best.right));
    return best;
  }

  /** Writes the pair as one token in every word that has it. */
  merge({ left, right, words }: PairEntry, joined: number): void {
    for (const word of words) {
      this.#add(word, -word.count);
      word.ids = join(word.ids, left, right, joined);
      this.#add(word, word.count);
    }
  }

  #add(word: Word, times: number): void {
    for (let at = 1; at < word.ids.length; at++) {
      const [left, right] = [word.ids[at - 1]!, word.ids[at]!];
      const key = pairKey(left, right);
      let entry = this.#pairs.get(key);
      if (!entry) {
        if (times < 0) continue; // the pair that is being merged
        entry = { left, right, count: 0, words: new Set() };
        this.#pairs.set(key, entry);
      }
      entry.count += times;
      entry.words.add(word);
      if (entry.count === 0) this.#pairs.delete(key);
    }
  }
}

function comesBefore(a: Pair, b: Pair): boolean {
  return a.left < b.left || (a.left === b.left && a.right < b.right);
}

function join(ids: readonly number[], left: number, right: number, joined: number): number[] {
  const result: number[] = [];
  for (let at = 0; at < ids.length; at++) {
    const isPair = ids[at] === left && ids[at + 1] === right;
    result.push(isPair ? joined : ids[at]!);
    if (isPair) at++;
  }
  return result;
}

/** tokenizer.json, one text between [CLS] and [SEP], two as BERT has them. */
function describe(vocab: ReadonlyMap<string, number>, merges: readonly [string, string][]): JsonObject {
  const token = (id: string, typeId: number) => ({ SpecialToken: { id, type_id: typeId } });
  const text = (id: 'A' | 'B', typeId: number) => ({ Sequence: { id, type_id: typeId } });
  const single = [token('[CLS]', 0), text('A', 0), token('[SEP]', 0)];
  const plain = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: specialTokens.map((content, id) => ({ id, content, ...plain })),
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: {
      type: 'TemplateProcessing',
      single,
      pair: [...single, text('B', 1), token('[SEP]', 1)],
      special_tokens: Object.fromEntries(
        ['[CLS]', '[SEP]'].map((name) => [name, { id: name, ids: [vocab.get(name)], tokens: [name] }]),
      ),
    },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(vocab),
      merges,
    },
  };
}
