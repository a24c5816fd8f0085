/** What the student is to answer for a row: a class, and the teacher's probability. */
import { ConfigError } from 'onnx-grad';
import type { Row } from '../data/row.ts';
import type { DistillSettings } from './settings.ts';

export interface Target {
  /** 1 = unsafe */
  readonly label: 0 | 1;
  /** p(unsafe) at the settings' temperature. */
  readonly softLabel: number;
}

/** The closest to 0 and 1 that a soft label counts as, where its log-odds are taken. */
const CERTAIN = 1e-7; // float32's resolution below 1

/**
 * A row without a hard label takes that of its soft one, unsafe over 0.5, as the paper's code does. A row without a soft
 * label does what `missingSoftLabel` says, which the paper's code decides in silence; with λ = 0 none is needed.
 * @throws ConfigError naming the row and the ways out
 */
export function targetOf(
  row: Row,
  settings: Pick<DistillSettings, 'lambda' | 'temperature' | 'missingSoftLabel'>,
): Target {
  const { lambda, temperature, missingSoftLabel } = settings;
  const { id, label, softLabel } = row;
  if (softLabel === undefined && label === undefined) {
    throw new ConfigError(`Row "${id}" has neither a label nor a soft_label. It needs one of them to be learned from.`);
  }
  if (softLabel === undefined) {
    if (lambda > 0 && missingSoftLabel === 'error') {
      throw new ConfigError(
        `Row "${id}" has no soft_label, which lambda ${lambda} needs. Have a teacher label the data (harmaug label), ` +
          'or choose: --missing-soft-label hard takes the hard label for it, --lambda 0 does without soft labels.',
      );
    }
    return { label: label!, softLabel: label! };
  }
  return { label: label ?? (softLabel > 0.5 ? 1 : 0), softLabel: atTemperature(softLabel, temperature) };
}

/** σ(logit(p) / T): what the teacher would have said at this temperature. */
function atTemperature(probability: number, temperature: number): number {
  if (temperature === 1) return probability;
  const clamped = Math.min(1 - CERTAIN, Math.max(CERTAIN, probability));
  return 1 / (1 + Math.exp(-Math.log(clamped / (1 - clamped)) / temperature));
}
