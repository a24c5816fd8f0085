/** A Hugging Face classifier folder as a scorer, on our own engine. */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type LoadedModel, loadModel, TokenizerPool } from '@harmaug/models/node';
import { emitModel, FormatError } from 'onnx-grad';
import { createSession } from 'onnx-grad/node';
import { Tensor } from 'onnxruntime-node';
import { decodePromptHashes } from '../data/prompt-hashes.node.ts';
import type { Row } from '../data/row.ts';
import { type ClassifyBatch, scoreEncoded, sigmoid } from './score-encoded.ts';
import type { Score, ScoreRequest, Scorer } from './scorer.ts';

export interface EncoderOptions {
  /** Tokens of a text or pair; longer ones are cut and say so. Default: what the model has positions for, at most 1024. */
  readonly maxLength?: number;
  readonly threads?: number;
}

const MOST_TOKENS = 1024; // of the paper's guard, whose relative positions have no end

/** @throws FormatError for a folder that is no classifier of safe and unsafe texts */
export async function openEncoderScorer(folder: string, options: EncoderOptions = {}): Promise<Scorer> {
  const loaded = await loadModel(folder, { head: 'sequence-classification' });
  const { model } = loaded;
  const unsafe = unsafeIndex(loaded, folder);
  const maxLength = options.maxLength ?? Math.min(model.config.maxLength ?? Infinity, MOST_TOKENS);
  const pool = await TokenizerPool.open(folder);
  const classify = await openSession(loaded, options.threads ?? 0);
  const file = path.join(folder, 'model.safetensors');
  const seen = await readSeenPrompts(path.join(folder, 'training-prompts.bin'));
  return {
    name: path.basename(path.resolve(folder)),
    about: { kind: 'encoder', model: model.encoder.modelType, maxLength, weights: await hashFile(file) },
    threshold: 0.5,
    ...(seen ? { seenPrompts: seen } : {}),
    async score(rows, { signal, onProgress }: ScoreRequest = {}): Promise<Score[]> {
      const encoded = await pool.encodeBatch(rows.map(textOf), { maxLength, ...(signal ? { signal } : {}) });
      const margins = await scoreEncoded(classify.run, encoded, model.config, {
        ...(signal ? { signal } : {}),
        ...(onProgress ? { onProgress } : {}),
      });
      return Array.from(margins, (logOdds, row) => {
        const margin = unsafe === 1 ? logOdds : -logOdds;
        return { score: sigmoid(margin), margin, isTruncated: encoded[row]!.removedTokens > 0 };
      });
    },
    async dispose() {
      await pool.dispose();
      await classify.release();
    },
  };
}

function textOf({ prompt, response }: Pick<Row, 'prompt' | 'response'>): string | [string, string] {
  return response === undefined ? prompt : [prompt, response];
}

async function openSession({ model, weights }: LoadedModel, threads: number) {
  const initializers = new Map([...weights].map(([name, values]) => [name, bytesOf(values)]));
  const record = emitModel(model.graph, new Map([['logits', model.output]]), { initializers });
  const session = await createSession(record, { threads });
  const run: ClassifyBatch = async (batch) => {
    const feeds = session.inputNames.map((name) => {
      const { dtype, dims, data } = batch[name]!;
      return [name, new Tensor(dtype as 'int64', data as BigInt64Array, dims)];
    });
    const { logits } = await session.run(Object.fromEntries(feeds));
    return { data: logits!.data as Float32Array };
  };
  return { run, release: () => session.release() };
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** What `harmaug distill` leaves beside the weights. */
async function readSeenPrompts(file: string): Promise<Set<bigint> | null> {
  return existsSync(file) ? decodePromptHashes(await readFile(file), file) : null;
}

const UNSAFE = /^(unsafe|harmful|toxic|injection|jailbreak|positive)$/i;

/** Which of two labels is the unsafe one: by its name, or the second where names say nothing. */
function unsafeIndex({ model, json }: LoadedModel, folder: string): 0 | 1 {
  const { labels } = model.config;
  if (labels !== 2) {
    const message = `${folder}: a guard has two labels, safe and unsafe; this classifier has ${labels}.`;
    throw new FormatError(message, { file: path.join(folder, 'config.json'), field: 'id2label' });
  }
  const names = (json.id2label ?? {}) as Record<string, unknown>;
  return UNSAFE.test(String(names[0])) && !UNSAFE.test(String(names[1])) ? 0 : 1;
}

async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Uint8Array);
  return `sha256:${hash.digest('hex')}`;
}
