/** `harmaug import-data`: rows of other sets into a run, or into a file of our own columns. */
import { Ledger } from '../ledger/ledger.node.ts';
import { convertRows, type ImportResult, importRows } from '../stages/import.node.ts';
import { readPipeline } from '../stages/pipeline.node.ts';
import { writeResolved } from '../stages/resolved.node.ts';
import { type CommandResult, defineCommand } from './command.node.ts';
import { dataFlags, readOptions } from './data-flags.node.ts';
import { UsageError } from './flags.node.ts';

export const importDataCommand = defineCommand({
  summary: 'take rows of other sets into a run, or write them in our own columns',
  positional: ['<recipe>'],
  flags: {
    out: { kind: 'text', value: '<run>', help: 'run folder that they go into' },
    to: { kind: 'text', value: '<file>', help: 'or a file, .jsonl or .parquet' },
    data: { kind: 'texts', value: '<file>', help: 'JSONL, JSON, CSV or Parquet', isRequired: true },
    source: { kind: 'text', value: '<name>', help: 'of rows that do not say theirs' },
    ...dataFlags,
  },
  notes: `In a run, rows with a response are there to be labelled, rows without one to be responded to as well. What overlaps
an evaluation set of the recipe (filters.benchmarks) is left out.

  harmaug import-data recipes/augment.yaml --out runs/first --data train.jsonl --format wildguardmix-response
  harmaug import-data recipes/augment.yaml --to ours.parquet --data HarmAug_generated.parquet --format harmaug-released`,

  async run({ out, to, data, source, ...how }, io, [recipe]) {
    if ((out === undefined) === (to === undefined)) throw new UsageError('Give either --out or --to.');
    const pipeline = await readPipeline(recipe!);
    const options = {
      ...{ pipeline, files: data, read: readOptions(how), source, env: io.env, signal: io.signal },
      onProgress: (rows: number) => io.progress(`${rows} rows`),
      onNote: io.say,
    };
    if (to !== undefined) return present(await convertRows(to, options), to);
    const ledger = Ledger.open(out!);
    try {
      writeResolved(out!, pipeline);
      return present(await importRows(ledger, options), out!);
    } finally {
      ledger.close();
    }
  },
});

function present({ rows, added, instructions, reasons, skipped }: ImportResult, into: string): CommandResult {
  const left = Object.entries({ ...skipped, ...reasons }).map(([reason, count]) => `${count} left out: ${reason}`);
  const pairs = added - instructions;
  return {
    json: { into, rows, added, instructions, pairs, rejected: reasons, skipped },
    text: `${[`${rows} rows read, ${added} new: ${instructions} instructions, ${pairs} pairs`, ...left].join('\n')}\n`,
  };
}
