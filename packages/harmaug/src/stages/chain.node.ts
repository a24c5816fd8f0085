/** Whether what a stage reads was made with the recipe at hand. */
import path from 'node:path';
import { ConfigError } from 'onnx-grad';
import { hashKey } from '../ledger/key.node.ts';
import type { Ledger } from '../ledger/ledger.node.ts';
import { hashOfSet, setOf } from '../ledger/sets.node.ts';
import { modelIdentity, teacherIdentity } from './identity.node.ts';
import { modelOf, need, type Pipeline, teacherOf } from './pipeline.node.ts';
import type { ModelRef } from './settings.ts';

const identityOf = (pipeline: Pipeline, ref: ModelRef) =>
  modelIdentity(modelOf(pipeline, ref).config, (file) => path.resolve(pipeline.folder, file));

/** Hash of what the instructions depend on; how many are wanted is not part of it. */
export function generateSettings(pipeline: Pipeline): string {
  const { perCategory: _, attempts: __, ...generate } = need(pipeline, 'generate');
  const { seed, filters, benign } = pipeline;
  const model = identityOf(pipeline, generate.model);
  const { share: ___, ...contrast } = benign ?? { share: 0 };
  const benignModel = benign ? identityOf(pipeline, benign.model ?? generate.model) : null;
  return hashKey([{ ...generate, model }, { ...contrast, model: benignModel }, seed ?? null, filters]);
}

export function respondSettings(pipeline: Pipeline): string {
  const { refusal, compliant, ...rest } = need(pipeline, 'respond');
  const own = (responder: typeof refusal) =>
    responder && { ...responder, model: identityOf(pipeline, responder.model) };
  return hashKey([own(refusal) ?? null, own(compliant) ?? null, rest]);
}

export async function labelSettings(pipeline: Pipeline): Promise<string> {
  const { teacher: _, ...marks } = need(pipeline, 'label');
  const teacher = teacherOf(pipeline, need(pipeline, 'label'));
  const at = (file: string) => path.resolve(pipeline.folder, file);
  const parts = [];
  for (const part of teacher.family === 'average' ? teacher.of : [teacher]) {
    parts.push(await teacherIdentity(part, pipeline.models, at));
  }
  return hashKey([parts, teacher.family === 'average' ? (teacher.minimum ?? null) : null, marks]);
}

/**
 * Hash of the current instructions.
 * @throws ConfigError where there are none, or they were made with other settings
 */
export function requireInstructions(pipeline: Pipeline, ledger: Ledger): string {
  const made = setOf(ledger, 'generate');
  if (made !== null && pipeline.generate !== undefined && made.settings !== generateSettings(pipeline)) {
    throw new ConfigError(
      'The instructions were generated with other settings than the recipe has now. Run harmaug generate again, with the same flags as this command.',
    );
  }
  const hasAny = ledger.get("SELECT 1 FROM instructions WHERE position IS NOT NULL AND state = 'kept' LIMIT 1");
  if (hasAny) return hashOfSet(ledger, 'instructions');
  throw new ConfigError('The run has no instructions yet. Run harmaug generate or harmaug import-data first.');
}

/**
 * Hash of the current pairs.
 * @throws ConfigError where there are none, or they were made of other instructions or with other settings
 */
export function requirePairs(pipeline: Pipeline, ledger: Ledger): string {
  const made = setOf(ledger, 'respond');
  if (made !== null && made.input !== requireInstructions(pipeline, ledger)) {
    throw new ConfigError('The instructions have changed since they were responded to. Run harmaug respond again.');
  }
  if (made !== null && pipeline.respond !== undefined && made.settings !== respondSettings(pipeline)) {
    throw new ConfigError(
      'The responses were made with other settings than the recipe has now. Run harmaug respond again, with the same flags as this command.',
    );
  }
  const hasAny = ledger.get("SELECT 1 FROM pairs WHERE position IS NOT NULL AND state = 'kept' LIMIT 1");
  if (hasAny) return hashOfSet(ledger, 'pairs');
  throw new ConfigError('The run has no texts to label yet. Run harmaug respond or harmaug import-data first.');
}

/** What to say where the stage before has more to make; `null` where it is complete or has not run. */
export function incompleteNote(ledger: Ledger, stage: 'generate' | 'respond'): string | null {
  const made = setOf(ledger, stage);
  if (made === null || made.isComplete) return null;
  return `harmaug ${stage} is not complete: this goes on with the ${made.facts.kept} rows of ${made.facts.wanted} that are there.`;
}
