import { ConfigError } from 'onnx-grad';

/** A part of a tokenizer that llama.cpp does not have, or would read otherwise. */
export function refusal(field: string, problem: string, expected: string): ConfigError {
  return new ConfigError(`tokenizer.json cannot be written as GGUF: ${field} ${problem}. Expected ${expected}.`);
}
