/** `harmaug export`: a guard as ONNX files, the smaller ones checked on real texts. */
import { readRows } from '../data/read.node.ts';
import { type Exported, exportedAsJson, exportGuard } from '../export/export.node.ts';
import { defaultLimits } from '../export/gate.ts';
import { type Precision, precisionNames } from '../export/precisions.ts';
import { defineCommand } from './command.node.ts';
import { dataFlags, readOptions } from './data-flags.node.ts';
import { suggest, UsageError } from './flags.node.ts';
import { formatTable } from './table.ts';

export const exportCommand = defineCommand({
  summary: 'write a guard as ONNX: float32, 8 and 4 bits',
  positional: ['<folder>'],
  flags: {
    dtype: { kind: 'text', value: `<${precisionNames.join(',')}>`, help: 'which, with commas between; fp32,int8' },
    data: {
      kind: 'texts',
      value: '<file>',
      help: 'texts that int8 is fitted to, and that smaller models are held against float32 on',
    },
    out: { kind: 'text', value: '<folder>', help: 'folder that gets onnx/; the guard’s own' },
    maxDifference: { kind: 'number', help: `largest |Δp| allowed; ${defaultLimits.difference}` },
    maxFlips: { kind: 'number', help: `share of verdicts that may change; ${defaultLimits.flips}` },
    maxAuprcDrop: {
      kind: 'number',
      help: `AUPRC that may be lost, where texts have labels; ${defaultLimits.auprcDrop}`,
    },
    threshold: { kind: 'number', help: 'score from which a text counts as unsafe; 0.5' },
    force: { kind: 'flag', help: 'write what is over the limits too, or unchecked without --data' },
    threads: { kind: 'number', help: 'of the CPU; all cores' },
    ...dataFlags,
  },
  notes: `The files are those that transformers.js and optimum look for: onnx/model.onnx, model_quantized.onnx, model_q4.onnx.
Where a smaller model lies over a limit, the weights that cost most stay float32 until it passes.

  harmaug export guard --dtype fp32,int8 --data test.jsonl`,

  async run(values, io, [folder]) {
    const dtypes = (values.dtype ?? 'fp32,int8').split(',').map((name) => readPrecision(name.trim()));
    const isChecked = values.data !== undefined;
    if (!isChecked && !values.force && dtypes.some((name) => name !== 'fp32')) {
      throw new UsageError(
        '--data is missing: texts on which the smaller models are checked. --force writes them unchecked.',
      );
    }
    const { rows } = isChecked ? await readRows(values.data!, readOptions(values)) : { rows: [] };
    const exported = await exportGuard(folder!, {
      precisions: [...new Set(dtypes)],
      rows,
      limits: {
        difference: values.maxDifference ?? defaultLimits.difference,
        flips: values.maxFlips ?? defaultLimits.flips,
        auprcDrop: values.maxAuprcDrop ?? defaultLimits.auprcDrop,
      },
      isForced: values.force,
      signal: io.signal,
      onProgress: io.progress,
      ...(values.out === undefined ? {} : { out: values.out }),
      ...(values.threshold === undefined ? {} : { threshold: values.threshold }),
      ...(values.threads === undefined ? {} : { threads: values.threads }),
    });
    return { json: { folder, texts: rows.length, files: exported.map(exportedAsJson) }, text: present(exported) };
  },
});

function readPrecision(name: string): Precision {
  const known = precisionNames.find((precision) => precision === name);
  if (known) return known;
  throw new UsageError(
    `--dtype: "${name}" is not one of ${precisionNames.join(', ')}.${suggest(name, precisionNames)}`,
  );
}

function present(exported: readonly Exported[]): string {
  const rows = exported.map(({ precision, file, bytes, gate, kept }) => [
    precision,
    file,
    `${(bytes / 1e6).toFixed(1)} MB`,
    gate?.difference ?? null,
    gate?.flips ?? null,
    gate?.auprcDrop ?? null,
    kept.length,
  ]);
  const table = formatTable(['dtype', 'file', 'size', 'max |Δp|', 'flips', 'AUPRC lost', 'kept float32'], rows);
  const over = exported.flatMap(({ precision, failures }) => failures.map((failure) => `${precision}: ${failure}\n`));
  return table + over.join('');
}
