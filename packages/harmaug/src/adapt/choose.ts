/** Which rows a guard is adapted with: some of the new attack, some of what it knows already. */
import { mulberry32 } from '@harmaug/models';
import { ConfigError } from 'onnx-grad';
import { promptKey } from '../data/prompt-key.ts';
import type { Row } from '../data/row.ts';

export interface ChooseOptions {
  /** Most rows; all there are where they are fewer. */
  readonly count: number;
  readonly seed: number;
  /** Prompts that are not taken (data/prompt-key.ts). */
  readonly except?: ReadonlySet<string>;
}

/**
 * Drawn by seed, half of each class as far as there are rows of it, each prompt once; in the order they had.
 * @throws ConfigError naming a row without a label, or a class without rows
 */
export function chooseRows(
  rows: readonly Row[],
  what: string,
  { count, seed, except = new Set() }: ChooseOptions,
): Row[] {
  const uniform = mulberry32(seed);
  const drawn = rows
    .map((row, at) => ({ row, at, key: uniform(), isUnsafe: isUnsafe(row, what) }))
    .sort((a, b) => a.key - b.key);
  const taken = new Set(except);
  const once = drawn.filter(({ row: { prompt, response } }) => {
    const key = promptKey(prompt);
    if (taken.has(key)) return false;
    if (response === undefined) taken.add(key); // a prompt may have several responses
    return true;
  });
  const [unsafe, safe] = [once.filter((one) => one.isUnsafe), once.filter((one) => !one.isUnsafe)];
  if (unsafe.length === 0 || safe.length === 0) {
    const kind = unsafe.length === 0 ? 'unsafe' : 'safe';
    throw new ConfigError(`${what}: none of the ${once.length} rows is ${kind}. A guard needs both to adapt to.`);
  }
  const half = Math.floor(count / 2);
  const ofUnsafe = Math.min(unsafe.length, Math.max(half, count - safe.length));
  const chosen = [...unsafe.slice(0, ofUnsafe), ...safe.slice(0, count - ofUnsafe)];
  return chosen.sort((a, b) => a.at - b.at).map(({ row }) => row);
}

function isUnsafe({ id, label, softLabel }: Row, what: string): boolean {
  if (label !== undefined) return label === 1;
  if (softLabel !== undefined) return softLabel > 0.5;
  throw new ConfigError(`${what}: row "${id}" has neither a label nor a soft_label.`);
}
