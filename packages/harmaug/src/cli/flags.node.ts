/** Flags of a command, from a table: parsed, checked, and shown in its help. */
import { parseArgs } from 'node:util';
import { closest } from '../text/suggest.ts';

/** A command line that is not right. Exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError';
}

interface Kinds {
  /** One text. */
  text: string;
  /** One or more: `--train a.jsonl b.jsonl`, or the flag several times. */
  texts: readonly string[];
  number: number;
  numbers: readonly number[];
  /** Given or not. */
  flag: boolean;
}

export interface Flag<Kind extends keyof Kinds = keyof Kinds, IsRequired extends boolean = boolean> {
  readonly kind: Kind;
  readonly help: string;
  /** What stands for the value in the help: `<folder>`. */
  readonly value?: string;
  readonly isRequired?: IsRequired;
  readonly choices?: readonly string[];
}

/** By name in camel case; on the command line it is `--learning-rate`. */
export type Flags = Readonly<Record<string, Flag>>;

/** Absent flags are `undefined`; those of kind `flag` are false. */
export type FlagValues<Table extends Flags> = {
  readonly [Name in keyof Table]: Table[Name] extends Flag<infer Kind>
    ? Kind extends 'flag'
      ? boolean
      : Table[Name]['isRequired'] extends true
        ? Kinds[Kind]
        : Kinds[Kind] | undefined
    : never;
};

/** What every command takes. */
export const commonFlags = {
  json: { kind: 'flag', help: 'one JSON document on stdout, everything else on stderr' },
  help: { kind: 'flag', help: 'this text' },
} as const satisfies Flags;

export function flagName(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/**
 * @param positional names of the arguments without a flag, in order, all of them needed but those in [ ]; a last one with … takes many
 * @throws UsageError for an unknown flag (with the closest one), a missing or repeated value, a text that is no number
 */
export function parseFlags<Table extends Flags>(
  table: Table,
  argv: readonly string[],
  positional: readonly string[] = [],
): { values: FlagValues<Table>; positionals: readonly string[] } {
  const byFlag = new Map(Object.entries(table).map(([name, flag]) => [flagName(name), { name, flag }]));
  const options = Object.fromEntries(
    [...byFlag].map(
      ([
        flag,
        {
          flag: { kind },
        },
      ]) => [flag.slice(2), { type: kind === 'flag' ? ('boolean' as const) : ('string' as const), multiple: true }],
    ),
  );
  const { tokens } = parseArgs({ args: [...argv], options, tokens: true, strict: false, allowPositionals: true });
  const given = new Map<string, string[]>();
  const positionals: string[] = [];
  let open: string | null = null; // the flag that further values belong to
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') {
      if (open) given.get(open)!.push(token.value);
      else positionals.push(token.value);
      continue;
    }
    const found = byFlag.get(token.rawName);
    if (!found) throw new UsageError(`Unknown flag ${token.rawName}.${suggest(token.rawName, [...byFlag.keys()])}`);
    const { name, flag } = found;
    const isMany = flag.kind === 'texts' || flag.kind === 'numbers';
    if (given.has(name) && !isMany && flag.kind !== 'flag') throw new UsageError(`${token.rawName} is given twice.`);
    if (flag.kind === 'flag') {
      if (token.inlineValue) throw new UsageError(`${token.rawName} takes no value.`);
    } else if (token.value === undefined) {
      throw new UsageError(`${token.rawName} needs a value${flag.value ? `: ${flag.value}` : ''}.`);
    }
    given.set(name, [...(given.get(name) ?? []), ...(token.value === undefined ? [] : [token.value])]);
    open = isMany ? name : null;
  }
  const takesMany = positional.at(-1)?.endsWith('…') === true;
  if (positionals.length > positional.length && !takesMany) {
    throw new UsageError(`"${positionals[positional.length]}" belongs to no flag.`);
  }
  const wantsHelp = given.has('help');
  const missing = positional[positionals.length];
  if (missing !== undefined && !missing.startsWith('[') && !wantsHelp) throw new UsageError(`${missing} is missing.`);
  const entries = Object.entries(table).map(([name, flag]) => {
    const texts = given.get(name);
    if (texts === undefined && flag.isRequired && !wantsHelp)
      throw new UsageError(`${flagName(name)} is missing: ${flag.help}.`);
    return [name, flag.kind === 'flag' ? texts !== undefined : texts && convert(name, flag, texts)];
  });
  return { values: Object.fromEntries(entries), positionals };
}

function convert(name: string, { kind, choices }: Flag, texts: readonly string[]): unknown {
  const wrong = choices && texts.find((text) => !choices.includes(text));
  if (wrong !== undefined) {
    throw new UsageError(
      `${flagName(name)}: "${wrong}" is not one of ${choices!.join(', ')}.${suggest(wrong, choices!)}`,
    );
  }
  if (kind === 'text') return texts[0];
  if (kind === 'texts') return texts;
  const numbers = texts.map((text) => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isFinite(value)) return value;
    throw new UsageError(`${flagName(name)}: expected a number, got "${text}".`);
  });
  return kind === 'number' ? numbers[0] : numbers;
}

/** " Did you mean …?" for the closest of the known words, if one is close. */
export function suggest(word: string, known: readonly string[]): string {
  const meant = closest(word, known);
  return meant === undefined ? '' : ` Did you mean ${meant}?`;
}

const MOST_LISTED = 40; // characters of choices in front of the help

/** The table as lines of help. */
export function describeFlags(table: Flags): string {
  const rows = Object.entries(table).map(([name, { kind, value, help, isRequired, choices }]) => {
    const listed = choices?.join('|') ?? '';
    const isLong = value === undefined && listed.length > MOST_LISTED; // then it stands with the help
    const shown =
      value ??
      (listed && !isLong ? listed : kind === 'number' || kind === 'numbers' ? '<n>' : isLong ? '<name>' : '<text>');
    const many = kind === 'texts' || kind === 'numbers' ? ' …' : '';
    const said = `${isLong ? `${choices!.join(', ')}: ` : ''}${help}${isRequired ? ' (needed)' : ''}`;
    return [`${flagName(name)}${kind === 'flag' ? '' : ` ${shown}${many}`}`, said];
  });
  const width = Math.max(...rows.map(([left]) => left!.length));
  return rows.map(([left, right]) => `  ${left!.padEnd(width)}  ${right}`).join('\n');
}
