/**
 * EDA, "easy data augmentation": changed copies of labelled rows, for English alone. A copy has its row's labels, the
 * teacher's too: nobody has read it.
 * Source: Wei & Zou 2019, arXiv:1901.11196
 */
import { mulberry32 } from '@harmaug/models';
import type { Row } from '../data/row.ts';
import { hashText } from '../dedup/hash.ts';
import {
  type Draw,
  deleteWords,
  insertSynonyms,
  replaceWithSynonyms,
  type Synonyms,
  shuffle,
  swapWords,
} from './operations.ts';
import { wordsOf } from './words.ts';

export interface EdaSettings {
  /** Share of a text's words that one operation changes. */
  readonly alpha: number;
  /** Copies of a row. */
  readonly copies: number;
}

/** The paper's table 3: what did best, by the rows there are. */
const recommended: readonly ({ readonly upToRows: number } & EdaSettings)[] = [
  { upToRows: 500, alpha: 0.05, copies: 16 },
  { upToRows: 2000, alpha: 0.05, copies: 8 },
  { upToRows: Number.POSITIVE_INFINITY, alpha: 0.1, copies: 4 },
];

export function recommendedSettings(rows: number): EdaSettings {
  const { alpha, copies } = recommended.find(({ upToRows }) => rows <= upToRows)!;
  return { alpha, copies };
}

/** `count` words are at least one, of however short a text. */
type Operation = (words: readonly string[], settings: { count: number; alpha: number }, draw: Draw) => string[];

const operations: readonly Operation[] = [
  (words, { count }, draw) => replaceWithSynonyms(words, count, draw),
  (words, { count }, draw) => insertSynonyms(words, count, draw),
  (words, { count }, draw) => swapWords(words, count, draw),
  (words, { alpha }, draw) => deleteWords(words, alpha, draw),
];

export interface EdaOptions extends Partial<EdaSettings> {
  readonly synonyms: Synonyms;
  /** With a row's id, of what is drawn: a row is changed alike wherever it stands. Default 0. */
  readonly seed?: number;
}

export interface EdaCopies {
  readonly copies: readonly Row[];
  /** What a copy was made from. */
  readonly originals: ReadonlyMap<Row, Row>;
  /** Copies that came out as the row itself or as one before, and were left out. */
  readonly repeated: number;
}

/** Copies of every row: prompt and response are changed by the same operation, each operation about equally often. */
export function edaCopies(rows: readonly Row[], options: EdaOptions): EdaCopies {
  const { synonyms, seed = 0 } = options;
  const known = recommendedSettings(rows.length);
  const { alpha = known.alpha, copies: wanted = known.copies } = options;
  const originals = new Map<Row, Row>();
  let repeated = 0;
  for (const row of rows) {
    const draw: Draw = { uniform: mulberry32(hashText(row.id, 0, undefined, seed)), synonyms };
    const seen = new Set([nameOf(row)]);
    for (const [index, operation] of operationsFor(wanted, draw.uniform).entries()) {
      const copy = { ...change(row, operation, alpha, draw), id: `${row.id}~eda${index + 1}` };
      if (seen.has(nameOf(copy))) repeated += 1;
      else originals.set(copy, row);
      seen.add(nameOf(copy));
    }
  }
  return { copies: [...originals.keys()], originals, repeated };
}

/** As the code of the paper draws them: one more of each than a quarter, shuffled, the first `wanted`. */
function operationsFor(wanted: number, uniform: () => number): Operation[] {
  const each = Math.floor(wanted / operations.length) + 1;
  const all = operations.flatMap((operation) => Array.from({ length: each }, () => operation));
  return shuffle(all, uniform).slice(0, wanted);
}

function change(row: Row, operation: Operation, alpha: number, draw: Draw): Row {
  const changed = (text: string) => {
    const words = wordsOf(text);
    return operation(words, { alpha, count: Math.max(1, Math.floor(alpha * words.length)) }, draw).join(' ');
  };
  const { response } = row;
  return {
    ...row,
    prompt: changed(row.prompt),
    ...(response === undefined ? {} : { response: changed(response) }),
  };
}

/** Without white space, which the operations do not keep. */
function nameOf({ prompt, response = '' }: Row): string {
  return JSON.stringify([wordsOf(prompt).join(' '), wordsOf(response).join(' ')]);
}
