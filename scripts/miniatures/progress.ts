/** Lines about a training under way. */
import { type Reporter, timeLeft } from '../../packages/harmaug/src/cli/reporter.ts';

export interface Progress {
  readonly name: string;
  readonly reporter: Reporter;
}

const SMOOTHING = 0.95; // of the loss that is shown

/** Call it after every step with its loss in nats. */
export function trackSteps({ name, reporter }: Progress, steps: number): (loss: number) => void {
  const start = performance.now();
  let [done, smooth] = [0, 0];
  return (loss) => {
    done += 1;
    smooth = done === 1 ? loss : SMOOTHING * smooth + (1 - SMOOTHING) * loss;
    const spent = performance.now() - start;
    const line = `${name}: step ${done} of ${steps}, loss ${smooth.toFixed(3)}`;
    if (done < steps) reporter.progress(`${line}, ${timeLeft((spent / done) * (steps - done))}`);
    else reporter.say(`${line}, ${(spent / 1000).toFixed(0)} s`);
  };
}
