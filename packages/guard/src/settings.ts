/** What a guard's folder says of its verdicts: `guard.json`, all of it optional. */
import { isObject, type JsonObject } from '@harmaug/models';
import { FormatError } from 'onnx-grad';

export const SETTINGS_FILE = 'guard.json';

export interface GuardSettings {
  /** p(unsafe) from which a text counts as unsafe. */
  readonly threshold: number;
  /** What log-odds are divided by, so that p is a frequency. */
  readonly temperature: number;
  /** Whether characters that hide words are undone first. */
  readonly normalise: boolean;
  /** Whether the sentences of texts that do not fit the model are scored one by one too. */
  readonly sentences: boolean;
  /** Whether what looks encoded is scored decoded too. */
  readonly views: boolean;
}

export const defaultSettings: GuardSettings = {
  threshold: 0.5,
  temperature: 1,
  normalise: false,
  sentences: true,
  views: true,
};

interface Rule {
  readonly expected: string;
  readonly isRight: (value: unknown) => boolean;
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const flag: Rule = { expected: 'true or false', isRight: (value) => typeof value === 'boolean' };

const rules: Readonly<Record<keyof GuardSettings, Rule>> = {
  threshold: { expected: 'a number from 0 to 1', isRight: (value) => isNumber(value) && value >= 0 && value <= 1 },
  temperature: {
    expected: 'a number from 0.001 to 1000',
    isRight: (value) => isNumber(value) && value >= 0.001 && value <= 1000,
  },
  normalise: flag,
  sentences: flag,
  views: flag,
};

/** @throws FormatError for a name that is none of these, or a value out of range */
export function readSettings(json: Readonly<JsonObject>, file: string = SETTINGS_FILE): Partial<GuardSettings> {
  for (const [name, value] of Object.entries(json)) {
    const rule = Object.hasOwn(rules, name) ? rules[name as keyof GuardSettings] : undefined;
    if (!rule) {
      const known = Object.keys(rules).join(', ');
      throw new FormatError(`${file}: unknown "${name.slice(0, 80)}". Known: ${known}.`, { file, field: name });
    }
    if (rule.isRight(value)) continue;
    const got = isObject(value) ? 'an object' : JSON.stringify(value).slice(0, 80);
    throw new FormatError(`${file}: "${name}": expected ${rule.expected}, got ${got}.`, { file, field: name });
  }
  return json;
}
