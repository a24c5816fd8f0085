/** The whole command: labelled files in, one student a seed out. */
import { rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type HubOptions, type OpenedFolder, openModelFolder } from '@harmaug/models/node';
import type { Device } from 'onnx-grad/node';
import { type ReadOptions, type ReadRows, readRows } from '../data/read.node.ts';
import type { Row } from '../data/row.ts';
import { withCopies } from '../transforms/together.ts';
import { modelCard } from './card.ts';
import { readCurve } from './curve.node.ts';
import type { ValidationPoint } from './curve.ts';
import { type DistillData, prepareData } from './prepare.node.ts';
import { type RunEvent, type RunResult, runDistillation, runFiles } from './run.node.ts';
import { checkSettings, type DistillSettings } from './settings.ts';

export interface DistillRequest {
  /** Hugging Face folder of the student's start, or its hub id: `owner/name`, `owner/name@revision`. */
  readonly student: string;
  /** How a hub id is fetched. */
  readonly hub?: HubOptions;
  /** Labelled files: the seed set. */
  readonly train: readonly string[];
  readonly synthetic?: readonly string[];
  readonly read?: ReadOptions;
  /** Disguises, `caesar:3`: every row is learned from in each of them too. */
  readonly transforms?: readonly string[];
  /** One seed: the student's folder. Several: each in a folder of its own inside, `seed-42`. */
  readonly out: string;
  readonly seeds: readonly number[];
  readonly settings?: Partial<DistillSettings>;
  /** Named in the model card. */
  readonly teacher?: string;
  readonly device?: Device;
  readonly threads?: number;
  /** Time between checkpoints. Default five minutes. */
  readonly checkpointEveryMs?: number;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: DistillEvent) => void;
}

/** What is learned from, for callers that have it in memory. The request's files are then names in the model card alone. */
export interface DistillRows {
  readonly seed: ReadRows;
  readonly synthetic: ReadRows;
  /** What a changed copy among them was made from: both are held out, or neither. */
  readonly originals?: ReadonlyMap<Row, Row>;
}

export type DistillEvent =
  | {
      readonly kind: 'data';
      readonly training: number;
      readonly validation: number;
      readonly unsafe: number;
      readonly truncated: number;
      readonly skipped: Readonly<Record<string, number>>;
    }
  | (RunEvent & { readonly seed: number });

export interface DistillResult {
  readonly isFinished: boolean;
  readonly students: readonly {
    readonly seed: number;
    readonly folder: string;
    readonly steps: number;
    /** Of the last epoch; `null` without validation rows. */
    readonly validation: Pick<ValidationPoint, 'auprc' | 'f1'> | null;
  }[];
}

/**
 * Reads and encodes the data once, then trains seed after seed. Started again it goes on where it stopped.
 * @throws ConfigError, FormatError for settings, files and rows that will not do, before any training
 */
export async function distill(request: DistillRequest): Promise<DistillResult> {
  const { train, synthetic = [], read = {} } = request;
  checkSettings(request.settings ?? {});
  return distillRows(request, { seed: await readRows(train, read), synthetic: await readRows(synthetic, read) });
}

/** The same with rows that were read before. */
export async function distillRows(
  request: DistillRequest,
  { seed: seedSet, synthetic: syntheticSet, originals = new Map() }: DistillRows,
): Promise<DistillResult> {
  const { transforms = [], out, seeds, signal, onEvent } = request;
  const settings = checkSettings(request.settings ?? {});
  const seedCopies = await withCopies(seedSet.rows, transforms, { signal });
  const syntheticCopies = await withCopies(syntheticSet.rows, transforms, { signal });
  const start = await openModelFolder(request.student, request.hub);
  const rows = {
    seedRows: seedCopies.rows,
    syntheticRows: syntheticCopies.rows,
    originals: new Map([
      ...originals,
      ...[...seedCopies.originals, ...syntheticCopies.originals].map(
        ([copy, row]) => [copy, originals.get(row) ?? row] as const,
      ),
    ]),
  };
  const data = await prepareData(start.folder, rows, settings, signal);
  const skipped = Object.fromEntries([...seedSet.skipped, ...syntheticSet.skipped]);
  onEvent?.({
    kind: 'data',
    training: data.split.training.length,
    validation: data.split.validation.length,
    unsafe: data.targets.filter(({ label }) => label === 1).length,
    truncated: data.truncated,
    skipped,
  });
  const students: DistillResult['students'][number][] = [];
  for (const seed of seeds) {
    const folder = seeds.length === 1 ? out : path.join(out, `seed-${seed}`);
    const result = await runDistillation(data, settings, {
      ...{ student: start.folder, studentName: nameOf(start), out: folder, seed },
      ...(request.device ? { device: request.device } : {}),
      ...(request.threads ? { threads: request.threads } : {}),
      ...(request.checkpointEveryMs === undefined ? {} : { checkpointEveryMs: request.checkpointEveryMs }),
      ...(signal ? { signal } : {}),
      ...(onEvent ? { onEvent: (event) => onEvent({ ...event, seed }) } : {}),
    });
    students.push({ seed, folder, steps: result.steps, validation: lastValidation(result) });
    if (!result.isFinished) return { isFinished: false, students };
    const counts = [seedCopies.rows.length, syntheticCopies.rows.length] as const;
    await writeCard(folder, { request, start, settings, seed, data, counts });
  }
  return { isFinished: true, students };
}

/** As records name it: the hub id with its commit, or the folder's name. */
export function nameOf({ folder, source }: OpenedFolder): string {
  return source === null ? path.basename(path.resolve(folder)) : `${source.id}@${source.commit}`;
}

function lastValidation({ curve }: RunResult): Pick<ValidationPoint, 'auprc' | 'f1'> | null {
  const last = curve.findLast((point) => point.kind === 'validation');
  return last ? { auprc: last.auprc, f1: last.f1 } : null;
}

interface CardParts {
  readonly request: DistillRequest;
  readonly start: OpenedFolder;
  readonly settings: DistillSettings;
  readonly seed: number;
  readonly data: DistillData;
  readonly counts: readonly [seed: number, synthetic: number];
}

async function writeCard(folder: string, { request, start, settings, seed, data, counts }: CardParts): Promise<void> {
  const { train, synthetic = [], teacher } = request;
  const card = modelCard({
    student: nameOf(start),
    baseModel: start.source?.id ?? null,
    settings,
    seed,
    rows: {
      seed: counts[0],
      synthetic: counts[1],
      validation: data.split.validation.length,
      truncated: data.truncated,
    },
    files: [...train, ...synthetic].map((file) => path.basename(file)),
    transforms: request.transforms ?? [],
    teacher: teacher ?? null,
    curve: readCurve(runFiles(folder).curve, Infinity),
  });
  const file = path.join(folder, 'README.md');
  await writeFile(`${file}.part`, card);
  await rename(`${file}.part`, file);
}
