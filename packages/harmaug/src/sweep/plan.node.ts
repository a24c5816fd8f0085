/** A sweep's cells as data, before anything is trained: every file is read, every student opened, every key known. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { HubOptions } from '@harmaug/models/node';
import { ConfigError } from 'onnx-grad';
import type { Device } from 'onnx-grad/node';
import type { EvaluationSet } from '../evaluate/evaluate.ts';
import { type Recipe, readRecipe } from '../recipe/recipe.node.ts';
import { type Cell, type CellState, stateOf } from './cell.node.ts';
import { cellFiles, keyOf } from './manifest.node.ts';
import { readSweep, type Sweep, type SweepOverrides } from './recipe.node.ts';
import type { SweepSet } from './result.ts';
import { hashOf, RowReader } from './rows.node.ts';
import { openStudent, type Student } from './students.node.ts';

export interface SweepPlan {
  readonly sweep: Sweep;
  readonly out: string;
  readonly sets: readonly EvaluationSet[];
  readonly about: readonly SweepSet[];
  /** Seed after seed, every setting: the table is whole after the first. */
  readonly cells: readonly Cell[];
  readonly states: readonly CellState[];
}

export interface PlanRequest {
  /** The file, or what was read of it. */
  readonly recipe: string | Recipe;
  readonly out: string;
  readonly overrides?: SweepOverrides;
  /** Reads what `evaluate` names: a file of labelled rows, or a benchmark. */
  readonly openSet: (name: string) => Promise<EvaluationSet>;
  readonly device?: Device;
  readonly hub?: HubOptions;
}

/** @throws ConfigError, FormatError for a recipe, a file or a student that will not do */
export async function planSweep(request: PlanRequest): Promise<SweepPlan> {
  const { out, overrides = {}, openSet, device = 'cpu', hub = {} } = request;
  const recipe = typeof request.recipe === 'string' ? await readRecipe(request.recipe) : request.recipe;
  const { file } = recipe;
  const sweep = readSweep(
    {
      ...{ file, folder: path.dirname(file), exists: existsSync },
      ...{ distill: recipe.sections.distill ?? {}, sweep: recipe.sections.sweep },
    },
    overrides,
  );
  const sets: EvaluationSet[] = [];
  for (const name of sweep.evaluate) {
    const set = await openSet(name);
    sets.push({ ...set, rows: set.rows.slice(0, sweep.limit ?? undefined) });
  }
  const about = sets.map(describeSet);
  expectDistinct(about, `${file}: sweep: evaluate`);

  await mkdir(out, { recursive: true, mode: 0o700 });
  const students = new Map<string, Promise<Student>>();
  const studentOf = ({ student, layers }: Cell['setting']['subject']) => {
    const name = JSON.stringify([student, layers]);
    const known = students.get(name) ?? openStudent({ student, layers }, path.join(out, 'students'), hub);
    students.set(name, known);
    return known;
  };
  const reader = new RowReader(sweep);
  const cells: Cell[] = [];
  for (const seed of sweep.seeds) {
    for (const setting of sweep.settings) {
      const { subject, name } = setting;
      const where = `${file}: sweep: ${name}`;
      const [student, rows] = [await studentOf(subject), await reader.rowsOf(subject, where)];
      const { distill, transforms } = subject;
      const trainKey = keyOf({ distill, transforms, seed, device, student: student.identity, rows: rows.hash });
      const { evaluateMaxLength, resamples } = sweep;
      const key = keyOf({ trainKey, sets: about, evaluateMaxLength, resamples });
      const folder = path.join(out, 'cells', name, `seed-${seed}`);
      cells.push({ setting, seed, folder, trainKey, key, student, rows });
    }
  }
  const states: CellState[] = [];
  for (const cell of cells) states.push(await stateOf(cell));
  return { sweep, out, sets, about, cells, states };
}

function describeSet({ id, version, rows }: EvaluationSet): SweepSet {
  const unlabelled = rows.find(({ label, softLabel }) => label === undefined && softLabel === undefined);
  if (unlabelled) throw new ConfigError(`Row "${unlabelled.id}" of ${id} has no label to evaluate against.`);
  const unsafe = rows.filter(({ label, softLabel }) => (label ?? (softLabel! > 0.5 ? 1 : 0)) === 1).length;
  return { name: id, version, rows: rows.length, unsafe, hash: hashOf(rows) };
}

/** Names of sets are columns of the table and files of scores. */
function expectDistinct(sets: readonly SweepSet[], where: string): void {
  const seen = new Set<string>(['mean']);
  for (const { name } of sets) {
    const file = cellFiles('').scores(name);
    if (seen.has(file) || name === 'mean') {
      throw new ConfigError(
        `${where}: expected sets of different names, none of them "mean"; "${name}" is one too many.`,
      );
    }
    seen.add(file);
  }
}
