/** The GGUF tests' oracle cases: what transformers computed for tiny Llamas and Qwens. gguf-oracles/make_gguf_cases.py says more. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { JsonObject } from '../src/files/json.ts';
import { describeConfig } from '../src/gguf/architectures.ts';
import { weightsOf } from '../src/gguf/weights.ts';
import { mulberry32 } from '../src/initialize.ts';

const oracles = path.join(import.meta.dirname, 'gguf-oracles');

export const ggufCases = ['llama-llama3', 'llama-spm', 'llama-smollm', 'qwen2-qwen2', 'qwen2-gpt2'] as const;
export type GgufCaseName = (typeof ggufCases)[number];

export interface Expected {
  readonly seed: number;
  readonly weight_sums: Readonly<Record<string, number>>;
  readonly ids: readonly number[];
  /** Of each position the likeliest next tokens. */
  readonly top: readonly (readonly [id: number, probability: number][])[];
  readonly chat: { readonly messages: readonly { role: string; content: string }[]; readonly rendered: string };
  readonly texts: readonly { readonly text: string; readonly as_tokens: number[]; readonly as_text: number[] }[];
  readonly with_ends: readonly number[];
}

export interface GgufCase {
  readonly json: JsonObject;
  readonly tokenizerFiles: ReadonlyMap<string, Uint8Array>;
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly expected: Expected;
}

function unzip(...parts: string[]): Uint8Array {
  return new Uint8Array(gunzipSync(readFileSync(path.join(oracles, ...parts))));
}

function readJson(...parts: string[]): unknown {
  return JSON.parse(new TextDecoder().decode(unzip(...parts)));
}

export function readGgufCase(name: GgufCaseName): GgufCase {
  const json = readJson(name, 'config.json.gz') as JsonObject;
  const expected = readJson(name, 'expected.json.gz') as Expected;
  const files = readdirSync(path.join(oracles, name)).map((file) => file.replace(/\.gz$/, ''));
  const tokenizerFiles = files
    .filter((file) => !['config.json', 'expected.json'].includes(file))
    .map((file) => [file, unzip(name, `${file}.gz`)] as const);
  return { json, expected, tokenizerFiles: new Map(tokenizerFiles), weights: makeWeights(json, expected) };
}

/** The weights that the oracles' script gave the model, checked by their sums. */
function makeWeights(json: JsonObject, { seed, weight_sums: sums }: Expected): Map<string, Float32Array> {
  const { architecture, config } = describeConfig(json);
  const weights = weightsOf(config, architecture).map(({ hf, shape }) => {
    const uniform = mulberry32(fnv1a(hf) ^ seed);
    const scale = hf.endsWith('.bias') ? 2 ** -11 : 2 ** -12;
    const base = hf.includes('norm') ? 1 : 0;
    const count = shape.reduce((a, b) => a * b, 1);
    const values = Float32Array.from({ length: count }, () => (Math.floor(uniform() * 2048) - 1024) * scale + base);
    if (values.reduce((sum, value) => sum + value, 0) !== sums[hf]) throw new Error(`${hf} is not what was recorded.`);
    return [hf, values] as const;
  });
  if (weights.length !== Object.keys(sums).length) throw new Error('The recorded model has other weights.');
  return new Map(weights);
}

function fnv1a(text: string): number {
  let value = 0x811c9dc5;
  for (const character of text) value = Math.imul(value ^ character.codePointAt(0)!, 0x01000193);
  return value;
}

export interface Codecs {
  readonly rows: readonly (readonly number[])[];
  readonly q8_0: string;
  readonly q8_0_values: readonly number[];
  readonly small: readonly number[];
  readonly f16: string;
}

/** What the gguf package makes of numbers at the edges of the types. */
export function readCodecs(): Codecs {
  return readJson('codecs.json.gz') as Codecs;
}
