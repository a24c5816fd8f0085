import { Worker } from 'node:worker_threads';
import { ConfigError, FormatError } from 'onnx-grad';
import { expect, it, onTestFinished, vi } from 'vitest';
import { readTexts, readTokenizerFiles, temporaryFolder } from '../../test/tokenizer-fixtures.node.ts';
import { TokenizerPool } from './pool.node.ts';

async function openPool(threads: number): Promise<TokenizerPool> {
  const pool = await TokenizerPool.open(await temporaryFolder(readTokenizerFiles('sentencepiece')), { threads });
  onTestFinished(() => pool.dispose());
  return pool;
}

it('gives what the tokenizer gives, in order, for texts and pairs, from several threads', async () => {
  const pool = await openPool(2);
  const { texts } = readTexts();
  const batch = texts.slice(0, 300).map((text, i) => (i % 3 === 0 ? ([text, texts[i + 1]!] as const) : text));
  const encoded = await pool.encodeBatch(batch, { maxLength: 64 });
  const expected = batch.map((item) => {
    const [text, pair] = typeof item === 'string' ? [item] : item;
    return pool.tokenizer.encode(text, pair, { maxLength: 64 });
  });
  const plain = encoded.map(({ ids, typeIds, removedTokens }) => ({
    ids: [...ids],
    typeIds: [...typeIds],
    removedTokens,
  }));
  expect(plain).toEqual(expected);
  expect(await pool.encodeBatch([])).toEqual([]);
});

it('leaves the event loop free while it encodes', async () => {
  const pool = await openPool(1);
  const ticks = vi.fn();
  const timer = setInterval(ticks, 1);
  await pool.encodeBatch(new Array(64).fill('homework and pranks '.repeat(2000)));
  clearInterval(timer);
  expect(ticks.mock.calls.length).toBeGreaterThan(3);
});

it('rejects a bad option with the error the tokenizer throws, and goes on', async () => {
  const pool = await openPool(1);
  await expect(pool.encodeBatch(['a'], { maxLength: 1 })).rejects.toThrow(ConfigError);
  expect(await pool.encodeBatch(['a'])).toHaveLength(1);
});

it('gives a batch up when its signal says so, and takes the next', async () => {
  const pool = await openPool(1);
  const controller = new AbortController();
  const batch = pool.encodeBatch(new Array(1000).fill('homework '.repeat(500)), { signal: controller.signal });
  controller.abort(new Error('changed my mind'));
  await expect(batch).rejects.toThrow('changed my mind');
  await expect(pool.encodeBatch(['a'], { signal: AbortSignal.abort() })).rejects.toThrow('aborted');
  expect(await pool.encodeBatch(['a'])).toHaveLength(1);
});

it('rejects what cannot be sent to a worker, and goes on', async () => {
  const pool = await openPool(1);
  await expect(pool.encodeBatch([Symbol('no text') as unknown as string])).rejects.toThrow('could not be cloned');
  expect(await pool.encodeBatch(['a'])).toHaveLength(1);
});

it('rejects with one clear error when a worker dies, then and afterwards', async () => {
  const pool = await openPool(1);
  const post = vi.spyOn(Worker.prototype, 'postMessage');
  onTestFinished(() => post.mockRestore());
  const batch = pool.encodeBatch(new Array(100).fill('homework '.repeat(500)));
  const rejected = expect(batch).rejects.toThrow('A tokenizer worker stopped with code 1. Open a new pool.');
  await (post.mock.contexts[0] as Worker).terminate();
  await rejected;
  await expect(pool.encodeBatch(['a'])).rejects.toThrow('A tokenizer worker stopped');
});

it('rejects batches under way, and later ones, once it is disposed of', async () => {
  const pool = await openPool(1);
  const batch = pool.encodeBatch(new Array(100).fill('homework '.repeat(500)));
  const rejected = expect(batch).rejects.toThrow('disposed of');
  await pool.dispose();
  await rejected;
  await expect(pool.encodeBatch(['a'])).rejects.toThrow('disposed of');
});

it('refuses a bad folder and a bad number of threads before it starts any', async () => {
  await expect(TokenizerPool.open(await temporaryFolder())).rejects.toThrow(FormatError);
  await expect(TokenizerPool.open('.', { threads: 0 })).rejects.toThrow(ConfigError);
});
