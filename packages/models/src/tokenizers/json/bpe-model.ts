import type { JsonObject } from '../../files/json.ts';
import { createBpeEncoder, pairKey } from '../bpe.ts';
import { type ComponentPlace, fieldError } from './components.ts';
import { byteIdsOf, readVocab, type WordModel } from './models.ts';

/**
 * A "BPE" model of a tokenizer.json: byte-level as those of RoBERTa, ModernBERT, Llama 3 and Qwen, or with bytes for the
 * characters it lacks as SentencePiece's of Llama 2.
 *
 * Ours for the reason WordPiece is: that of @huggingface/tokenizers 0.2.0 cannot be told which tokens text must not reach.
 *
 * Source: tokenizers 0.23, models/bpe/model.rs and serialization.rs
 */
export function createBpe(config: JsonObject, place: ComponentPlace): WordModel {
  for (const key of ['continuing_subword_prefix', 'end_of_word_suffix', 'dropout']) {
    const value = config[key];
    const isAbsent = value === undefined || value === null || value === '' || value === false || value === 0;
    if (!isAbsent) throw fieldError(place, key, 'is not supported: none of the models we read has it.');
  }
  const vocab = readVocab(config.vocab, place);
  const { unk_token: unkToken } = config;
  const unkId = typeof unkToken === 'string' ? vocab.get(unkToken) : undefined;
  if (typeof unkToken === 'string' && unkId === undefined) {
    throw fieldError(place, 'unk_token', 'must be a token of the vocabulary.');
  }
  const pairs = readMerges(config.merges, place);
  const merged = pairs.map(([left, right], i) => {
    const ids = [left, right, left + right].map((token) => vocab.get(token));
    if (ids.includes(undefined)) {
      throw fieldError(place, `merges[${i}]`, 'must join two tokens of the vocabulary to a third.');
    }
    return ids as [left: number, right: number, joined: number];
  });
  const none = new Map<string, number>();
  return {
    kind: 'bpe',
    vocab,
    unkId,
    createEncoder(forbidden) {
      const allowed = [...vocab].filter(([, id]) => !forbidden.has(id));
      const ranks = new Map<number, number>();
      merged.forEach(([left, right, joined], rank) => {
        if (!forbidden.has(joined)) ranks.set(pairKey(left, right), rank); // of equal pairs the last one counts
      });
      return createBpeEncoder({
        ranks,
        unkId,
        merged: merged.map(([, , joined]) => joined),
        symbols: new Map(allowed.filter(([token]) => isOneCharacter(token))),
        words: config.ignore_merges === true ? new Map(allowed) : none,
        fusesUnknown: config.fuse_unk === true,
        byteIds: config.byte_fallback === true ? byteIdsOf(vocab) : undefined,
      });
    },
  };
}

function isOneCharacter(token: string): boolean {
  return token.length === 1 || (token.length === 2 && token.codePointAt(0)! > 0xffff);
}

/** `["a", "b"]`, or "a b" as files before 2024 have it; they may begin with a line "#version". */
function readMerges(value: unknown, place: ComponentPlace): [string, string][] {
  if (!Array.isArray(value)) throw fieldError(place, 'merges', 'must be a list of pairs.');
  const list = value.filter((entry) => !(typeof entry === 'string' && entry.startsWith('#version')));
  return list.map((entry: unknown, i) => {
    const parts: unknown = typeof entry === 'string' ? entry.split(' ') : entry;
    if (Array.isArray(parts) && parts.length === 2 && parts.every((part) => typeof part === 'string')) {
      return parts as [string, string];
    }
    throw fieldError(place, `merges[${i}]`, 'must be two tokens.');
  });
}
