import { existsSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readGguf, readGgufHeader } from '../src/gguf/read.node.ts';
import {
  continueGreedily,
  differingTexts,
  nextProbabilities,
  openLlama,
  withModel,
  writeTemporary,
} from './gguf-llama.node.ts';
import { readTexts } from './tokenizer-fixtures.node.ts';

/** A GGUF that others wrote. Left out, with a line that says so, where the file is not there. */

const file =
  process.env.HARMAUG_STORIES_GGUF ?? path.join(import.meta.dirname, '../../../../shared/data/models/stories260K.gguf');

if (!existsSync(file)) {
  it.skip('a GGUF of others: no stories260K.gguf; name one in HARMAUG_STORIES_GGUF', () => {});
} else {
  afterAll(async () => (await openLlama()).dispose());

  describe('stories260K.gguf', () => {
    it('is a Llama with a SentencePiece vocabulary', async () => {
      const { json, weights, header } = await readGguf(file);
      expect(json).toMatchObject({
        model_type: 'llama',
        hidden_size: 64,
        num_hidden_layers: 5,
        num_key_value_heads: 4,
        rms_norm_eps: 1e-5,
        tie_word_embeddings: false,
        bos_token_id: 1,
      });
      expect(header.tensors.size).toBe(weights.size);
      expect(weights.get('model.layers.4.mlp.down_proj.weight')).toHaveLength(64 * 172);
    });

    it("gives llama.cpp's tokens for every text of the tokenizers' tests", async () => {
      expect(await differingTexts(file, readTexts().texts)).toEqual([]);
    });

    it('goes on as before when it is read and written again', async () => {
      const read = await readGguf(file);
      const ids = read.tokenizer.encode('Once upon a time, there was a little girl').ids;
      const before = await withModel(file, (model) => continueGreedily(model, ids, 60));
      for (const type of ['f32', 'f16'] as const) {
        const again = await writeTemporary({ ...read, type });
        expect(await withModel(again, (model) => continueGreedily(model, ids, 60))).toEqual(before);
      }
    });

    it('has the same tensors and probabilities after it', async () => {
      const read = await readGguf(file);
      const again = await writeTemporary({ ...read, type: 'f32' });
      const shapes = async (path: string) =>
        [...(await readGgufHeader(path)).tensors].map(([name, { type, shape }]) => [name, type, shape]).sort();
      expect(await shapes(again)).toEqual(await shapes(file));
      const { weights } = await readGguf(again);
      expect([...weights].filter(([name, values]) => values.some((v, i) => v !== read.weights.get(name)![i]))).toEqual(
        [],
      );
      const ids = read.tokenizer.encode('The dog ran').ids;
      const [before, after] = [
        await withModel(file, (model) => nextProbabilities(model, ids)),
        await withModel(again, (model) => nextProbabilities(model, ids)),
      ];
      expect(after.map((row) => [...row].sort())).toEqual(before.map((row) => [...row].sort()));
    });
  });
}
