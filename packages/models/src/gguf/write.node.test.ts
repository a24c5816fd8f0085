import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ConfigError, FormatError } from 'onnx-grad';
import { describe, expect, it } from 'vitest';
import { readGgufCase } from '../../test/gguf-cases.node.ts';
import { readTokenizerFiles, temporaryFolder } from '../../test/tokenizer-fixtures.node.ts';
import { openTokenizer } from '../open-tokenizer.node.ts';
import { openGgufTokenizer, readGguf, readGgufHeader, readGgufTensors } from './read.node.ts';
import { type GgufSource, writeGguf } from './write.node.ts';

const llama = readGgufCase('llama-llama3');
const qwen2 = readGgufCase('qwen2-gpt2'); // its feed-forward rows are no multiple of 32

async function write(source: Omit<GgufSource, 'type'>, type: GgufSource['type'] = 'f32') {
  const folder = await temporaryFolder();
  const file = path.join(folder, 'student.gguf');
  return { folder, file, written: await writeGguf(file, { ...source, type }) };
}

describe('a written file', () => {
  it('names the model, and says how large it is', async () => {
    const { file, written } = await write(llama, 'q8_0');
    const { version, metadata } = await readGgufHeader(file);
    expect(version).toBe(3);
    expect(metadata.get('general.name')).toEqual({ type: 'string', value: 'student' });
    expect(metadata.get('general.file_type')).toEqual({ type: 'uint32', value: 7 });
    expect(written).toEqual({ sizeBytes: (await readFile(file)).byteLength, differences: [] });
  });

  it('has matrices of the type asked for, f16 where rows are no whole number of blocks, and norms and biases in f32', async () => {
    const typesOf = async (type: GgufSource['type']) => {
      const { tensors } = await readGgufHeader((await write(qwen2, type)).file);
      const names = [
        'token_embd.weight',
        'output.weight',
        'blk.0.ffn_down.weight',
        'blk.1.attn_q.bias',
        'output_norm.weight',
      ];
      return names.map((name) => tensors.get(name)!.type);
    };
    expect(await typesOf('f32')).toEqual(['f32', 'f32', 'f32', 'f32', 'f32']);
    expect(await typesOf('f16')).toEqual(['f16', 'f16', 'f16', 'f32', 'f32']);
    expect(await typesOf('q8_0')).toEqual(['q8_0', 'q8_0', 'f16', 'f32', 'f32']);
  });

  it('is the same every time', async () => {
    const [first, second] = [await write(llama, 'q8_0'), await write(llama, 'q8_0')];
    expect((await readFile(first.file)).equals(await readFile(second.file))).toBe(true);
  });

  it('gives its tensors by name, alone', async () => {
    const { file } = await write(llama, 'f16');
    const found = await readGgufTensors(file, ['output_norm.weight', 'token_embd.weight']);
    expect([...found.keys()]).toEqual(['output_norm.weight', 'token_embd.weight']);
    const { shape, values } = found.get('token_embd.weight')!;
    expect(shape).toEqual([llama.json.vocab_size, 64]);
    expect(values).toEqual(llama.weights.get('model.embed_tokens.weight'));
    await expect(readGgufTensors(file, ['none'])).rejects.toThrow('has no tensor "none"');
  });

  it('takes a chat template in place of its own', async () => {
    const { file } = await write({ ...llama, chatTemplate: '{{ messages }}' });
    expect((await readGguf(file)).chatTemplate).toBe('{{ messages }}');
  });

  it('of a model with tied embeddings leaves lm_head.weight out, if it is given', async () => {
    const tied = readGgufCase('qwen2-qwen2');
    const weights = new Map([...tied.weights, ['lm_head.weight', tied.weights.get('model.embed_tokens.weight')!]]);
    const { tensors } = await readGgufHeader((await write({ ...tied, weights })).file);
    expect(tensors.has('output.weight')).toBe(false);
  });
});

