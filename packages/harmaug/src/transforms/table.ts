/** Every transform: what it takes, what it does to a text, and which texts it is meant for. */
import type { Provider } from '../providers/provider.ts';
import {
  base64,
  caesar,
  fullWidth,
  hex,
  leetspeak,
  lookAlikes,
  reversed,
  spaced,
  type Uniform,
  zeroWidth,
} from './encodings.ts';
import { frame, framings } from './framings.ts';
import { morse } from './morse.ts';
import { choice, number, type OptionRule, text as textOption } from './options.ts';
import { translate } from './translate.ts';

export type Field = 'prompt' | 'response';

export interface TransformContext {
  /** The row and the field, for errors and calls; never its text. */
  readonly id: string;
  readonly uniform: Uniform;
  /** Writes translations. */
  readonly provider: Provider | null;
  readonly signal: AbortSignal;
}

/** The text changed, or why it cannot be. */
export type Changed = string | { readonly skip: string };

interface Rule<Value> {
  readonly summary: string;
  /** What stands behind the colon. */
  readonly option: OptionRule<Value>;
  /** Texts that it changes unless the spec says otherwise. */
  readonly fields: readonly Field[];
  readonly needsModel?: true;
  readonly change: (text: string, value: Value, context: TransformContext) => Changed | Promise<Changed>;
}

const both: readonly Field[] = ['prompt', 'response'];

/** Keeps the value's type between the option and the function. */
const rule = <Value>(given: Rule<Value>): Rule<unknown> => given as unknown as Rule<unknown>;

const plain = (summary: string, change: (text: string) => string): Rule<unknown> =>
  rule({ summary, option: null, fields: both, change });

const partly = (summary: string, share: number, change: (text: string, share: number, uniform: Uniform) => string) =>
  rule({
    summary,
    option: number({ name: 'share', min: 0.01, max: 1, otherwise: share }),
    fields: both,
    change: (text, value, { uniform }) => change(text, value, uniform),
  });

export const transforms = {
  caesar: rule({
    summary: 'letters moved on in the alphabet',
    option: number({ name: 'shift', min: 1, max: 25, otherwise: 3, isWhole: true }),
    fields: both,
    change: (text, shift) => caesar(text, shift),
  }),
  morse: plain('Morse code', morse),
  base64: plain('bytes in base64', base64),
  hex: plain('bytes in hexadecimal', hex),
  leetspeak: partly('digits in place of letters', 1, leetspeak),
  reversed: plain('from the end to the beginning', reversed),
  spaced: rule({
    summary: 'letters with a sign between them',
    option: choice({ name: 'separator', choices: [' ', '-', '.', '_', '|', '*'], otherwise: ' ' }),
    fields: both,
    change: (text, separator) => spaced(text, separator),
  }),
  'full-width': plain('letters as wide as Chinese ones', fullWidth),
  'look-alikes': partly('Cyrillic letters that look the same', 0.5, lookAlikes),
  'zero-width': partly('invisible characters between letters', 0.3, zeroWidth),
  'role-play': rule({
    summary: 'told in a mild story',
    option: choice({ name: 'story', choices: Object.keys(framings), otherwise: null }),
    fields: ['prompt'],
    change: (text, story, { uniform }) => {
      const names = Object.keys(framings);
      return frame(text, story ?? names[Math.floor(uniform() * names.length)]!);
    },
  }),
  translate: rule({
    summary: 'into another language, by a language model',
    option: textOption({ name: 'language' }),
    fields: both,
    needsModel: true,
    change: translate,
  }),
} satisfies Record<string, Rule<unknown>>;

export type TransformName = keyof typeof transforms;
export const transformNames = Object.keys(transforms) as TransformName[];

/** The table as lines of help. */
export function describeTransforms(): string {
  const rows = transformNames.map((name) => {
    const { option, summary } = transforms[name];
    return [option === null ? name : `${name}:${option.shown}`, summary] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n');
}
