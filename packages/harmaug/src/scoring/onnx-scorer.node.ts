/** An exported ONNX file as a scorer: what optimum, transformers.js or we wrote, beside its config and tokenizer. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { backboneFor } from '@harmaug/models';
import { FormatError } from 'onnx-grad';
import * as ort from 'onnxruntime-node';
import { classifierScorer, type EncoderOptions } from './classifier.node.ts';
import { classifyWith } from './onnx-session.node.ts';
import type { Score, Scorer } from './scorer.ts';

const KNOWN_INPUTS = ['input_ids', 'attention_mask', 'token_type_ids'];

/**
 * @param file model.onnx, in a Hugging Face folder or in its folder `onnx`
 * @throws FormatError when config.json is not there, or the file is no classifier that onnxruntime runs
 */
export async function openOnnxScorer(file: string, options: EncoderOptions = {}): Promise<Scorer<Score>> {
  const [beside, above] = [path.dirname(file), path.dirname(path.dirname(path.resolve(file)))];
  const folder = [beside, above].find((place) => existsSync(path.join(place, 'config.json')));
  if (!existsSync(file)) throw new FormatError(`${file} does not exist.`, { file });
  if (!folder) throw new FormatError(`${file}: no config.json beside it or in the folder above.`, { file });
  const configFile = path.join(folder, 'config.json');
  const json = JSON.parse(await readFile(configFile, 'utf8')) as Record<string, unknown>;
  const config = backboneFor(json, configFile).parseConfig(json, configFile);
  const session = await ort.InferenceSession.create(file, {
    intraOpNumThreads: options.threads ?? 0,
    logSeverityLevel: 3,
  }).catch((cause) => {
    throw new FormatError(`${file}: onnxruntime cannot open it (${String(cause.message).split('\n')[0]}).`, {
      file,
      cause,
    });
  });
  const odd = session.inputNames.find((name) => !KNOWN_INPUTS.includes(name));
  if (odd !== undefined)
    throw new FormatError(`${file} has an input "${odd}". Known: ${KNOWN_INPUTS.join(', ')}.`, { file });
  const types = config.typeVocabSize > 0 || session.inputNames.includes('token_type_ids') ? 1 : 0;
  const limits = { ...config, typeVocabSize: Math.max(config.typeVocabSize, types) };
  return classifierScorer({ folder, json, config: limits, files: [file], ...classifyWith(session) }, options);
}
