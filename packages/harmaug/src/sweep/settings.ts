/** The settings of a sweep: those named one by one, and every point of the grid. */
import { ConfigError } from 'onnx-grad';
import { type AxisValue, expectAxis, type Subject, withValues } from './axes.ts';

export interface Setting {
  /** Names its folder, too. */
  readonly name: string;
  /** What it sets, axis by axis, as the recipe says it. */
  readonly values: Readonly<Record<string, AxisValue>>;
  readonly subject: Subject;
}

export interface SettingsInput {
  readonly settings?: Readonly<Record<string, Readonly<Record<string, AxisValue>> | null>> | undefined;
  readonly grid?: Readonly<Record<string, readonly AxisValue[]>> | undefined;
}

const NAME = /^[A-Za-z][\w.+=,~-]{0,99}$/;
const MAX_SETTINGS = 1000;

/**
 * In the recipe's order, the grid's last axis changing fastest. With neither settings nor a grid there is one, "base".
 * @param base what all share
 * @param where the section, for errors
 * @throws ConfigError for an unknown axis, a value out of range, a name that is no folder's or comes twice
 */
export function expandSettings(base: Subject, { settings = {}, grid }: SettingsInput, where: string): Setting[] {
  const named = Object.entries(settings).map(([name, values]) => {
    if (!NAME.test(name)) {
      throw new ConfigError(
        `${where}: settings: expected names of a letter and up to 99 letters, digits and _ . + = , ~ -, got "${name.slice(0, 120)}".`,
      );
    }
    return settingOf(name, values ?? {}, base, `${where}: settings: ${name}`);
  });
  const points = grid === undefined ? [] : pointsOf(grid, `${where}: grid`);
  const found = [
    ...named,
    ...points.map((values) => settingOf(gridName(values), values, base, `${where}: grid: ${gridName(values)}`)),
  ];
  const all = found.length > 0 ? found : [settingOf('base', {}, base, where)];
  const names = new Set<string>();
  for (const { name } of all) {
    if (names.has(name)) {
      throw new ConfigError(`${where}: two settings are called "${name}". Name them one by one, under "settings".`);
    }
    names.add(name);
  }
  return all;
}

function settingOf(name: string, values: Readonly<Record<string, AxisValue>>, base: Subject, where: string): Setting {
  return { name, values, subject: withValues(base, values, where) };
}

/** The product of the axes. */
function pointsOf(grid: Readonly<Record<string, readonly AxisValue[]>>, where: string): Record<string, AxisValue>[] {
  let points: Record<string, AxisValue>[] = [{}];
  for (const [axis, values] of Object.entries(grid)) {
    expectAxis(axis, where);
    points = points.flatMap((point) => values.map((value) => ({ ...point, [axis]: value })));
    if (points.length > MAX_SETTINGS) {
      throw new ConfigError(
        `${where}: expected at most ${MAX_SETTINGS} settings, got ${points.length} with "${axis}".`,
      );
    }
  }
  return points;
}

/** `lambda=0.5,temperature=2` */
function gridName(values: Readonly<Record<string, AxisValue>>): string {
  return Object.entries(values)
    .map(([axis, value]) => `${axis}=${wordFor(value)}`)
    .join(',')
    .replace(/[^\w.+=,~-]/g, '_')
    .slice(0, 100);
}

/** Of a path its last part, without the ending; of a list every part. */
function wordFor(value: AxisValue): string {
  if (value === null) return 'none';
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (typeof value === 'string') return value.replace(/^.*[/\\]/, '').replace(/(\.(jsonl|json|csv|parquet|gz))+$/, '');
  if (Array.isArray(value)) return value.map(wordFor).join('+');
  if (typeof value === 'object')
    return Object.entries(value)
      .map(([key, part]) => `${key}${typeof part === 'object' ? '~' : ''}${wordFor(part)}`)
      .join('~');
  return String(value);
}
