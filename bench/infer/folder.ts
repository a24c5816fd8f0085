/** The model that all sides load: one Hugging Face folder with our exported models in it. */
import { copyFileSync } from 'node:fs';
import path from 'node:path';
import { buildModel, initialize, type JsonObject } from '@harmaug/models';
import { loadModel, saveModel } from '@harmaug/models/node';
import { exportGuard } from '../../packages/harmaug/src/export/export.node.ts';
import { defaultLimits } from '../../packages/harmaug/src/export/gate.ts';
import { withLabels } from '../../packages/models/src/checkpoint/label-names.ts';
import { LABELS, type ModelName, models, type Precision } from './cases.ts';

const SEED = 1;
const head = 'sequence-classification';

export interface FolderSources {
  /** A classifier's folder, or MiniLM's without a head. */
  readonly minilm: string | undefined;
  /** DeBERTa-v3's spm.model. */
  readonly spm: string;
}

/** Writes the checkpoint. @returns its config.json @throws Error where there are no weights of MiniLM */
export async function writeCheckpoint(folder: string, name: ModelName, sources: FolderSources): Promise<JsonObject> {
  const { json } = models[name];
  if (json === null) {
    if (!sources.minilm)
      throw new Error('infer needs weights of MiniLM: --guard <folder>, or the peers, which bring them.');
    const loaded = await loadModel(sources.minilm, { head, labels: LABELS, initialiseHead: true, seed: SEED });
    await saveModel(folder, loaded);
    return loaded.json;
  }
  const labelled = withLabels(json, LABELS);
  const model = buildModel(labelled, { head });
  const weights = new Map(
    [...model.scope.parameters].map(([key, spec]) => [key, initialize(spec, model.config.initializerRange, SEED)]),
  );
  await saveModel(folder, { json: labelled, model, weights });
  copyFileSync(sources.spm, path.join(folder, 'spm.model'));
  return labelled;
}

/** Our export; what int8 costs in accuracy is not this benchmark's question. */
export async function exportOurs(folder: string, precisions: readonly Precision[]): Promise<void> {
  await exportGuard(folder, { precisions, rows: [], limits: defaultLimits, isForced: true });
}
