/** The guard that the best student of a setting becomes: its folder, with ONNX files. */

import { copyFile, mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { ConfigError } from 'onnx-grad';
import { spread } from '../../data/spread.ts';
import { readCurve } from '../../distill/curve.node.ts';
import { runFiles } from '../../distill/run.node.ts';
import { exportedAsJson, exportGuard } from '../../export/export.node.ts';
import type { Cell } from '../../sweep/cell.node.ts';
import { cellFiles, keyOf, readEnd, writeJson } from '../../sweep/manifest.node.ts';
import { exportedSetting } from '../recipe.node.ts';
import { hashFile } from '../records.node.ts';
import type { Step } from '../step.node.ts';

const MOST_ROWS = 500; // that the exported files are held against float32 on

export const guardStep: Step = {
  name: 'guard',
  about: 'the best student of its setting, exported',
  isAsked: (experiment) => experiment.export !== null,
  reads: ['sweep'],
  writes: ({ guard, result }) => [path.join(guard, 'config.json'), path.join(guard, 'onnx'), result('export')],
  inputs: async ({ experiment, plan }) => [experiment.export, exportedSetting(experiment, (await plan()).sweep)],
  async run({ experiment, files, plan: planned, threads, signal, tell }) {
    const { dtype, maxDifference, maxFlips, maxAuprcDrop } = experiment.export!;
    const plan = await planned();
    const setting = exportedSetting(experiment, plan.sweep);
    const { cell, auprc } = await bestOf(plan.cells.filter((one) => one.setting.name === setting));
    const part = `${files.guard}.part`;
    await rm(part, { recursive: true, force: true });
    await copyFiles(cellFiles(cell.folder).guard, part);
    const rows = spread([...cell.rows.seed.rows, ...cell.rows.synthetic.rows], MOST_ROWS);
    const exported = await exportGuard(part, {
      ...{ precisions: dtype, rows, signal },
      limits: { difference: maxDifference, flips: maxFlips, auprcDrop: maxAuprcDrop },
      ...(threads === undefined ? {} : { threads }),
      onProgress: (line) => tell({ kind: 'at', line }),
    });
    signal.throwIfAborted();
    await rm(files.guard, { recursive: true, force: true });
    await rename(part, files.guard);
    const made = exported.map((one) => ({ ...one, file: path.join(files.guard, 'onnx', path.basename(one.file)) }));
    const json = { folder: files.guard, texts: rows.length, files: made.map(exportedAsJson) };
    await writeJson(files.result('export'), json);
    const { seed } = cell;
    const parts = made.map(({ precision, bytes, gate, kept }) => ({
      ...{ precision, bytes, kept: kept.length, difference: gate?.difference ?? null },
    }));
    return {
      output: keyOf([await hashFile(path.join(files.guard, 'model.safetensors')), experiment.export]),
      facts: { setting, seed, validationAuprc: auprc, cell: cell.folder, files: parts },
      line: `${setting}, seed ${seed}: ${dtype.join(', ')}`,
    };
  },
};

/** The cell with the best AUPRC on its own held-out rows, never on the sets that it is measured on; of equals the first. */
async function bestOf(cells: readonly Cell[]): Promise<{ readonly cell: Cell; readonly auprc: number | null }> {
  let best: { cell: Cell; auprc: number | null } | null = null;
  for (const cell of cells) {
    if ((await readEnd(cell.folder))?.state !== 'done') continue;
    const auprc = validationOf(cell);
    if (best === null || (auprc ?? -1) > (best.auprc ?? -1)) best = { cell, auprc };
  }
  if (best === null) throw new ConfigError('There is no student to export.');
  return best;
}

/** Of the weights that were kept. */
function validationOf({ folder, setting }: Cell): number | null {
  const points = readCurve(runFiles(cellFiles(folder).guard).curve, Number.POSITIVE_INFINITY);
  const figures = points.flatMap((point) => (point.kind === 'validation' ? [point.auprc] : []));
  if (setting.subject.distill.keep === 'last') return figures.at(-1) ?? null;
  const known = figures.filter((figure) => figure !== null);
  return known.length === 0 ? null : Math.max(...known);
}

/** Files alone: what training left for itself stays behind. */
async function copyFiles(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true, mode: 0o700 });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (entry.isFile()) await copyFile(path.join(from, entry.name), path.join(to, entry.name));
  }
}
