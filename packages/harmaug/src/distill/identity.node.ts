/** What a run's weights depend on beside its data, and whether a folder holds the same run. */
import { ConfigError } from 'onnx-grad';
import type { RunRecord } from './record.node.ts';
import { distillDefaults } from './settings.ts';

/** What runs were begun with before their records named it. */
const unnamed: Readonly<Record<string, unknown>> = { ...distillDefaults, newWeights: 1 };

/** @throws ConfigError naming the first setting that differs */
export function expectSame(
  saved: Pick<RunRecord, 'options' | 'dataHash'>,
  identity: Record<string, unknown>,
  hash: string,
  out: string,
): void {
  const remedy = 'Give another --out, or remove that folder to begin anew.';
  for (const [name, value] of Object.entries(identity)) {
    const before = { ...unnamed, ...saved.options }[name] ?? null;
    if (before === (value ?? null)) continue;
    throw new ConfigError(`${out} holds a run with ${name} ${String(before)}, not ${String(value)}. ${remedy}`);
  }
  if (saved.dataHash !== hash) throw new ConfigError(`${out} holds a run on other data. ${remedy}`);
}
