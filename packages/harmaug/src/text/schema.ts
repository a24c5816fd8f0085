/** Configs checked by zod, its findings told in our words: where, what, expected, got, and the name that was meant. */
import { ConfigError } from 'onnx-grad';
import { z } from 'zod';
import { closest } from './suggest.ts';

/** An object whose unknown keys are errors, with a suggestion. */
export function strictObject<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => unknownKey(key, Object.keys(shape))).join(' ')
        : undefined,
  });
}

function unknownKey(key: string, known: readonly string[]): string {
  const meant = closest(key, known);
  const hint = meant === undefined ? `Known: ${known.join(', ')}.` : `Did you mean "${meant}"?`;
  return `unknown key "${key.slice(0, 80)}". ${hint}`;
}

/**
 * Checks a value from outside.
 * @param where the file or flag it came from
 * @throws ConfigError with every problem, one line each
 */
export function parseConfig<Schema extends z.ZodType>(schema: Schema, value: unknown, where: string): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new ConfigError(result.error.issues.map((issue) => `${where}: ${describeIssue(issue)}`).join('\n'));
}

function describeIssue({ path, message }: z.core.$ZodIssue): string {
  const place = path.length === 0 ? '' : `"${path.join('.')}" `;
  const text = message
    .replace(/^Invalid input: expected (.+), received undefined$/, 'is missing, expected $1')
    .replace(/^Invalid input: expected (.+), received (.+)$/, 'is wrong: expected $1, got $2')
    .replace(/^Invalid discriminator value. Expected /, 'is wrong: expected one of ')
    .replace(/^Invalid option: expected /, 'is wrong: expected ');
  return `${place}${text}${/[.!?]$/.test(text) ? '' : '.'}`;
}
