/** The loss of a student that learns from labels and from a teacher at once, and from hazard categories beside. */
import { crossEntropy, type Dim, IGNORED_LABEL, ops, softLabelLoss, type Value } from 'onnx-grad';
import type { DistillSettings } from './settings.ts';

/**
 * (1 - λ)·CE(labels) + λ·T²·KL(soft ‖ student), each a mean over the batch's rows; a part of weight 0 is left out.
 * Adds the inputs that it reads: `labels` int64 (batch), `soft_labels` float32 (batch, 2).
 * @param logits (batch, 2)
 * Source: arXiv:2410.01524, equation 3
 */
export function distillationLoss(
  logits: Value,
  { lambda, temperature }: Pick<DistillSettings, 'lambda' | 'temperature'>,
): Value {
  const { graph } = logits;
  const hard = () => crossEntropy(logits, graph.input('labels', 'int64', ['batch']));
  const soft = () => softLabelLoss(logits, graph.input('soft_labels', 'float32', ['batch', 2]), { temperature });
  if (lambda === 0) return hard();
  if (lambda === 1) return soft();
  return ops.add(ops.mul(hard(), 1 - lambda), ops.mul(soft(), lambda));
}

/**
 * Cross-entropy of the categories over the rows that have one, divided by all of the batch's rows: a batch with few of them
 * counts little, one without any not at all. Adds the input `category_labels`, int64 (batch), -100 for rows without.
 * @param logits (batch, categories)
 */
export function categoryLoss(logits: Value): Value {
  const { graph } = logits;
  const labels = graph.input('category_labels', 'int64', ['batch']);
  const isKnown = ops.not(ops.equal(labels, graph.integers([IGNORED_LABEL], [])));
  const classes = ops.reshape(ops.where(isKnown, labels, graph.integers([0], [])), ['batch', 1] as Dim[]);
  const picked = ops.reshape(ops.gatherElements(ops.logSoftmax(logits), classes, { axis: -1 }), ['batch'] as Dim[]);
  return ops.neg(ops.reduceMean(ops.mul(picked, ops.cast(isKnown, 'float32')), { axes: [0] }));
}
