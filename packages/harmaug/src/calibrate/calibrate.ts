/** From log-odds and labels to a guard's temperature and threshold, fitted on some rows and tried on others. */
import { ConfigError } from 'onnx-grad';
import { metrics } from '../evaluate/metrics.ts';
import { curveOf, rank } from '../evaluate/ranking.ts';
import { sigmoid } from '../scoring/score-encoded.ts';
import { fitTemperature } from './temperature.ts';
import { type ChosenThreshold, chooseThreshold, wilson } from './threshold.ts';

export interface LabelledMargin {
  /** Log-odds of unsafe, at temperature 1. */
  readonly margin: number;
  readonly label: 0 | 1;
}

export interface Calibration {
  readonly temperature: number;
  readonly chosen: ChosenThreshold;
  /** On the rows that were held out: what was chosen, tried. `null` where they are not of both classes. */
  readonly heldOut: {
    readonly rows: number;
    readonly eceBefore: number;
    readonly eceAfter: number;
    readonly fpr: number;
    readonly fprInterval: readonly [low: number, high: number];
    readonly recall: number;
  } | null;
}

const LEAST_ROWS = 20; // of each class; with fewer neither number means anything

/**
 * @param wanted false-positive rate
 * @throws ConfigError with fewer than 20 rows of a class to fit on
 */
export function calibrate(
  fitted: readonly LabelledMargin[],
  heldOut: readonly LabelledMargin[],
  wanted: number,
): Calibration {
  const unsafe = fitted.filter(({ label }) => label === 1).length;
  const fewest = Math.min(unsafe, fitted.length - unsafe);
  if (fewest < LEAST_ROWS) {
    const got = `${unsafe} unsafe and ${fitted.length - unsafe} safe rows`;
    throw new ConfigError(`Calibration needs at least ${LEAST_ROWS} rows of each class to fit on, got ${got}.`);
  }
  const best = fitTemperature(
    fitted.map(({ margin }) => margin),
    fitted.map(({ label }) => label),
  );
  // likelihood may gain where the error of calibration does not
  const temperature = eceOf(fitted, best) <= eceOf(fitted, 1) ? best : 1;
  const chosen = chooseThreshold(curveAt(fitted, temperature), wanted)!;
  const curve = curveAt(heldOut, temperature);
  const at = { threshold: chosen.threshold };
  const [fpr, recall] = [metrics.fpr(curve, at), metrics.recall(curve, at)];
  return {
    temperature,
    chosen,
    heldOut:
      fpr === null || recall === null
        ? null
        : {
            rows: heldOut.length,
            eceBefore: eceOf(heldOut, 1),
            eceAfter: eceOf(heldOut, temperature),
            fpr,
            fprInterval: wilson(Math.round(fpr * curve.negatives), curve.negatives),
            recall,
          },
  };
}

function curveAt(rows: readonly LabelledMargin[], temperature: number) {
  return curveOf(
    rank(
      rows.map(({ margin }) => sigmoid(margin / temperature)),
      rows.map(({ label }) => label),
    ),
  );
}

function eceOf(rows: readonly LabelledMargin[], temperature: number): number {
  return metrics.ece(curveAt(rows, temperature), { threshold: 0.5 }) ?? 0;
}
