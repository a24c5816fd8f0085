/** What judging costs, student beside teacher; what exporting in fewer bits loses. */
import { html } from '../html.ts';
import { compact, NONE, share, short } from '../numbers.ts';
import { table } from '../table.ts';
import type { Material, Section } from './section.ts';

const megabytes = (bytes: number | null) => (bytes === null ? NONE : `${short(bytes / 1e6)} MB`);
const times = (ratio: number | null) => (ratio === null ? NONE : `${short(ratio)}×`);
const lengthName = (length: number | 'data') => (length === 'data' ? 'your rows' : `${length} tokens`);

export const cost: Section = {
  id: 'cost',
  title: 'Cost',
  render({ costs, exports, nameOf }: Material) {
    if (costs.length === 0 && exports.length === 0) return null;
    return html`${costs.map(({ machine, prices, models, against, ratios }) => {
      const all = against === null ? models : [...models, against];
      const name = (model: { name: string; precision: string | null }) =>
        html`${nameOf(model.name)}${model.precision === null ? null : ` ${model.precision}`}`;
      const checks = all.flatMap((model) => model.checks.map((check) => ({ model, ...check })));
      return html`<p class="about">${machine.cpu}, ${machine.threads} threads. FLOPs are two for a multiplication with its addition.${
        prices.date === undefined ? null : ` Prices of ${prices.date}.`
      }</p>
${table(
  'Models',
  [
    { head: 'model', cell: name, isText: true },
    { head: 'parameters', cell: ({ parameters }) => compact(parameters) },
    { head: 'without embeddings', cell: ({ parametersWithoutEmbeddings }) => compact(parametersWithoutEmbeddings) },
    { head: 'on disk', cell: ({ diskBytes }) => megabytes(diskBytes) },
    { head: 'peak memory', cell: ({ peakMemoryBytes }) => megabytes(peakMemoryBytes) },
  ],
  all,
)}
${table(
  'What a check takes',
  [
    { head: 'model', cell: ({ model }) => name(model), isText: true },
    { head: 'text', cell: ({ length }) => lengthName(length), isText: true },
    { head: 'tokens read', cell: ({ tokens }) => short(tokens) },
    { head: 'GFLOPs', cell: ({ flops }) => (flops === null ? NONE : short(flops / 1e9)) },
    { head: 'p50 ms', cell: ({ p50Ms }) => short(p50Ms) },
    { head: 'p95 ms', cell: ({ p95Ms }) => short(p95Ms) },
    { head: 'texts a second', cell: ({ textsPerSecond }) => short(textsPerSecond) },
    { head: `${prices.currency} a million checks`, cell: ({ perMillionChecks }) => short(perMillionChecks) },
  ],
  checks,
)}
${
  ratios.length === 0 || against === null
    ? null
    : table(
        `How many times more ${nameOf(against.name)} takes`,
        [
          { head: 'beside', cell: name, isText: true },
          { head: 'text', cell: ({ length }) => lengthName(length), isText: true },
          { head: 'parameters', cell: ({ parameters }) => times(parameters) },
          { head: 'FLOPs', cell: ({ flops }) => times(flops) },
          { head: 'latency', cell: ({ p50Ms }) => times(p50Ms) },
          { head: 'throughput', cell: ({ textsPerSecond }) => times(textsPerSecond) },
          { head: 'memory', cell: ({ peakMemoryBytes }) => times(peakMemoryBytes) },
          { head: 'disk', cell: ({ diskBytes }) => times(diskBytes) },
          { head: 'money', cell: ({ perMillionChecks }) => times(perMillionChecks) },
        ],
        ratios,
        'Of throughput: how many times more the other gives.',
      )
}`;
    })}
${
  exports.length === 0
    ? null
    : table(
        'Exported files, held against float32 on the same texts',
        [
          { head: 'guard', cell: ({ folder }) => nameOf(folder), isText: true },
          { head: 'precision', cell: ({ dtype }) => dtype, isText: true },
          { head: 'size', cell: ({ bytes }) => megabytes(bytes) },
          { head: 'texts', cell: ({ texts }) => short(texts) },
          { head: 'max |Δp|', cell: ({ gate }) => share(gate?.max_difference) },
          { head: 'verdicts changed', cell: ({ gate }) => share(gate?.flips) },
          { head: 'AUPRC lost', cell: ({ gate }) => share(gate?.auprc_drop) },
          { head: 'weights in float32', cell: (row) => row.kept_float32.length },
          { head: 'over a limit', cell: (row) => row.over_limits.join('; '), isText: true },
        ],
        exports.flatMap(({ folder, texts, files }) => files.map((file) => ({ folder, texts, ...file }))),
      )
}`;
  },
};
