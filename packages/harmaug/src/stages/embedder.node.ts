/** Meanings of texts as vectors, from an encoder folder; kept in the ledger, so that each is computed once. */
import { collate, loadWeights, TokenizerPool } from '@harmaug/models/node';
import { emitModel } from 'onnx-grad';
import { createSession } from 'onnx-grad/node';
import { Tensor } from 'onnxruntime-node';
import { normalised } from '../dedup/vectors.ts';
import { hashKey } from '../ledger/key.node.ts';
import type { Ledger } from '../ledger/ledger.node.ts';
import { EMBEDDED_TOGETHER } from './decisions.node.ts';
import { hashOfWeights } from './identity.node.ts';

export interface Embedder {
  /** One vector of length 1 a text, in order. */
  embed(texts: readonly string[]): Promise<Float32Array[]>;
  dispose(): Promise<void>;
}

/** @throws FormatError for a folder that is no encoder */
export async function openEmbedder(
  folder: string,
  { maxLength, ledger }: { maxLength: number; ledger: Ledger },
): Promise<Embedder> {
  const { model, weights } = await loadWeights(folder, { head: 'mean-pooling' });
  const initializers = new Map(
    [...weights].map(([name, { buffer, byteOffset, byteLength }]) => [
      name,
      new Uint8Array(buffer, byteOffset, byteLength),
    ]),
  );
  const session = await createSession(
    emitModel(model.graph, new Map([['vectors', model.output]]), { initializers }),
    {},
  );
  const pool = await TokenizerPool.open(folder);

  async function compute(texts: readonly string[]): Promise<Float32Array[]> {
    const encoded = await pool.encodeBatch([...texts], { maxLength });
    const batch = collate(encoded, model.config);
    const feeds = session.inputNames.map((name) => {
      const { dtype, dims, data } = batch[name]!;
      return [name, new Tensor(dtype as 'int64', data as BigInt64Array, dims)] as const;
    });
    const { vectors } = await session.run(Object.fromEntries(feeds));
    const values = vectors!.data as Float32Array;
    const size = values.length / texts.length;
    return texts.map((_, row) => normalised(values.slice(row * size, (row + 1) * size)));
  }

  const own = await hashOfWeights(folder);
  const keyOf = (text: string) => hashKey([own, maxLength, text]);
  return {
    async embed(texts) {
      const found: Float32Array[] = [];
      for (let at = 0; at < texts.length; at += EMBEDDED_TOGETHER) {
        const part = texts.slice(at, at + EMBEDDED_TOGETHER);
        const known = part.map((text) => vectorOf(ledger, keyOf(text)));
        if (known.every((vector) => vector !== null)) {
          found.push(...known);
          continue;
        }
        const computed = await compute(part);
        ledger.transaction(() => {
          for (const [index, vector] of computed.entries()) {
            const bytes = new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
            ledger.run('INSERT OR REPLACE INTO vectors VALUES (?, ?)', keyOf(part[index]!), bytes);
          }
        });
        found.push(...computed);
      }
      return found;
    },
    async dispose() {
      await pool.dispose();
      await session.release();
    },
  };
}

function vectorOf(ledger: Ledger, key: string): Float32Array | null {
  const bytes = ledger.get('SELECT vector FROM vectors WHERE key = ?', key)?.vector as Uint8Array | undefined;
  return bytes === undefined ? null : new Float32Array(bytes.slice().buffer);
}
