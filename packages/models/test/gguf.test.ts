import { readFile } from 'node:fs/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { readGguf } from '../src/gguf/read.node.ts';
import type { GgufWeightType } from '../src/gguf/tensor-codecs.ts';
import { openTokenizer } from '../src/open-tokenizer.node.ts';
import { ggufCases, readGgufCase } from './gguf-cases.node.ts';
import {
  differingTexts,
  nextProbabilities,
  openLlama,
  renderChat,
  withModel,
  writeTemporary,
} from './gguf-llama.node.ts';
import { ourProbabilities, trainOnText } from './gguf-ours.node.ts';
import { readTexts } from './tokenizer-fixtures.node.ts';

/** Folders of transformers as GGUF files, run by llama.cpp: its tokens, chat template and probabilities beside transformers'. */

/**
 * Largest difference of a probability. llama.cpp rounds what meets f16 weights to halves, and what meets q8_0 weights, which
 * are rounded themselves, to 8 bits a value. Found: 8e-7, 4e-4, 1.2e-2.
 */
const tolerances: { readonly [T in GgufWeightType]: number } = { f32: 1e-5, f16: 1e-3, q8_0: 0.03 };
const types = Object.keys(tolerances) as GgufWeightType[];

function isSame(a: Float32Array, b: Float32Array): boolean {
  return a.length === b.length && a.every((value, i) => Object.is(value, b[i]));
}

afterAll(async () => (await openLlama()).dispose());

describe.each(ggufCases)('%s', (name) => {
  const source = readGgufCase(name);
  const { expected } = source;
  const write = (type: GgufWeightType) => writeTemporary({ ...source, type, name: 'A tiny model' });

  it.each(types)('as %s gives the probabilities of transformers at 200 positions', async (type) => {
    const { ids, top } = expected;
    const found = await withModel(await write(type), (model) => nextProbabilities(model, ids));
    const differences = top.map((row, at) =>
      Math.max(...row.map(([id, probability]) => Math.abs((found[at]!.get(id) ?? 0) - probability))),
    );
    expect(differences.length).toBeGreaterThanOrEqual(200);
    expect(Math.max(...differences)).toBeLessThan(tolerances[type]);
  });

  it('trained here gives, in llama.cpp, the probabilities of our own graph', async () => {
    const { ids } = expected;
    const { model, weights } = await trainOnText(source, ids);
    const ours = await ourProbabilities(model, weights, ids);
    const file = await writeTemporary({ ...source, weights, type: 'f32', name: 'A tiny model' });
    const found = await withModel(file, (llama) => nextProbabilities(llama, ids));
    const differences = found.map((row, at) => {
      return Math.max(...[...row].map(([id, probability]) => Math.abs(ours(at, id) - probability)));
    });
    expect(differences.length).toBeGreaterThanOrEqual(200);
    expect(Math.max(...differences)).toBeLessThan(1e-4);
  });

  it('has the tokens of transformers in llama.cpp', async () => {
    const file = await write('f16');
    await withModel(file, async (model) => {
      for (const { text, as_tokens: tokens, as_text: words } of expected.texts) {
        const found = [model.tokenize(text, true), model.tokenize(text, false)];
        if (name === 'qwen2-qwen2' && text !== text.normalize('NFC')) expect(found).not.toEqual([tokens, words]);
        else expect([text, ...found]).toEqual([text, tokens, words]);
      }
    });
    expect((await openTokenizer(file)).encode('Thank you').ids).toEqual(expected.with_ends);
  });

  it("read back has llama.cpp's tokens, control tokens in a text being text or not", async () => {
    const texts = [...readTexts().texts, ...expected.texts.map(({ text }) => text)];
    expect(await differingTexts(await write('f16'), texts)).toEqual([]);
  });

  it('renders a chat as transformers does, and gives it the same tokens', async () => {
    const { messages, rendered } = expected.chat;
    await withModel(await write('f32'), async (model) => {
      expect(renderChat(model, messages)).toBe(rendered);
      expect(model.tokenize(rendered, true)).toEqual(expected.ids);
    });
  });

  it('comes back as it was: config, weights and tokenizer', async () => {
    const file = await write('f32');
    const back = await readGguf(file);
    const { rope_parameters: _, ...json } = source.json;
    const common = Object.entries(json).filter(([key]) => key in back.json && key !== 'architectures');
    expect(common.length).toBeGreaterThan(10);
    for (const [key, value] of common) expect([key, back.json[key]]).toEqual([key, value]);
    expect([...back.weights.keys()].sort()).toEqual([...source.weights.keys()].sort());
    expect([...back.weights].filter(([name, values]) => !isSame(values, source.weights.get(name)!))).toEqual([]);
    const again = await writeTemporary({ ...back, type: 'f32', name: 'A tiny model' });
    expect((await readFile(again)).equals(await readFile(file))).toBe(true);
  });
});