describe('nothing is left behind when', () => {
  const without = (name: string) => new Map([...llama.weights].filter(([key]) => key !== name));
  const withValue = (value: number) => {
    const values = llama.weights.get('model.layers.1.mlp.up_proj.weight')!.slice().fill(value, 5, 6);
    return new Map([...llama.weights, ['model.layers.1.mlp.up_proj.weight', values]]);
  };
  it.each([
    ['a weight is missing', { weights: without('model.norm.weight') }, FormatError, '1 missing: "model.norm.weight"'],
    [
      'a weight is too many',
      { weights: new Map([...llama.weights, ['score.weight', new Float32Array(2)]]) },
      FormatError,
      '1 unexpected: "score.weight"',
    ],
    [
      'a weight has another size',
      { weights: new Map([...llama.weights, ['model.norm.weight', new Float32Array(2)]]) },
      FormatError,
      'misshapen: "model.norm.weight" (2), expected (64)',
    ],
    [
      'a value is not finite',
      { weights: withValue(Number.NaN) },
      ConfigError,
      '"blk.1.ffn_up.weight" has a value of size NaN',
    ],
    [
      'a value is too large',
      { weights: withValue(1e6) },
      ConfigError,
      '"blk.1.ffn_up.weight" has a value of size 1000000',
    ],
    ['the tokenizer is another', { tokenizerFiles: readTokenizerFiles('wordpiece') }, ConfigError, 'model.type is'],
    [
      'the tokenizer is larger than the model',
      { json: { ...llama.json, vocab_size: 100 } },
      ConfigError,
      "beyond the model's 100",
    ],
    [
      'the architecture is another',
      { json: { ...llama.json, model_type: 'gpt2' } },
      FormatError,
      '"model_type": expected one of llama, qwen2',
    ],
  ] as const)('%s', async (_, change, kind, problem) => {
    const folder = await temporaryFolder([['model.gguf', 'before']]);
    const file = path.join(folder, 'model.gguf');
    const attempt = writeGguf(file, { ...llama, ...change, type: 'f16' });
    await expect(attempt).rejects.toThrow(kind);
    await expect(attempt).rejects.toThrow(problem);
    expect(await readdir(folder)).toEqual(['model.gguf']);
    expect(await readFile(file, 'utf8')).toBe('before');
  });
});

describe('reading', () => {
  it('goes on beyond the first megabyte for a long header', async () => {
    const { file } = await write({ ...llama, chatTemplate: 'long '.repeat(500_000) });
    expect((await readGguf(file)).chatTemplate).toHaveLength(2_500_000);
  });

  it('opens the tokenizer alone, of a file whose weights nobody reads', async () => {
    const { file } = await write(llama, 'q8_0');
    const text = 'Thank you so much!';
    const ids = (await openTokenizer(file)).tokenize(text);
    expect((await openGgufTokenizer(file)).tokenize(text)).toEqual(ids);
    expect((await openTokenizer(file)).decode(ids)).toBe(text);
  });

  it.each([
    ['is cut off', (bytes: Buffer) => bytes.subarray(0, -100), 'It may be cut off'],
    ['is something else', () => Buffer.from('{"a": 1}'), 'magic is not "GGUF"'],
    ['is empty', () => Buffer.alloc(0), 'magic takes 4 bytes'],
  ])('refuses a file that %s', async (_, change, problem) => {
    const { file } = await write(llama);
    await writeFile(file, change(await readFile(file)));
    await expect(readGguf(file)).rejects.toThrow(FormatError);
    await expect(readGguf(file)).rejects.toThrow(problem);
  });

  it('refuses a folder, and a file that is not there', async () => {
    await expect(readGgufHeader(await temporaryFolder())).rejects.toThrow('is not a regular file');
    await expect(openTokenizer(path.join(await temporaryFolder(), 'none.gguf'))).rejects.toThrow('ENOENT');
  });

  it('refuses a vocabulary that is not of the embeddings', async () => {
    const { file } = await write(llama);
    const bytes = await readFile(file);
    const at = bytes.indexOf('token_embd.weight') + 'token_embd.weight'.length + 4 + 8; // past rank and columns
    bytes.writeBigUInt64LE(BigInt(llama.json.vocab_size as number) - 1n, at);
    await writeFile(file, bytes);
    await expect(readGguf(file)).rejects.toThrow('Expected a row a token');
  });
});
