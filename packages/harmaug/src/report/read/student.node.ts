/** A student's folder: its record, learning curve and model card. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { FormatError } from 'onnx-grad';
import type { CurvePoint } from '../../distill/curve.ts';
import { RECORD_FILE, readRunRecord } from '../../distill/record.node.ts';
import { runFiles } from '../../distill/run.node.ts';
import { parseJson } from '../../text/json.ts';
import type { From, Student } from '../findings.ts';

export const isStudent = (folder: string): boolean => existsSync(path.join(folder, RECORD_FILE));

/** @throws FormatError where a file is damaged */
export async function readStudent(folder: string): Promise<From<Student>> {
  const record = (await readRunRecord(path.join(folder, RECORD_FILE)))!;
  const { curve: curveFile } = runFiles(folder);
  const curve = existsSync(curveFile) ? readPoints(curveFile) : [];
  return { name: folder, record, curve, card: cardOf(path.join(folder, 'README.md')), from: folder };
}

/** Every line is told of, where a run's own reading leaves out what it does not need. */
function readPoints(file: string): CurvePoint[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line, index) => {
      const point = parseJson(line) as CurvePoint | undefined;
      if (isPoint(point)) return point!;
      throw new FormatError(`${file} line ${index + 1}: expected a step with its loss, or a validation.`, { file });
    });
}

function isPoint(point: Partial<CurvePoint> | null | undefined): boolean {
  if (!Number.isFinite(point?.step)) return false;
  return point!.kind === 'step' ? typeof point!.loss === 'number' : point!.kind === 'validation';
}

/** Lines of the card such as "- Teacher: …". */
function cardOf(file: string): [string, string][] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').slice(0, 100_000).split('\n');
  return lines.flatMap((line) => {
    const found = /^- ([^:]{1,60}): (.{1,500})$/.exec(line);
    return found ? [[found[1]!, found[2]!] as [string, string]] : [];
  });
}
