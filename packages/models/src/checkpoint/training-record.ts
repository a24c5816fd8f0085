/** training.json: where a run stood, and what it was run with. Pure; files are in training.node.ts. */
import { FormatError } from 'onnx-grad';
import type { DataPosition } from '../data/length-batches.ts';
import { isObject, type JsonObject, quote } from '../files/json.ts';

/** Of training.json and of the tensors' names; another version is refused. */
export const TRAINING_FORMAT = 1;

export interface TrainingRecord {
  /** Optimizer steps made. */
  readonly step: number;
  /** The trainer's seed: of dropout. */
  readonly seed: number;
  /** The next batch. */
  readonly position: DataPosition;
  /** Everything else that the run was started with, defaults filled in. */
  readonly options: JsonObject;
  /** Of the training data: "sha256:…". */
  readonly dataHash: string;
  /** Program -> version. */
  readonly versions: Readonly<Record<string, string>>;
}

export function formatRecord(record: TrainingRecord): string {
  return `${JSON.stringify({ formatVersion: TRAINING_FORMAT, ...record }, null, 2)}\n`;
}

/** @throws FormatError naming the field that is missing, of another kind or unknown */
export function parseRecord(json: JsonObject, file: string): TrainingRecord {
  const fail = (field: string, expected: string, got: unknown): never => {
    const shown = JSON.stringify(got)?.slice(0, 80) ?? 'nothing';
    throw new FormatError(`${file}: "${field}": expected ${expected}, got ${shown}.`, { file, field });
  };
  const whole = (field: string, value: unknown, min: number): number =>
    Number.isSafeInteger(value) && (value as number) >= min
      ? (value as number)
      : fail(field, min === 0 ? 'a whole number from 0' : 'a whole number', value);
  const object = (field: string, value: unknown): JsonObject =>
    isObject(value) ? value : fail(field, 'an object', value);

  const { formatVersion, step, seed, position, options, dataHash, versions, ...rest } = json;
  if (formatVersion !== TRAINING_FORMAT) {
    fail('formatVersion', `${TRAINING_FORMAT} (this program's; a newer one may have written it)`, formatVersion);
  }
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw new FormatError(`${file}: unknown key ${quote(unknown)}.`, { file, field: unknown });
  const { epoch, index } = object('position', position);
  const named = Object.entries(object('versions', versions));
  for (const [name, value] of named)
    if (typeof value !== 'string') fail(`versions.${name.slice(0, 80)}`, 'a text', value);
  if (typeof dataHash !== 'string' || !/^sha256:[0-9a-f]{64}$/.test(dataHash)) {
    fail('dataHash', '"sha256:" and 64 hexadecimal digits', dataHash);
  }
  return {
    step: whole('step', step, 0),
    seed: whole('seed', seed, Number.MIN_SAFE_INTEGER),
    position: { epoch: whole('position.epoch', epoch, 0), index: whole('position.index', index, 0) },
    options: object('options', options),
    dataHash: dataHash as string,
    versions: versions as Record<string, string>,
  };
}
