/** `harmaug calibrate`: a threshold for a wanted false-positive rate, and probabilities that are frequencies. */
import { existsSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { readSettings } from '@harmaug/guard';
import { type JsonObject, parseJsonObject } from '@harmaug/models';
import { ConfigError } from 'onnx-grad';
import { type Calibration, calibrate, type LabelledMargin } from '../calibrate/calibrate.ts';
import { readRows } from '../data/read.node.ts';
import { splitByPrompt } from '../distill/split.ts';
import { SETTINGS_FILE } from '../scoring/classifier.node.ts';
import { openScorer } from '../scoring/open-scorer.node.ts';
import { defineCommand } from './command.node.ts';
import { dataFlags, readOptions } from './data-flags.node.ts';
import { UsageError } from './flags.node.ts';
import { formatTable } from './table.ts';

const defaults = { fpr: 0.05, holdout: 0.3, seed: 42 };

export const calibrateCommand = defineCommand({
  summary: 'choose a guard’s threshold, and make its scores frequencies',
  positional: ['<folder>'],
  flags: {
    data: {
      kind: 'texts',
      value: '<file>',
      help: 'labelled rows that the guard has not learned from',
      isRequired: true,
    },
    fpr: { kind: 'number', help: `share of safe texts that may be called unsafe; ${defaults.fpr}` },
    holdout: { kind: 'number', help: `share of the rows on which what was chosen is tried; ${defaults.holdout}` },
    seed: { kind: 'number', help: `of the split; ${defaults.seed}` },
    maxLength: { kind: 'number', help: 'tokens of a text or pair; what the model has positions for' },
    threads: { kind: 'number', help: 'of the CPU; all cores' },
    ...dataFlags,
  },
  notes: `Writes threshold and temperature into the folder’s guard.json, which evaluate, check and @harmaug/guard read.

  harmaug calibrate guard --data held-out.jsonl --fpr 0.02`,

  async run(values, io, [folder]) {
    const { fpr = defaults.fpr, holdout = defaults.holdout } = values;
    if (!(fpr >= 0 && fpr < 1)) throw new UsageError(`--fpr: expected a rate from 0 to under 1, got ${fpr}.`);
    if (!(holdout >= 0 && holdout < 1)) throw new UsageError(`--holdout: expected from 0 to under 1, got ${holdout}.`);
    if (!existsSync(folder!)) throw new ConfigError(`${folder} does not exist. Expected the folder of a guard.`);
    const { rows } = await readRows(values.data, readOptions(values));
    const labels = rows.map(({ id, label, softLabel }) => {
      if (label !== undefined) return label;
      if (softLabel === undefined) throw new ConfigError(`Row "${id}" has no label to calibrate with.`);
      return softLabel > 0.5 ? 1 : 0;
    });
    const scorer = await openScorer(folder!, {
      isCalibrated: false,
      ...(values.maxLength === undefined ? {} : { maxLength: values.maxLength }),
      ...(values.threads === undefined ? {} : { threads: values.threads }),
    });
    let margins: LabelledMargin[];
    try {
      const scores = await scorer.score(rows, {
        signal: io.signal,
        onProgress: (done) => io.progress(`${done} of ${rows.length} rows`),
      });
      margins = scores.map(({ margin }, row) => ({ margin: margin!, label: labels[row]! }));
    } finally {
      await scorer.dispose();
    }
    const { training, validation } = splitByPrompt(rows, labels, {
      share: holdout,
      seed: values.seed ?? defaults.seed,
    });
    const pick = (numbers: readonly number[]) => numbers.map((row) => margins[row]!);
    const calibration = calibrate(pick(training), pick(validation), fpr);
    const file = path.join(folder!, SETTINGS_FILE);
    await saveSettings(file, calibration);
    return { json: { file, ...toJson(calibration, fpr) }, text: present(calibration, fpr, file) };
  },
});

/** The other settings stay as they are. */
async function saveSettings(file: string, { temperature, chosen: { threshold } }: Calibration): Promise<void> {
  const known: JsonObject = existsSync(file) ? parseJsonObject(new Uint8Array(await readFile(file)), file) : {};
  const settings = { ...readSettings(known, file), threshold, temperature };
  await writeFile(`${file}.part`, `${JSON.stringify(settings, null, 2)}\n`);
  await rename(`${file}.part`, file);
}

function toJson({ temperature, chosen, heldOut }: Calibration, wanted: number) {
  return {
    wanted_fpr: wanted,
    temperature,
    threshold: chosen.threshold,
    fpr: chosen.fpr,
    fpr_interval: chosen.interval,
    recall: chosen.recall,
    held_out: heldOut && {
      rows: heldOut.rows,
      fpr: heldOut.fpr,
      fpr_interval: heldOut.fprInterval,
      recall: heldOut.recall,
      ece_before: heldOut.eceBefore,
      ece: heldOut.eceAfter,
    },
  };
}

function present({ temperature, chosen, heldOut }: Calibration, wanted: number, file: string): string {
  const range = ([low, high]: readonly [number, number]) => `${low.toFixed(3)} to ${high.toFixed(3)}`;
  const rows = [
    ['fitted', chosen.fpr, range(chosen.interval), chosen.recall, null, null],
    ...(heldOut
      ? [['held out', heldOut.fpr, range(heldOut.fprInterval), heldOut.recall, heldOut.eceBefore, heldOut.eceAfter]]
      : []),
  ];
  const header = ['rows', 'FPR', '95% interval', 'recall', 'ECE before', 'ECE after'];
  return [
    `threshold ${chosen.threshold.toFixed(4)} for a false-positive rate of ${wanted}, temperature ${temperature.toFixed(3)}\n\n`,
    formatTable(header, rows),
    `\nwritten to ${file}\n`,
  ].join('');
}
