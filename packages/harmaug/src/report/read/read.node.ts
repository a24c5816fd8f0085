/** Files and folders of saved results -> findings. Each is known by what is in it, not by its name. */
import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import path from 'node:path';
import { FormatError } from 'onnx-grad';
import { readScores } from '../../evaluate/scores-file.node.ts';
import { isObject, parseJson } from '../../text/json.ts';
import { type Findings, joined, nothingFound } from '../findings.ts';
import { isKnownResult, readResult } from './readers.node.ts';
import { isRun, readRun } from './run.node.ts';
import { isStudent, readStudent } from './student.node.ts';

const MOST_JSON_BYTES = 200_000_000;
const MOST_DEPTH = 4; // of folders in folders

const MOST_FIRST_LINE = 100_000; // bytes

export interface Read {
  readonly findings: Findings;
  /** Files in folders that are no results. */
  readonly passedBy: readonly string[];
}

/**
 * A file that is named must be a result; of a folder, those that are.
 * @throws FormatError, one line, for a place that is missing, unknown or broken
 */
export async function readFindings(places: readonly string[]): Promise<Read> {
  let findings = nothingFound;
  const passedBy: string[] = [];
  for (const place of new Set(places)) {
    const info = statSync(place, { throwIfNoEntry: false });
    if (info === undefined) throw new FormatError(`${place} does not exist.`, { file: place });
    const found = info.isDirectory() ? await readFolder(place, passedBy) : await readFile(place);
    if (found === null) {
      throw new FormatError(
        `${place} holds nothing that the report knows. Expected the folder of a student, a run or a sweep, or results as ` +
          '.json and scores as .jsonl.',
        { file: place },
      );
    }
    findings = joined(findings, found);
  }
  return { findings, passedBy };
}

/** @returns `null` where nothing is known */
async function readFolder(folder: string, passedBy: string[], depth = 0): Promise<Findings | null> {
  let findings: Findings | null = null;
  const add = (found: Partial<Findings>) => {
    findings = joined(findings ?? nothingFound, found);
  };
  if (isStudent(folder)) add({ students: [await readStudent(folder)] });
  if (isRun(folder)) add({ runs: [readRun(folder)] });
  if (findings !== null) return findings;
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  const isSweep = entries.some(({ name }) => name === 'sweep.json' || name === 'adapt.json');
  for (const entry of entries) {
    const place = path.join(folder, entry.name);
    if (entry.isFile() && /\.jsonl?$/.test(entry.name)) {
      if (isResultFile(place)) add(await readFile(place));
      else passedBy.push(place);
    } else if (entry.isDirectory() && !isSweep && depth < MOST_DEPTH) {
      const found = await readFolder(place, passedBy, depth + 1); // cells of a sweep are in its result
      if (found !== null) add(found);
    }
  }
  return findings;
}

/** Scores have their first line's fields; JSON that is broken counts as a result, so that it is told. */
function isResultFile(file: string): boolean {
  if (file.endsWith('.json')) return isKnownResult(readJson(file));
  const first = parseJson(firstLine(file));
  return isObject(first) && 'id' in first && 'score' in first && 'label' in first;
}

function firstLine(file: string): string {
  const buffer = Buffer.alloc(MOST_FIRST_LINE);
  const handle = openSync(file, 'r');
  try {
    const length = readSync(handle, buffer, 0, buffer.length, 0);
    return buffer.toString('utf8', 0, length).split('\n', 1)[0]!;
  } finally {
    closeSync(handle);
  }
}

async function readFile(file: string): Promise<Partial<Findings>> {
  if (file.endsWith('.jsonl')) {
    return { scores: [{ name: path.basename(file, '.jsonl'), rows: await readScores(file), from: file }] };
  }
  return readResult(readJson(file), file);
}

/** @throws FormatError */
function readJson(file: string): unknown {
  const { size } = statSync(file);
  if (size > MOST_JSON_BYTES) {
    throw new FormatError(`${file} has ${size} bytes, expected at most ${MOST_JSON_BYTES}.`, { file });
  }
  const value = parseJson(readFileSync(file, 'utf8').replace(/^\uFEFF/, ''));
  if (value === undefined) throw new FormatError(`${file} is not JSON.`, { file });
  return value;
}
