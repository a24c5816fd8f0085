/**
 * Reverse-mode differentiation: mark what depends on the wanted values, walk back over the nodes in between, apply each
 * one's row of the table, add up. The result is ordinary nodes of the same graph.
 */
import { ShapeError } from '../errors.ts';
import { broadcastShapes, formatShape, sameShape } from './dims.ts';
import { type Graph, isConstant, type Macro, type Node, type Value } from './graph.ts';
import type { OpType } from './op-types.ts';
import { add, orderAfter, reduceSum, reshape, zeros } from './ops.ts';
import { type GradientContext, type GradientRule, none } from './rule.ts';

/**
 * The gradient of a scalar with respect to each of `wanted`, in their order and shapes. A value that the loss does not
 * depend on gets zeros.
 * @throws ShapeError when `loss` is not a float32 scalar, a wanted value is not float32, or a gradient would flow to a
 *   place that has none: a second output, the inside of a macro
 */
export function gradients(loss: Value, wanted: readonly Value[]): Value[] {
  if (loss.dtype !== 'float32' || loss.dims.length !== 0) {
    throw new ShapeError(`gradients: the loss must be a float32 scalar, got ${loss.dtype} ${formatShape(loss.dims)}.`);
  }
  for (const { graph, name, dtype } of wanted) {
    if (graph !== loss.graph) throw new ShapeError(`gradients: "${name}" is of another graph than the loss.`);
    if (dtype !== 'float32') throw new ShapeError(`gradients: "${name}" is ${dtype}, expected float32.`);
  }
  const found = walkBack([loss], [loss.graph.constant(1)], wanted, new Set());
  return found.map((grad, index) => grad ?? zeros(loss.graph, wanted[index]!.dims));
}

/**
 * The gradients that flow to `wanted` when `grads` flow into `outputs`: the vector-Jacobian product of that part of the
 * graph, with `wanted` taken as independent of each other. `null` where nothing flows.
 */
export function pullback(
  outputs: readonly Value[],
  grads: readonly (Value | null)[],
  wanted: readonly Value[],
): (Value | null)[] {
  return walkBack(outputs, grads, wanted, new Set(wanted));
}

/** @param leaves values not to go back beyond */
function walkBack(
  outputs: readonly Value[],
  grads: readonly (Value | null)[],
  wanted: readonly Value[],
  leaves: ReadonlySet<Value>,
): (Value | null)[] {
  const { graph } = outputs[0]!;
  const flowing = new Map<Value, Value[]>();
  outputs.forEach((output, index) => {
    const grad = grads[index];
    if (grad) flowing.set(output, [grad]);
  });
  const onPath = dependents(graph, wanted);
  for (const step of steps(graph).reverse()) {
    if ('nodes' in step) expectNoneInside(step, [...flowing.keys(), ...wanted]);
    const upstream = step.outputs.map((output) => total(flowing, output));
    if (upstream.every((grad) => grad === null)) continue;
    if (!step.outputs.some((output) => onPath.has(output) && !leaves.has(output))) continue;
    const contributions = 'op' in step ? applyRow(graph, step, upstream) : step.backward(upstream);
    step.inputs.forEach((input, index) => {
      const grad = contributions[index];
      if (!grad || !input || !onPath.has(input)) return;
      const terms = flowing.get(input);
      const term = sumTo(grad, input, 'op' in step ? step.op : step.name);
      if (terms) terms.push(term);
      else flowing.set(input, [term]);
    });
  }
  return wanted.map((value) => total(flowing, value));
}

/** The values that depend on any of `wanted`, these included. */
function dependents(graph: Graph, wanted: readonly Value[]): Set<Value> {
  const found = new Set(wanted);
  for (const { inputs, outputs } of graph.nodes) {
    if (inputs.some((input) => input && found.has(input))) for (const output of outputs) found.add(output);
  }
  return found;
}

