/** API keys: read from the environment and a file, compared in a time that says nothing about them. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ConfigError } from 'onnx-grad';

export const KEYS_VARIABLE = 'HARMAUG_API_KEYS';

const LEAST_LENGTH = 8; // shorter ones are mistakes
const MOST_BYTES = 1_000_000;

/** Whether a key is one of ours. */
export type IsKnownKey = (key: string) => boolean;

/**
 * @param text keys separated by commas, spaces or line ends; lines that begin with # are comments
 * @param where for errors, which never hold a key
 */
export function parseKeys(text: string, where: string): string[] {
  const keys = text
    .split(/\r?\n/)
    .filter((line) => !line.trimStart().startsWith('#'))
    .flatMap((line) => line.split(/[\s,]+/))
    .filter((key) => key !== '');
  const short = keys.findIndex((key) => key.length < LEAST_LENGTH);
  if (short < 0) return keys;
  throw new ConfigError(`${where}: key ${short + 1} has fewer than ${LEAST_LENGTH} characters.`);
}

/** @throws ConfigError for a file that cannot be read or names no key */
export function readKeys(env: Readonly<Record<string, string | undefined>>, file: string | undefined): string[] {
  const fromEnv = parseKeys(env[KEYS_VARIABLE] ?? '', KEYS_VARIABLE);
  if (file === undefined) return fromEnv;
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new ConfigError(`${file} cannot be read (${(cause as NodeJS.ErrnoException).code}).`, { cause });
  }
  if (text.length > MOST_BYTES) throw new ConfigError(`${file}: expected at most ${MOST_BYTES} bytes of keys.`);
  const fromFile = parseKeys(text, file);
  if (fromFile.length === 0) throw new ConfigError(`${file} names no key. Expected one a line.`);
  return [...fromEnv, ...fromFile];
}

/** Compares hashes, which have one length, and all of them whichever fits. @returns `null` for no keys: everyone is let in */
export function keyCheck(keys: readonly string[]): IsKnownKey | null {
  if (keys.length === 0) return null;
  const hashes = keys.map(hash);
  return (key) => {
    const given = hash(key);
    return hashes.reduce((isKnown, known) => timingSafeEqual(known, given) || isKnown, false);
  };
}

function hash(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
