/**
 * What int8 costs a guard, and where: the log-odds against float32, with everything in int8, with parts left in float32,
 * and each kind of weight in int8 alone. The table of docs/experiments.md.
 * `npm run measure:int8 -- <guard folder> <rows.jsonl>… [--texts 400]`: prints numbers, never a text.
 */
import { parseArgs } from 'node:util';
import { inferenceModel, loadWeights, TokenizerPool, unsafeIndex } from '@harmaug/models/node';
import { type ModelRecord, type QuantizeOptions, quantizeModel } from 'onnx-grad';
import { createSession } from 'onnx-grad/node';
import { readRows } from '../src/data/read.node.ts';
import { compareMargins } from '../src/export/gate.ts';
import { withProjectedTables } from '../src/export/projected.node.ts';
import { measureRanges } from '../src/export/ranges.node.ts';
import { classifyWith } from '../src/scoring/onnx-session.node.ts';
import { scoreEncoded } from '../src/scoring/score-encoded.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { texts: { type: 'string', default: '400' } },
});
const [folder, ...files] = positionals;
if (folder === undefined || files.length === 0) {
  process.stderr.write('usage: npm run measure:int8 -- <guard folder> <rows.jsonl>…\n');
  process.exit(2);
}
const { json, model, weights } = await loadWeights(folder, { head: 'sequence-classification' });
const sign = unsafeIndex(json, model.config.labels, folder) === 1 ? 1 : -1;
const { rows: all } = await readRows(files, {});
const step = Math.max(1, all.length / Number(values.texts));
const rows = Array.from({ length: Math.min(all.length, Number(values.texts)) }, (_, at) => all[Math.floor(at * step)]!);
const labels = rows.map(({ label }) => label ?? null);
const pool = await TokenizerPool.open(folder);
const encoded = await pool.encodeBatch(
  rows.map(({ prompt, response }) => (response === undefined ? prompt : ([prompt, response] as const))),
  { maxLength: Math.min(model.config.maxLength ?? 512, 512) },
);
await pool.dispose();

const stated = inferenceModel(model, weights);
const projected = await withProjectedTables(stated, {});

async function marginsOf(record: ModelRecord): Promise<{ margins: Float64Array; seconds: number }> {
  const { classify, release } = classifyWith(await createSession(record));
  const startMs = performance.now();
  const { margins } = await scoreEncoded(classify, encoded, model.config, {});
  await release();
  return { margins: margins.map((margin) => sign * margin), seconds: (performance.now() - startMs) / 1000 };
}

const reference = await marginsOf(stated);
const table: Record<string, unknown>[] = [];

async function add(what: string, record: ModelRecord, count: number | null): Promise<void> {
  const { margins, seconds } = await marginsOf(record);
  const gate = compareMargins(reference.margins, margins, labels, 0.5);
  const square = margins.reduce((sum, margin, at) => sum + (margin - reference.margins[at]!) ** 2, 0);
  table.push({
    what,
    weights: count,
    MB: (record.graph.initializers.reduce((sum, { data }) => sum + data.length, 0) / 1e6).toFixed(1),
    'RMS of log-odds': Math.sqrt(square / margins.length).toFixed(4),
    'largest |Δp|': gate.difference.toFixed(3),
    flips: gate.flips.toFixed(4),
    'AUPRC lost': gate.auprcDrop?.toFixed(4) ?? '',
    seconds: seconds.toFixed(1),
  });
  process.stderr.write(`${what}\n`);
}

const ranges = {
  stated: await measureRanges(stated, encoded, model.config, {}),
  projected: await measureRanges(projected, encoded, model.config, {}),
};
const int8 = (record: ModelRecord, options: Omit<QuantizeOptions, 'kind'>) =>
  quantizeModel(record, { kind: 'int8', ...options });
await add('float32', stated, 0);
await add('float32, positions projected once', projected, 0);
const naive = int8(stated, {});
await add('int8, ranges of the batch', naive.model, naive.quantized.length);
const fixed = int8(stated, { ranges: ranges.stated });
await add('int8, fixed ranges', fixed.model, fixed.quantized.length);
const whole = int8(projected, { ranges: ranges.projected });
await add('int8, fixed ranges, positions projected once', whole.model, whole.quantized.length);

/** Weights of one kind: its name without the layer's number. */
const kindOf = (name: string) => name.replace(/\.\d+\./, '.*.').replace(/\.table\d+$/, '.table');
const kinds = Map.groupBy(whole.quantized, kindOf);
for (const [kind, names] of kinds) {
  const kept = new Set(whole.quantized.filter((name) => !names.includes(name)));
  await add(`alone: ${kind}`, int8(projected, { ranges: ranges.projected, kept }).model, names.length);
}
const layerOf = (name: string) => /\.layer\.(\d+)\./.exec(name)?.[1] ?? 'none';
for (const [layer, names] of Map.groupBy(whole.quantized, layerOf)) {
  const kept = new Set(whole.quantized.filter((name) => !names.includes(name)));
  await add(`alone: layer ${layer}`, int8(projected, { ranges: ranges.projected, kept }).model, names.length);
}
console.table(table);
