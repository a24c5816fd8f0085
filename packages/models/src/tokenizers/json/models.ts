import { isObject, type JsonObject } from '../../files/json.ts';
import { readId } from '../added-tokens.ts';
import { buildByteTrie } from '../byte-trie.ts';
import type { TokenizerKind } from '../tokenizer.ts';
import { createUnigramEncoder } from '../unigram.ts';
import { ByteBuffer } from '../utf8.ts';
import { createBpe } from './bpe-model.ts';
import { build, type ComponentPlace, fieldError } from './components.ts';

/**
 * The "model" of a tokenizer.json: one word to ids.
 *
 * All are ours. WordPiece of @huggingface/tokenizers 0.2.0 is right but cannot be told which tokens text must not reach;
 * its Unigram builds a lattice of objects, and holds control tokens among the pieces.
 *
 * Source: tokenizers 0.23, models/wordpiece/mod.rs and models/unigram/model.rs
 */
export interface WordModel {
  readonly kind: TokenizerKind;
  /** Token -> id. */
  readonly vocab: ReadonlyMap<string, number>;
  readonly unkId: number | undefined;
  /**
   * Ids of words, appended to the output.
   * @param forbidden ids that words must not turn into, however they are spelled
   */
  createEncoder(forbidden: ReadonlySet<number>): (word: string, ids: number[]) => void;
}

const MAX_VOCAB = 4_000_000;

const models: { readonly [type: string]: (config: JsonObject, place: ComponentPlace) => WordModel } = {
  WordPiece: createWordPiece,
  BPE: createBpe,
  Unigram: createUnigram,
};

/** @throws FormatError naming the field */
export function createModel(value: unknown, place: ComponentPlace): WordModel {
  return build(models, isObject(value) ? { ...value, type: value.type ?? guessType(value) } : value, place);
}

/** Files written before 2020 leave "type" out. */
function guessType({ vocab, merges }: JsonObject): string | undefined {
  if (merges !== undefined) return 'BPE';
  return Array.isArray(vocab) ? 'Unigram' : 'WordPiece';
}

function createWordPiece(config: JsonObject, place: ComponentPlace): WordModel {
  const {
    unk_token: unkToken,
    continuing_subword_prefix: prefix = '##',
    max_input_chars_per_word: maxChars = 100,
  } = config;
  if (typeof prefix !== 'string') throw fieldError(place, 'continuing_subword_prefix', 'must be a string.');
  if (!Number.isInteger(maxChars) || (maxChars as number) < 1 || (maxChars as number) > 10_000) {
    throw fieldError(place, 'max_input_chars_per_word', 'must be a whole number from 1 to 10,000.');
  }
  const vocab = readVocab(config.vocab, place);
  const unkId = typeof unkToken === 'string' ? vocab.get(unkToken) : undefined;
  if (unkId === undefined) throw fieldError(place, 'unk_token', 'must be a token of the vocabulary.');
  const longest = [...vocab.keys()].reduce((length, token) => Math.max(length, token.length), 1); // UTF-16 units

  return {
    kind: 'wordpiece',
    vocab,
    unkId,
    createEncoder(forbidden) {
      const idOf = forbidden.size === 0 ? vocab : new Map([...vocab].filter(([, id]) => !forbidden.has(id)));
      return (word, ids) => {
        const begin = ids.length;
        if (word.length > (maxChars as number) && [...word].length > (maxChars as number)) {
          ids.push(unkId);
          return;
        }
        for (let start = 0; start < word.length; ) {
          let end = Math.min(word.length, start + longest);
          let id: number | undefined;
          for (; end > start; end--) {
            const piece = word.slice(start, end);
            id = idOf.get(start === 0 ? piece : prefix + piece);
            if (id !== undefined) break;
          }
          if (id === undefined) {
            ids.length = begin; // one piece unknown, the whole word unknown
            ids.push(unkId);
            return;
          }
          ids.push(id);
          start = end;
        }
      };
    },
  };
}

export function readVocab(value: unknown, place: ComponentPlace): Map<string, number> {
  if (!isObject(value)) throw fieldError(place, 'vocab', 'must be an object, token to id.');
  const entries = Object.entries(value);
  checkVocabSize(entries.length, place);
  const vocab = new Map<string, number>();
  for (const [token, id] of entries) vocab.set(token, readId(id, place.file, `${place.field}.vocab`));
  return vocab;
}

function checkVocabSize(size: number, place: ComponentPlace): void {
  if (size === 0 || size > MAX_VOCAB) throw fieldError(place, 'vocab', `must have 1 to ${MAX_VOCAB} tokens.`);
}

const UNK_PENALTY = 10; // unigram/model.rs, K_UNK_PENALTY

function createUnigram(config: JsonObject, place: ComponentPlace): WordModel {
  const { vocab: pieces, unk_id: unkId, byte_fallback: hasByteFallback } = config;
  if (!Array.isArray(pieces)) throw fieldError(place, 'vocab', 'must be a list of [piece, score].');
  checkVocabSize(pieces.length, place);
  const vocab = new Map<string, number>();
  const scores = new Float64Array(pieces.length);
  pieces.forEach((entry: unknown, id) => {
    const [piece, score] = Array.isArray(entry) && entry.length === 2 ? (entry as unknown[]) : [];
    if (typeof piece !== 'string' || typeof score !== 'number' || !Number.isFinite(score)) {
      throw fieldError(place, `vocab[${id}]`, 'must be [piece, score].');
    }
    vocab.set(piece, id); // of equal pieces the last one counts, as in the reference
    scores[id] = score;
  });
  if (!Number.isInteger(unkId) || !((unkId as number) >= 0 && (unkId as number) < pieces.length)) {
    throw fieldError(place, 'unk_id', 'must be the id of a piece.');
  }
  const encoder = new TextEncoder();
  return {
    kind: 'unigram',
    vocab,
    unkId: unkId as number,
    createEncoder(forbidden) {
      const allowed = [...vocab].filter(([piece, id]) => piece !== '' && !forbidden.has(id));
      const encode = createUnigramEncoder({
        trie: buildByteTrie(allowed.map(([piece, id]) => [encoder.encode(piece), id] as const)),
        scores,
        unkId: unkId as number,
        unkScore: scores.reduce((low, score) => Math.min(low, score), Infinity) - UNK_PENALTY,
        byteIds: hasByteFallback === true ? byteIdsOf(vocab) : undefined,
        sums: 'float64',
      });
      const bytes = new ByteBuffer();
      return (word, ids) => {
        bytes.setText(word);
        encode(bytes.bytes, bytes.length, ids);
      };
    },
  };
}

/** Ids of "<0x00>" to "<0xFF>", -1 for those that the vocabulary lacks. */
export function byteIdsOf(vocab: ReadonlyMap<string, number>): Int32Array {
  const name = (byte: number) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
  return Int32Array.from({ length: 256 }, (_, byte) => vocab.get(name(byte)) ?? -1);
}
