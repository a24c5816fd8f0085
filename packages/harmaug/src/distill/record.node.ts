/** distillation.json: the record of a finished run, beside its weights. A folder that has it needs no more training. */
import { existsSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { FormatError } from 'onnx-grad';

export const RECORD_FILE = 'distillation.json';

export interface RunRecord {
  /** Every setting that the weights depend on. */
  readonly options: Readonly<Record<string, unknown>>;
  /** "sha256:…" of the rows */
  readonly dataHash: string;
  readonly steps: number;
}

export async function writeRunRecord(file: string, record: RunRecord): Promise<void> {
  await writeFile(`${file}.part`, `${JSON.stringify(record, null, 2)}\n`);
  await rename(`${file}.part`, file);
}

/** `null` where the run is not finished. @throws FormatError when the file is damaged */
export async function readRunRecord(file: string): Promise<RunRecord | null> {
  if (!existsSync(file)) return null;
  let record: Partial<RunRecord> | null;
  try {
    record = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new FormatError(`${file} is not JSON. Remove the folder and run again.`, { file, cause });
  }
  if (typeof record?.options === 'object' && typeof record.dataHash === 'string' && Number.isInteger(record.steps)) {
    return record as RunRecord;
  }
  throw new FormatError(`${file} lacks "options", "dataHash" or "steps". Remove the folder and run again.`, { file });
}
