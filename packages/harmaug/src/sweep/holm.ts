/** P-values corrected for how many there are. */

/**
 * Holm's step-down: no more than the wanted share of families of tests has a false finding, whatever they depend on.
 * @param pValues `null` for a test that could not be made: it counts as none
 * Source: Holm 1979, Scandinavian Journal of Statistics 6, 65-70
 */
export function holm(pValues: readonly (number | null)[]): (number | null)[] {
  const tests = pValues.flatMap((p, index) => (p === null ? [] : [{ p, index }])).sort((a, b) => a.p - b.p);
  const adjusted: (number | null)[] = pValues.map(() => null);
  let most = 0; // adjusted values never fall
  tests.forEach(({ p, index }, rank) => {
    most = Math.max(most, Math.min(1, p * (tests.length - rank)));
    adjusted[index] = most;
  });
  return adjusted;
}
