/** `harmaug report`: one HTML file from saved results. */
import { readFileSync } from 'node:fs';
import { FormatError } from 'onnx-grad';
import type { EvaluationSet } from '../evaluate/evaluate.ts';
import { writeReport } from '../report/report.node.ts';
import { defineCommand } from './command.node.ts';
import { dataFlags } from './data-flags.node.ts';
import { openSet } from './open-set.node.ts';

export const reportCommand = defineCommand({
  summary: 'make one HTML page of saved results',
  positional: ['<file or folder> …'],
  flags: {
    out: { kind: 'text', value: '<html>', help: 'where the page goes', isRequired: true },
    title: { kind: 'text', value: '<text>', help: 'its heading; "Safety guards"' },
    data: {
      kind: 'texts',
      value: '<file|benchmark>',
      help: 'sets that scores are of: their texts, hidden until clicked',
    },
    ...dataFlags,
  },
  notes: `What is read, told by its content: what evaluate, cost, measure, calibrate and export print with --json; scores that
evaluate --save-scores wrote; folders of students, runs and sweeps; sweep.json, adapt.json; folders of such files.
Scores find their evaluation by their figures. The page needs no network and holds no text of a row in clear.

  harmaug evaluate --guard guard --data xstest --save-scores results/scores.jsonl --json > results/evaluation.json
  harmaug cost guard --json > results/cost.json
  harmaug report results guard run --data xstest --out report.html`,

  async run(values, io, places) {
    const data: EvaluationSet[] = [];
    for (const name of values.data ?? []) data.push(await openSet(name, values, io));
    io.progress('reading results');
    const result = await writeReport({
      places,
      out: values.out,
      title: values.title ?? 'Safety guards',
      data,
      version: ownVersion(),
    });
    if (result.sections.length === 0) {
      throw new FormatError(`${places.join(', ')}: nothing to show. The page at ${values.out} is empty.`);
    }
    for (const file of result.passedBy) io.say(`${file} is no result, and was passed by`);
    const read = Object.entries(result.results).map(([kind, count]) => `${count} ${kind}`);
    const text = `${result.file}, ${Math.ceil(result.bytes / 1000)} kB: ${result.sections.join(', ')}\nread: ${read.join(', ')}\n`;
    return { json: result, text };
  },
});

function ownVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
