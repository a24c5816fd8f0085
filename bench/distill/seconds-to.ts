/** A figure that grows with training time, measured now and then. */
export interface TimedFigure {
  readonly seconds: number;
  readonly figure: number;
}

/** When the figure first reaches `target`, taken as straight between two measurements; NaN where it never does. */
export function secondsTo(curve: readonly TimedFigure[], target: number): number {
  const at = curve.findIndex(({ figure }) => figure >= target);
  const [before, after] = [curve[at - 1], curve[at]];
  if (!before || !after) return after ? after.seconds : Number.NaN;
  const share = (target - before.figure) / (after.figure - before.figure);
  return before.seconds + share * (after.seconds - before.seconds);
}
