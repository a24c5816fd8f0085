/** JSON results, told apart by what is in them: a row for each kind that the report knows. */
import path from 'node:path';
import { ConfigError, FormatError } from 'onnx-grad';
import type { z } from 'zod';
import { isObject } from '../../text/json.ts';
import { parseConfig } from '../../text/schema.ts';
import type { Findings } from '../findings.ts';
import { adaptSchema } from './adapt.ts';
import { calibrationSchema } from './calibration.ts';
import { costSchema } from './cost.ts';
import { evaluationSchemas } from './evaluation.ts';
import { exportSchema } from './export.ts';
import { measureSchema } from './measure.ts';
import { sweepSchema } from './sweep.ts';

interface Reader {
  /** The command that writes it. */
  readonly command: string;
  /** Keys by which it is known. */
  readonly keys: readonly string[];
  readonly read: (value: unknown, from: string) => Partial<Findings>;
}

/** Of a result that is one entry of its list. */
function simple<Schema extends z.ZodType<object>>(list: keyof Findings, schema: Schema): Reader['read'] {
  return (value, from) => ({ [list]: [{ ...parseConfig(schema, value, from), from }] });
}

const { guard, several, ofScores, comparison } = evaluationSchemas;

/** The first whose keys are all there. */
const readers: readonly Reader[] = [
  { command: 'sweep', keys: ['kind', 'cells', 'summary'], read: simple('sweeps', sweepSchema) },
  { command: 'adapt', keys: ['kind', 'guard', 'transform', 'sets'], read: simple('adaptations', adaptSchema) },
  { command: 'cost --json', keys: ['machine', 'prices', 'models'], read: simple('costs', costSchema) },
  { command: 'measure --json', keys: ['attack', 'sets', 'score_histogram'], read: simple('measures', measureSchema) },
  { command: 'calibrate --json', keys: ['wanted_fpr', 'threshold'], read: simple('calibrations', calibrationSchema) },
  { command: 'export --json', keys: ['folder', 'texts', 'files'], read: simple('exports', exportSchema) },
  {
    command: 'evaluate --scores --against --json',
    keys: ['scores', 'against', 'differences'],
    read: simple('comparisons', comparison),
  },
  {
    command: 'evaluate --scores --json',
    keys: ['scores', 'sets'],
    read: (value, from) => {
      const { scores, sets } = parseConfig(ofScores, value, from);
      return { guards: [{ guard: path.basename(scores, '.jsonl'), about: {}, sets, together: 1, from }] };
    },
  },
  {
    command: 'evaluate --json',
    keys: ['guard', 'sets'],
    read: (value, from) => ({ guards: [{ ...parseConfig(guard, value, from), together: 1, from }] }),
  },
  {
    command: 'evaluate --json',
    keys: ['guards', 'summary'],
    read: (value, from) => {
      const { guards } = parseConfig(several, value, from);
      return { guards: guards.map((one) => ({ ...one, together: guards.length, from })) };
    },
  },
];

const knownResults = [...new Set(readers.map(({ command }) => command))];

const readerOf = (value: unknown): Reader | undefined =>
  isObject(value) ? readers.find(({ keys }) => keys.every((key) => key in value)) : undefined;

export const isKnownResult = (value: unknown): boolean => readerOf(value) !== undefined;

/** @throws FormatError for a value of no kind we know, or naming its first field that is wrong */
export function readResult(value: unknown, from: string): Partial<Findings> {
  const reader = readerOf(value);
  try {
    if (reader) return reader.read(value, from);
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    const [first, ...others] = cause.message.split('\n');
    const more = others.length === 0 ? '' : ` (${others.length} more)`;
    throw new FormatError(`${first}${more} It looks like what "harmaug ${reader!.command}" writes.`, {
      file: from,
      cause,
    });
  }
  throw new FormatError(
    `${from} is no result that the report knows. Expected what ${knownResults.join(', ')} give, scores.jsonl, or a folder ` +
      'of a student, a run, a sweep or such files.',
    { file: from },
  );
}
