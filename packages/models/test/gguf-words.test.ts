import { afterAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../src/files/json.ts';
import { preTokenizers } from '../src/gguf/pre-tokenizers.ts';
import { readGgufHeader } from '../src/gguf/read.node.ts';
import { readGgufCase } from './gguf-cases.node.ts';
import { differingTexts, openLlama, writeTemporary } from './gguf-llama.node.ts';
import { readTexts } from './tokenizer-fixtures.node.ts';

/** Every way of cutting words that we know: from a tokenizer.json to llama.cpp's tokens, and back to our tokenizer. */

afterAll(async () => (await openLlama()).dispose());

const source = readGgufCase('qwen2-gpt2');
const json = JSON.parse(new TextDecoder().decode(source.tokenizerFiles.get('tokenizer.json'))) as JsonObject;
const texts = readTexts().texts.filter((_, i) => i % 3 === 0); // gguf.test.ts takes all, of four of the ways

describe.each(preTokenizers)('words cut as $name', ({ name, forms, ignoresMerges }) => {
  it.each(forms)('as a tokenizer.json says it, in form %#, are those of llama.cpp', async (form) => {
    const model = { ...(json.model as JsonObject), ignore_merges: ignoresMerges };
    const bytes = new TextEncoder().encode(JSON.stringify({ ...json, model, pre_tokenizer: form }));
    const tokenizerFiles = new Map([...source.tokenizerFiles, ['tokenizer.json', bytes] as const]);
    const file = await writeTemporary({ ...source, tokenizerFiles, type: 'f16' });
    const { metadata } = await readGgufHeader(file);
    expect(metadata.get('tokenizer.ggml.pre')).toEqual({ type: 'string', value: name });
    expect(await differingTexts(file, texts)).toEqual([]);
  });
});
