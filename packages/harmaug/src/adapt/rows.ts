/** What a guard is adapted with: rows of the attack, old ones, and old ones in the attack's words. */
import { mulberry32 } from '@harmaug/models';
import { ConfigError } from 'onnx-grad';
import { promptKey } from '../data/prompt-key.ts';
import type { Row } from '../data/row.ts';
import { hashText } from '../dedup/hash.ts';
import type { Score, Scorer } from '../scoring/scorer.ts';
import { applyTransform } from '../transforms/apply.ts';
import { parseTransform } from '../transforms/spec.ts';
import type { Field } from '../transforms/table.ts';
import { chooseRows } from './choose.ts';
import { type Lexicon, readLexicon, switchWords, type TextPair } from './lexicon.ts';
import type { AdaptSettings } from './settings.ts';

export interface LearnedRows {
  /** With a soft label each: what is learned. */
  readonly rows: readonly Row[];
  /** What a row in disguise, or in an attack's words, was made from. */
  readonly originals: ReadonlyMap<Row, Row>;
  /** Rows of the attack, each learned once an epoch. */
  readonly examples: number;
  /** Old rows in all epochs together, each counted once. */
  readonly replay: number;
  /** Copies of old rows in an attack's words, in all epochs together; none of an attack that has no lexicon. */
  readonly switched: number;
}

export interface RowSources {
  readonly train: readonly Row[];
  readonly attack?: readonly Row[];
  readonly transforms?: readonly string[];
  readonly signal?: AbortSignal;
  readonly onScored?: (done: number, rows: number) => void;
}

/** A row to learn, and as it was before it was disguised: `null` where nobody knows. */
interface Example {
  readonly row: Row;
  readonly original: Row | null;
}

/** @param guard as it is before, for its own scores */
export async function rowsToLearn(
  guard: Scorer<Score>,
  { train, attack = [], transforms = [], signal, onScored }: RowSources,
  { examples: count, replay, epochs, trust }: AdaptSettings,
  seed: number,
): Promise<LearnedRows> {
  if (attack.length === 0 && transforms.length === 0) {
    throw new ConfigError('There is nothing to adapt to: give rows of the new attack, or a transform of the old ones.');
  }
  const known = attack.length === 0 ? [] : chooseRows(attack, 'attack', { count, seed });
  const plain = transforms.length === 0 ? [] : chooseRows(train, 'train', { count, seed });
  const examples: Example[] = known.map((row) => ({ row, original: null }));
  const switchers: ((row: Row, seed: number) => Row)[] = [];
  for (const spec of transforms) {
    const { rows, originals } = await applyTransform(plain, spec, { seed });
    const copies = rows.map((row, at) => ({ row, original: originals[at]! }));
    examples.push(...copies);
    const lexicon = readLexicon(textPairs(copies));
    if (lexicon !== null) switchers.push((row, at) => switchRow(row, spec, lexicon, seed + at));
  }
  const except = new Set([...known, ...plain].map(({ prompt }) => promptKey(prompt)));
  const old = replay === 0 ? [] : chooseRows(train, 'train', { count: replay * epochs, seed: seed + 1, except });
  const drawn = Array.from({ length: Math.min(replay, old.length) * epochs }, (_, at) => at % old.length);
  const switched = switchers.length === 0 ? [] : drawn.map((of, at) => switchers[at % switchers.length]!(old[of]!, at));

  const asWritten = [...examples.map(({ row, original }) => original ?? row), ...old];
  const own = await guard.score(asWritten, {
    ...(signal ? { signal } : {}),
    onProgress: (done) => onScored?.(done, asWritten.length),
  });
  // of an attack that nothing is known of but its rows, the guard's score is what is to change
  const learned = examples.map(({ row, original }, at) =>
    withTarget(row, original === null ? 0 : trust, own[at]!.score),
  );
  const target = (row: Row, of: number) => withTarget(row, trust, own[examples.length + of]!.score);
  const rows = [
    ...Array.from({ length: epochs }, () => learned).flat(),
    ...drawn.map((of) => target(old[of]!, of)),
    ...switched.map((row, at) => target(row, drawn[at]!)),
  ];
  const originals = new Map([
    ...examples.flatMap(({ original }, at) => (original ? [[learned[at]!, original] as const] : [])),
    ...switched.map((_, at) => [rows[rows.length - switched.length + at]!, old[drawn[at]!]!] as const),
  ]);
  return { rows, originals, examples: examples.length, replay: old.length, switched: switched.length };
}

/** Prompts and responses that stood for each other, where a disguise changed them. */
function* textPairs(examples: Iterable<{ readonly row: Row; readonly original: Row }>): Generator<TextPair> {
  for (const { row, original } of examples) {
    for (const field of ['prompt', 'response'] as const) {
      const [before, after] = [original[field], row[field]];
      if (before !== undefined && after !== undefined && before !== after) yield { original: before, disguised: after };
    }
  }
}

const WHOLE_SHARE = 0.5; // of the texts: every word the lexicon knows
const LEAST_SHARE = 0.3; // of the words of the others

/** An old row in an attack's words: whole, or a share of them. */
function switchRow(row: Row, spec: string, lexicon: Lexicon, seed: number): Row {
  const { only } = parseTransform(spec);
  const uniform = mulberry32(hashText(`${row.id}\n${spec}`, 0, undefined, seed));
  const share = uniform() < WHOLE_SHARE ? 1 : LEAST_SHARE + (1 - LEAST_SHARE) * uniform();
  const change = (field: Field, text: string) =>
    only === null || only === field ? switchWords(text, lexicon, share, uniform) : text;
  const { prompt, response } = row;
  return {
    ...row,
    id: `${row.id}~${spec}~words`,
    prompt: change('prompt', prompt),
    ...(response === undefined ? {} : { response: change('response', response) }),
  };
}

/** Label and own score in one probability. */
function withTarget(row: Row, trust: number, own: number): Row {
  const label = row.softLabel ?? row.label!;
  return { ...row, label: row.label ?? (label > 0.5 ? 1 : 0), softLabel: (1 - trust) * label + trust * own };
}
