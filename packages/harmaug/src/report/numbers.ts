/** Numbers as the report writes them. What is not known is "—", never 0. */

export const NONE = '—';

/** Three digits after the point. */
export const share = (value: number | null | undefined): string =>
  value === null || value === undefined || !Number.isFinite(value) ? NONE : value.toFixed(3);

export const signed = (value: number | null | undefined): string =>
  value === null || value === undefined ? NONE : `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(3)}`;

export const percent = (value: number | null, digits = 1): string =>
  value === null ? NONE : `${(100 * value).toFixed(digits)}%`;

export const whole = (value: number | null | undefined): string =>
  value === null || value === undefined ? NONE : Math.round(value).toLocaleString('en');

/** Three digits that say something. */
export function short(value: number | null | undefined): string {
  if (value === null || value === undefined) return NONE;
  if (value === 0) return '0';
  if (Math.abs(value) >= 1000) return whole(value);
  return Math.abs(value) < 0.001 ? value.toExponential(1) : String(Number(value.toPrecision(3)));
}

const units: readonly (readonly [least: number, unit: string])[] = [
  [1e12, 'T'],
  [1e9, 'B'],
  [1e6, 'M'],
  [1e3, 'k'],
];

/** 22.7M */
export function compact(value: number | null): string {
  if (value === null) return NONE;
  const [least, unit] = units.find(([from]) => Math.abs(value) >= from) ?? [1, ''];
  return `${short(value / least)}${unit}`;
}

export const pValue = (value: number | null): string =>
  value === null ? NONE : value < 0.001 ? '< 0.001' : value.toFixed(3);
