/** A run's learning curve, one JSON object a line: what was learned from, and how validation went. */
import { readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { FormatError } from 'onnx-grad';

export interface StepPoint {
  readonly kind: 'step';
  readonly step: number;
  /** Counts from 0. */
  readonly epoch: number;
  readonly loss: number;
  readonly gradNorm: number;
  readonly learningRate: number;
}

export interface ValidationPoint {
  readonly kind: 'validation';
  readonly step: number;
  readonly epoch: number;
  readonly auprc: number | null;
  readonly f1: number | null;
}

export type CurvePoint = StepPoint | ValidationPoint;

export async function writeCurve(file: string, points: readonly CurvePoint[]): Promise<void> {
  await writeFile(`${file}.part`, points.map((point) => `${JSON.stringify(point)}\n`).join(''));
  await rename(`${file}.part`, file);
}

/** The points up to a step: what a checkpoint of that step knows. */
export function readCurve(file: string, upToStep: number): CurvePoint[] {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  const points = lines.map((line, index) => {
    try {
      return JSON.parse(line) as CurvePoint;
    } catch (cause) {
      throw new FormatError(`${file} line ${index + 1} is not JSON.`, { file, cause });
    }
  });
  return points.filter(({ step }) => step <= upToStep);
}