/** Nodes in order, each macro standing for the nodes inside it. */
function steps(graph: Graph): (Node | Macro)[] {
  const macroOf = new Map<Node, Macro>();
  for (const macro of graph.macros) for (const node of macro.nodes) macroOf.set(node, macro);
  const result: (Node | Macro)[] = [];
  for (const node of graph.nodes) {
    const macro = macroOf.get(node);
    if (!macro) result.push(node);
    else if (result.at(-1) !== macro) result.push(macro);
  }
  return result;
}

function applyRow<Op extends OpType>(graph: Graph, node: Node<Op>, grads: readonly (Value | null)[]) {
  const rule = graph.rules[node.op].gradient as GradientRule<Op> | typeof none;
  if (rule === none) return [];
  const second = node.outputs.find((_, index) => index > 0 && grads[index]);
  if (second && node.op !== 'Split') {
    throw new ShapeError(`${node.op}: only its first output has a gradient, one flows into "${second.name}".`);
  }
  const { inputs, outputs, attributes } = node;
  const context = { inputs, outputs, output: outputs[0], attributes, grad: grads[0], grads, node };
  return rule(context as GradientContext<Op>);
}

/** The sum of what flows into a value, added up once. */
function total(flowing: Map<Value, Value[]>, value: Value): Value | null {
  const terms = flowing.get(value);
  if (!terms) return null;
  const sum = terms.reduce((left, right) => add(left, right));
  flowing.set(value, [sum]);
  return sum;
}

/** @throws ShapeError when a gradient would have to flow to a value within the macro, past its stated one */
function expectNoneInside(macro: Macro, values: readonly Value[]): void {
  const inner = new Set(
    macro.nodes.flatMap(({ outputs }) => outputs).filter((value) => !macro.outputs.includes(value)),
  );
  const reached = values.find((value) => inner.has(value));
  if (reached) throw new ShapeError(`${macro.name}: "${reached.name}" is inside it and has no gradient of its own.`);
}

/** Sums a gradient over the axes along which its value was broadcast. */
function sumTo(grad: Value, value: Value, op: string): Value {
  if (sameShape(grad.dims, value.dims)) return grad;
  if (!sameShape(broadcastShapes(op, grad.dims, value.dims), grad.dims)) {
    const shapes = `${formatShape(grad.dims)} for ${formatShape(value.dims)}`;
    throw new ShapeError(`internal: ${op}: its gradient rule gave ${shapes}.`);
  }
  const extra = grad.dims.length - value.dims.length;
  const axes = grad.dims.flatMap((dim, axis) =>
    axis < extra || (value.dims[axis - extra] === 1 && dim !== 1) ? [axis] : [],
  );
  const isLeading = axes.every((axis) => axis < extra);
  const summed = reduceSum(grad, { axes, keepdims: !isLeading });
  return sameShape(summed.dims, value.dims) ? summed : reshape(summed, value.dims);
}

/**
 * Runs `body` and forgets its inner values: the backward pass computes them again from `inputs`, not before their
 * gradient is there. Trades a second forward pass for the memory of everything inside.
 *
 * `body` must build the same nodes whenever it is called. Values it uses besides its arguments are found by themselves,
 * and stay in memory.
 * Source: Chen et al. 2016, arXiv:1604.06174.
 */
export function checkpoint(inputs: readonly Value[], body: (inputs: readonly Value[]) => Value): Value {
  const { graph } = inputs[0]!;
  const first = graph.nodes.length;
  const sources = [...inputs, ...new Set(inputs)]; // first as arguments, then as `body` may read them by itself
  const build = () => {
    const output = body(inputs);
    const made = new Set(graph.nodes.slice(first).flatMap((node) => node.outputs));
    const used = graph.nodes.slice(first).flatMap((node) => node.inputs);
    for (const value of used) {
      if (value && !made.has(value) && !isConstant(value) && !sources.includes(value)) sources.push(value);
    }
    return [output];
  };
  return graph.macro('checkpoint', sources, build, (_, [grad]) => {
    const ordered = inputs.map((input) => orderAfter(input, grad!));
    return pullback([body(ordered)], [grad!], [...ordered, ...sources.slice(inputs.length)]);
  })[0]!;
}
