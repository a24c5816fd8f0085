/** activation_ranges.json of a folder. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { parseJsonObject } from '../files/json.ts';
import { readLimited, writeAside } from '../files/limited.node.ts';
import { type ActivationRangeTable, formatRanges, parseRanges, RANGES_FILE } from './activation-ranges.ts';

const MAX_BYTES = 10_000_000;

export async function writeRanges(folder: string, ranges: ActivationRangeTable): Promise<void> {
  await writeAside(path.join(folder, RANGES_FILE), [new TextEncoder().encode(formatRanges(ranges))]);
}

/** `null` for a model that was not trained in int8. @throws FormatError for a file that is damaged */
export async function readRanges(folder: string): Promise<ActivationRangeTable | null> {
  const file = path.join(folder, RANGES_FILE);
  if (!existsSync(file)) return null;
  return parseRanges(parseJsonObject(await readLimited(file, MAX_BYTES), file), file);
}
