/** The cost table as text. */
import type { CheckCost, CostRatio, ModelCost } from './cost.ts';

type Cell = string | null;

const short = (value: number | null, digits = 3): Cell => {
  if (value === null) return null;
  if (value !== 0 && (Math.abs(value) < 0.001 || Math.abs(value) >= 1e6)) return value.toExponential(2);
  return Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(digits)));
};
const per = (value: number | null, unit: number): Cell => short(value === null ? null : value / unit);
const lengthOf = (length: CheckCost['length']) => (length === 'data' ? 'your rows' : String(length));
const times = (value: number | null): Cell => (value === null ? null : `${short(value, 3)}x`);

interface Table {
  readonly header: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

/** What each model is. */
export function modelTable(models: readonly ModelCost[]): Table {
  return {
    header: ['model', 'precision', 'parameters', 'without embeddings', 'on disk MB', 'peak memory MB'],
    rows: models.map((model) => [
      model.name,
      model.precision,
      parameters(model.parameters),
      parameters(model.parametersWithoutEmbeddings),
      per(model.diskBytes, 1e6),
      per(model.peakMemoryBytes, 1e6),
    ]),
  };
}

function parameters(count: number | null): Cell {
  if (count === null) return null;
  return count >= 1e9 ? `${(count / 1e9).toFixed(2)}B` : count >= 1e5 ? `${(count / 1e6).toFixed(1)}M` : String(count);
}

/** What each check takes. */
export function checkTable(models: readonly ModelCost[], currency: string): Table {
  return {
    header: [
      ...['model', 'precision', 'text', 'tokens', 'GFLOPs', 'GFLOPs/token', 'p50 ms', 'p95 ms', 'texts/s', 'tokens/s'],
      `${currency} per million`,
    ],
    rows: models.flatMap(({ name, precision, checks }) =>
      checks.map((check) => [
        ...[name, precision, lengthOf(check.length), short(check.tokens)],
        ...[per(check.flops, 1e9), per(check.flopsPerToken, 1e9), short(check.p50Ms), short(check.p95Ms)],
        ...[short(check.textsPerSecond), short(check.tokensPerSecond), short(check.perMillionChecks)],
      ]),
    ),
  };
}

/** How many times better the student is. */
export function ratioTable(found: readonly CostRatio[]): Table {
  return {
    header: ['model', 'precision', 'text', 'parameters', 'FLOPs', 'p50', 'texts/s', 'memory', 'disk', 'money'],
    rows: found.map((ratio) => [
      ...[ratio.name, ratio.precision, lengthOf(ratio.length), times(ratio.parameters), times(ratio.flops)],
      ...[times(ratio.p50Ms), times(ratio.textsPerSecond), times(ratio.peakMemoryBytes), times(ratio.diskBytes)],
      times(ratio.perMillionChecks),
    ]),
  };
}
