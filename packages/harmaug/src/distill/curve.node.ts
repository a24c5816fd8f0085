/** A learning curve as a file, one JSON object a line. */
import { readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { FormatError } from 'onnx-grad';
import type { CurvePoint } from './curve.ts';

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
