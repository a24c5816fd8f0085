import fc from 'fast-check';
import { FormatError } from 'onnx-grad';
import { expect, it } from 'vitest';
import { decodePromptHashes, encodePromptHashes, hashPrompt } from './prompt-hashes.node.ts';

it('finds the prompts that were seen, case, width and spacing aside, and no others', () => {
  const property = fc.property(fc.uniqueArray(fc.string()), fc.string(), (prompts, other) => {
    const seen = decodePromptHashes(encodePromptHashes(prompts), 'file');
    for (const prompt of prompts) expect(seen.has(hashPrompt(`  ${prompt.toUpperCase().toLowerCase()} `))).toBe(true);
    const keys = prompts.map((prompt) => hashPrompt(prompt));
    expect(seen.has(hashPrompt(other))).toBe(keys.includes(hashPrompt(other)));
  });
  fc.assert(property);
  expect(hashPrompt('Ｔea,  please?\n')).toBe(hashPrompt('tea, please?'));
});

it('refuses bytes that are no list of hashes', () => {
  expect(() => decodePromptHashes(new Uint8Array(9), 'seen.bin')).toThrow(FormatError);
});
