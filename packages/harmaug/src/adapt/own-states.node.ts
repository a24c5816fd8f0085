/** What a guard makes of texts, word by word, before it is adapted: what it is to make of them in disguise too. */
import { collate, type EncodedArrays, inferenceModel } from '@harmaug/models';
import { loadWeights, openTokenizer } from '@harmaug/models/node';
import { createSession } from 'onnx-grad/node';
import type { Row } from '../data/row.ts';
import type { HiddenTargets, RowStates } from '../distill/hidden.ts';
import { runBatch } from '../scoring/onnx-session.node.ts';
import { wordsOfTokens } from './align.ts';

export interface OwnStatesOptions {
  readonly maxLength: number;
  readonly threads?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number) => void;
}

const MOST_TOKENS = 8192; // of a batch, padding included

/**
 * The mean over a word's tokens of the guard's last hidden state, for every word of `originals`, set against the tokens of
 * `rows`. Texts with as many words as their originals have word by word; others only their first token, which is what the
 * classifier reads. Rows with a response, and those without an original, have none.
 * @param encoded of the rows, as the student reads them
 */
export async function ownStates(
  folder: string,
  rows: readonly Row[],
  originals: readonly (Row | null)[],
  encoded: readonly EncodedArrays[],
  options: OwnStatesOptions,
): Promise<HiddenTargets> {
  const { maxLength, threads, signal, onProgress } = options;
  const { model, weights } = await loadWeights(folder, { head: 'none' });
  const size = model.config.hiddenSize;
  const tokenizer = await openTokenizer(folder);
  const session = await createSession(inferenceModel(model, weights), threads === undefined ? {} : { threads });
  const found: (RowStates | null)[] = rows.map(() => null);
  try {
    const alone = rows.flatMap(({ response }, row) => (response === undefined && originals[row] !== null ? [row] : []));
    const texts = new Map(
      alone.map((row) => [row, tokenizer.encode(originals[row]!.prompt, undefined, { maxLength })]),
    );
    alone.sort((a, b) => texts.get(b)!.ids.length - texts.get(a)!.ids.length);
    for (let done = 0; done < alone.length; ) {
      signal?.throwIfAborted();
      const longest = texts.get(alone[done]!)!.ids.length;
      const batch = alone.slice(done, done + Math.max(1, Math.floor(MOST_TOKENS / longest)));
      const output = (
        await runBatch(
          session,
          collate(
            batch.map((row) => texts.get(row)!),
            model.config,
          ),
        )
      ).logits!;
      const states = output.data as Float32Array; // (B, longest, E)
      for (const [at, row] of batch.entries()) {
        const { ids } = texts.get(row)!;
        const own = wordsOfTokens(tokenizer, originals[row]!.prompt, ids);
        const theirs = wordsOfTokens(tokenizer, rows[row]!.prompt, encoded[row]!.ids);
        const ofText = states.subarray(at * longest * size, (at * longest + ids.length) * size);
        found[row] = match(
          ofText,
          size,
          own,
          theirs,
          encoded[row]!.ids.length,
          wordCount(rows[row]!) === wordCount(originals[row]!),
        );
      }
      done += batch.length;
      onProgress?.(done);
    }
  } finally {
    await session.release();
  }
  return { size, rows: found };
}

const wordCount = ({ prompt }: Row) => prompt.split(/\s+/).filter((word) => word !== '').length;

/** Row 0 of the states is that of the first token, which stands for the whole text. */
function match(
  states: Float32Array,
  size: number,
  own: Int32Array | null,
  theirs: Int32Array | null,
  tokens: number,
  isWordForWord: boolean,
): RowStates {
  const words = new Int32Array(tokens).fill(-1);
  words[0] = 0;
  if (own === null || theirs === null || !isWordForWord) return { states: states.slice(0, size), words };
  const count = own.reduce((most, word) => Math.max(most, word + 1), 0);
  const means = new Float32Array((count + 1) * size);
  const tokensOf = new Int32Array(count);
  means.set(states.subarray(0, size));
  for (const [token, word] of own.entries()) {
    if (word < 0) continue;
    tokensOf[word]! += 1;
    for (let at = 0; at < size; at++) means[(word + 1) * size + at]! += states[token * size + at]!;
  }
  for (const [word, n] of tokensOf.entries()) {
    for (let at = 0; at < size; at++) means[(word + 1) * size + at]! /= n;
  }
  for (const [token, word] of theirs.entries()) {
    if (word >= 0 && word < count) words[token] = word + 1;
  }
  return { states: means, words };
}
