/**
 * Temperature scaling: the one number that log-odds are divided by so that probabilities become frequencies. The order of
 * the scores stays. Source: Guo et al. 2017, arXiv:1706.04599, section 4.2
 */

const [LEAST, MOST] = [1e-3, 1e3]; // where one class lies wholly above the other, the best is infinitely small
const STEPS = 100;

/**
 * The temperature that makes the labels likeliest. Their likelihood is concave in its reciprocal, which Newton's steps
 * climb, halved where they would go too far.
 * @param margins log-odds of unsafe
 * @param labels  1 = unsafe
 */
export function fitTemperature(margins: ArrayLike<number>, labels: ArrayLike<number>): number {
  let inverse = 1;
  for (let step = 0; step < STEPS; step++) {
    let [slope, curvature] = [0, 0];
    for (let row = 0; row < margins.length; row++) {
      const margin = margins[row]!;
      const p = 1 / (1 + Math.exp(-inverse * margin));
      slope += (labels[row]! - p) * margin;
      curvature += p * (1 - p) * margin * margin;
    }
    if (curvature === 0) break;
    const next = Math.min(
      1 / LEAST,
      Math.max(1 / MOST, inverse + Math.min(Math.max(slope / curvature, -inverse / 2), inverse)),
    );
    if (Math.abs(next - inverse) < 1e-12 * inverse) break;
    inverse = next;
  }
  return 1 / inverse;
}
