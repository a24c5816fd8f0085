/**
 * AdamW with clipping as a graph, for devices where the parameters stay between steps. In the order of torch.optim.AdamW:
 * p ← p·(1 - η·decay); m ← β₁m + (1 - β₁)g; v ← β₂v + (1 - β₂)g²; p ← p - η/(1 - β₁ᵗ) · m / (√v/√(1 - β₂ᵗ) + ε).
 */
import type { Graph, Value } from '../graph/graph.ts';
import { add, div, less, mul, reduceSum, sqrt, sub, where } from '../graph/ops.ts';
import { createGraph } from '../graph/table.ts';
import { CLIP_EPSILON } from './state.ts';

export interface OptimizedParameter {
  readonly name: string;
  readonly dims: readonly number[];
  readonly weightDecay: number;
}

export interface OptimizerSettings {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly clipNorm: number | null;
}

/** Names of the graph's inputs and outputs that belong to a parameter. */
export const slots = {
  parameter: (name: string) => name,
  gradient: (name: string) => `gradient:${name}`,
  firstMoment: (name: string) => `firstMoment:${name}`,
  secondMoment: (name: string) => `secondMoment:${name}`,
} as const;

/**
 * Inputs: the four arrays of each parameter, and the scalars `learningRate`, `stepSize` (η/(1 - β₁ᵗ)) and `correction`
 * (√(1 - β₂ᵗ)). Outputs: the new parameter and moments, each named `next:` and its input, and `gradNorm`.
 */
export function optimizerGraph(
  parameters: readonly OptimizedParameter[],
  { beta1, beta2, epsilon, clipNorm }: OptimizerSettings,
): { graph: Graph; outputs: Map<string, Value> } {
  const graph = createGraph();
  const [learningRate, stepSize, correction] = ['learningRate', 'stepSize', 'correction'].map((name) =>
    graph.input(name, 'float32', []),
  ) as [Value, Value, Value];
  const arrays = parameters.map(({ name, dims }) => {
    const input = (slot: keyof typeof slots) => graph.input(slots[slot](name), 'float32', dims);
    return {
      parameter: input('parameter'),
      gradient: input('gradient'),
      firstMoment: input('firstMoment'),
      secondMoment: input('secondMoment'),
    };
  });
  const squares = arrays.map(({ gradient }) =>
    reduceSum(mul(gradient, gradient), { axes: gradient.dims.map((_, i) => i) }),
  );
  const gradNorm = sqrt(squares.reduce((a, b) => add(a, b)));
  const outputs = new Map([['gradNorm', gradNorm]]);
  const ratio = div(clipNorm ?? 1, add(gradNorm, CLIP_EPSILON));
  const clip = clipNorm === null ? null : where(less(ratio, 1), ratio, 1);
  parameters.forEach(({ name, weightDecay }, index) => {
    const { parameter, gradient, firstMoment, secondMoment } = arrays[index]!;
    const clipped = clip ? mul(gradient, clip) : gradient;
    const first = add(mul(firstMoment, beta1), mul(clipped, 1 - beta1));
    const second = add(mul(secondMoment, beta2), mul(mul(clipped, clipped), 1 - beta2));
    const denominator = add(div(sqrt(second), correction), epsilon);
    const decayed = weightDecay === 0 ? parameter : mul(parameter, sub(1, mul(learningRate, weightDecay)));
    outputs.set(`next:${slots.parameter(name)}`, sub(decayed, mul(stepSize, div(first, denominator))));
    outputs.set(`next:${slots.firstMoment(name)}`, first);
    outputs.set(`next:${slots.secondMoment(name)}`, second);
  });
  return { graph, outputs };
}
