/** What a transform takes behind its colon, `caesar:3`. */
import { ConfigError } from 'onnx-grad';

/** `null` for a transform that takes nothing. */
export type OptionRule<Value> = {
  /** For the help: `<shift, 3>`. */
  readonly shown: string;
  /** @param given `undefined` where there is no colon @throws ConfigError, beginning with `where` */
  readonly read: (given: string | undefined, where: string) => Value;
} | null;

export function number(range: {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly otherwise: number;
  readonly isWhole?: boolean;
}): OptionRule<number> {
  const { name, min, max, otherwise, isWhole = false } = range;
  return {
    shown: `<${name}, ${otherwise}>`,
    read(given, where) {
      if (given === undefined) return otherwise;
      const value = Number(given);
      if (given.trim() !== '' && value >= min && value <= max && (!isWhole || Number.isInteger(value))) return value;
      const what = isWhole ? 'a whole number' : 'a number';
      throw new ConfigError(`${where}: ${name}: expected ${what} from ${min} to ${max}, got "${given.slice(0, 40)}".`);
    },
  };
}

/** @param otherwise `null`: drawn for each text */
export function choice<Otherwise extends string | null>(options: {
  readonly name: string;
  readonly choices: readonly string[];
  readonly otherwise: Otherwise;
}): OptionRule<string | Otherwise> {
  const { name, choices, otherwise } = options;
  return {
    shown: `<${name}, ${otherwise === null ? 'drawn' : `"${otherwise}"`}>`,
    read(given, where) {
      if (given === undefined) return otherwise;
      if (choices.includes(given)) return given;
      const known = choices.map((one) => `"${one}"`).join(', ');
      throw new ConfigError(`${where}: ${name}: expected one of ${known}, got "${given.slice(0, 40)}".`);
    },
  };
}

const MOST_CHARACTERS = 60;

/** Letters and spaces, such as the name of a language. */
export function text({ name }: { readonly name: string }): OptionRule<string> {
  return {
    shown: `<${name}>`,
    read(given, where) {
      if (given !== undefined && given.length <= MOST_CHARACTERS && /^\p{L}[\p{L} -]*$/u.test(given)) return given;
      throw new ConfigError(
        `${where}: expected a ${name} of at most ${MOST_CHARACTERS} letters behind the colon, such as German.`,
      );
    },
  };
}
