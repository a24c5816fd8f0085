import { expect, test } from 'vitest';
import { closest, unknownName } from './suggest.ts';

const names = ['vllm', 'sglang', 'llama.cpp', 'ollama'];

test('finds the name that was meant, and none where nothing is close', () => {
  expect(closest('vlm', names)).toBe('vllm');
  expect(closest('Olama', names)).toBe('ollama');
  expect(closest('llama.cpp-server', names)).toBe('llama.cpp');
  expect(closest('anthropic', names)).toBeUndefined();
});

test('says what there is', () => {
  expect(unknownName('dialect', 'vlm', names)).toBe(
    'Unknown dialect "vlm". Did you mean "vllm"? Available: vllm, sglang, llama.cpp, ollama.',
  );
});
