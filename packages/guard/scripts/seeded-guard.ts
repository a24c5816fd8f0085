/** A guard of DeBERTa-v3's shape, with weights and vocabulary from a seed: for measuring memory. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { buildModel, initialize, mulberry32 } from '@harmaug/models';
import { saveModel } from '@harmaug/models/node';
import { debertaV3 } from '../../../bench/deberta-v3.ts';

const SEED = 1;
const VOCABULARY = 128_000; // DeBERTa-v3's, and a hundred rows of embeddings more

export type SeededSize = keyof typeof debertaV3;

/** Writes it with its 8-bit model, unchecked: random weights have no answers to lose. @returns its parameters */
export async function writeSeededGuard(folder: string, size: SeededSize): Promise<number> {
  const json = { ...debertaV3[size], vocab_size: VOCABULARY + 100, id2label: { 0: 'safe', 1: 'unsafe' } };
  const model = buildModel(json, { head: 'sequence-classification' });
  const weights = new Map([...model.scope.parameters].map(([name, spec]) => [name, initialize(spec, 0.02, SEED)]));
  const tokenizerFiles = new Map([['tokenizer.json', new TextEncoder().encode(JSON.stringify(tokenizer()))]]);
  await saveModel(folder, { json, model, weights, tokenizerFiles });
  const harmaug = path.join(import.meta.dirname, '../../harmaug/bin/harmaug.js');
  execFileSync(process.execPath, [harmaug, 'export', folder, '--dtype', 'int8', '--force'], { stdio: 'pipe' });
  return [...weights.values()].reduce((sum, values) => sum + values.length, 0);
}

/** A Unigram tokenizer of as many pieces, three to nine letters each. */
function tokenizer() {
  const uniform = mulberry32(SEED);
  const letters = [...'abcdefghijklmnopqrstuvwxyz'];
  const special = ['[PAD]', '[CLS]', '[SEP]', '[UNK]'];
  const pieces = new Set(['▁', ...letters]);
  while (pieces.size + special.length < VOCABULARY) {
    const length = 3 + Math.floor(uniform() * 7);
    const word = Array.from({ length }, () => letters[Math.floor(uniform() * letters.length)]).join('');
    pieces.add(uniform() < 0.6 ? `▁${word}` : word);
  }
  const vocab = [...special, ...pieces].map((piece, id) => [piece, id < special.length ? 0 : -8 - 8 * uniform()]);
  const token = (id: number) => ({ SpecialToken: { id: special[id], type_id: 0 } });
  const text = (id: 'A' | 'B') => ({ Sequence: { id, type_id: 0 } });
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
    post_processor: {
      type: 'TemplateProcessing',
      single: [token(1), text('A'), token(2)],
      pair: [token(1), text('A'), token(2), text('B'), token(2)],
      special_tokens: Object.fromEntries(
        [1, 2].map((id) => [special[id], { id: special[id], ids: [id], tokens: [special[id]] }]),
      ),
    },
    decoder: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
    model: { type: 'Unigram', unk_id: 3, vocab, byte_fallback: false },
  };
}
