/** Which rows are held out for validation. */
import { mulberry32 } from '@harmaug/models';
import { promptKey } from '../data/prompt-key.ts';
import type { Row } from '../data/row.ts';

export interface Split {
  readonly training: readonly number[];
  readonly validation: readonly number[];
}

/**
 * Row numbers of both sides. All rows of a prompt are on one side, and each class gives about its share: prompts are
 * shuffled within the class of their first row.
 * @param labels 1 = unsafe, one for each row
 */
export function splitByPrompt(
  rows: readonly Row[],
  labels: ArrayLike<number>,
  { share, seed }: { share: number; seed: number },
): Split {
  const prompts = new Map<string, number[]>();
  rows.forEach(({ prompt }, row) => {
    const key = promptKey(prompt);
    const known = prompts.get(key);
    if (known) known.push(row);
    else prompts.set(key, [row]);
  });
  const uniform = mulberry32(seed);
  const training: number[] = [];
  const validation: number[] = [];
  for (const label of [0, 1]) {
    const ofClass = [...prompts.values()].filter(([first]) => labels[first!] === label);
    const wanted = share * ofClass.reduce((sum, members) => sum + members.length, 0);
    let held = 0;
    const shuffled = ofClass.map((members) => ({ members, key: uniform() })).sort((a, b) => a.key - b.key);
    for (const { members } of shuffled) {
      const side = held + members.length / 2 <= wanted ? validation : training;
      if (side === validation) held += members.length;
      side.push(...members);
    }
  }
  return { training: training.sort((a, b) => a - b), validation: validation.sort((a, b) => a - b) };
}
