/**
 * What batching by length costs in padding and gains in variety, by jitter; a note is in docs/experiments.md.
 * `node --conditions=source scripts/measure-padding.ts <tokenizer folder> <prompts.jsonl>`: prints numbers, never a text.
 */
import { readFileSync } from 'node:fs';
import { computedPerReal, lengthBatches } from '@harmaug/models';
import { openTokenizer } from '@harmaug/models/node';

const [folder, file] = process.argv.slice(2);
if (folder === undefined || file === undefined) throw new Error('Expected a tokenizer folder and a JSONL file.');
const tokenizer = await openTokenizer(folder);
const prompts = readFileSync(file, 'utf8')
  .split('\n')
  .filter(Boolean)
  .map((line) => (JSON.parse(line) as { prompt: string }).prompt);
const lengths = prompts.map((prompt) => tokenizer.encode(prompt, undefined, { maxLength: 512 }).ids.length);
const sorted = lengths.toSorted((a, b) => a - b);
const at = (share: number) => sorted[Math.floor(share * sorted.length)]!;
process.stdout.write(`${lengths.length} rows, median ${at(0.5)}, p90 ${at(0.9)}, max ${sorted.at(-1)} tokens\n`);

const measured = [0, 0.02, 0.04, 0.05, 0.06, 0.08, 0.1, 0.15, 0.2].map((jitter) => {
  const [first, second] = [0, 1].map((epoch) => lengthBatches(lengths, { batchSize: 32, seed: 1, epoch, jitter }));
  return {
    jitter,
    'computed per real token': computedPerReal(lengths, first!).toFixed(3),
    'met again': meetAgain(first!, second!).toFixed(3),
    'met again, over p90': meetAgain(first!.filter(isLong), second!).toFixed(3),
  };
});
console.table(measured);

function isLong(batch: readonly number[]): boolean {
  return batch.every((row) => lengths[row]! > at(0.9));
}

/** Of two rows that share a batch in one epoch, how often they share one in the next. */
function meetAgain(before: readonly (readonly number[])[], after: readonly (readonly number[])[]): number {
  const batchOf = new Map(after.flatMap((batch, index) => batch.map((row) => [row, index] as const)));
  let pairs = 0;
  let again = 0;
  for (const batch of before) {
    for (const [i, a] of batch.entries()) {
      for (const b of batch.slice(i + 1)) {
        pairs += 1;
        if (batchOf.get(a) === batchOf.get(b)) again += 1;
      }
    }
  }
  return again / pairs;
}
