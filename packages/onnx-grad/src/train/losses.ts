/** Loss functions: graph values in, a float32 scalar out, averaged over what counts. */
import { ConfigError } from '../errors.ts';
import { subDims } from '../graph/dims.ts';
import type { Value } from '../graph/graph.ts';
import * as ops from '../graph/ops.ts';
import type { Batch } from './program.ts';

/** Labels with this value are left out, as in PyTorch. */
export const IGNORED_LABEL = -100;

/**
 * Mean cross-entropy in nats.
 * @param logits (N, C)
 * @param labels (N) int64 class numbers; rows labelled -100 are left out. All left out gives 0/0, as in PyTorch
 */
export function crossEntropy(logits: Value, labels: Value): Value {
  const { graph } = logits;
  const ignored = ops.equal(labels, graph.integers([IGNORED_LABEL], []));
  const classes = ops.reshape(ops.where(ignored, graph.integers([0], []), labels), [...labels.dims, 1]);
  const picked = ops.reshape(ops.gatherElements(ops.logSoftmax(logits), classes, { axis: -1 }), labels.dims);
  const weights = ops.where(ignored, graph.constant(0), graph.constant(1));
  const sum = ops.reduceSum(ops.mul(picked, weights), { axes: [0] });
  return ops.neg(ops.div(sum, ops.reduceSum(weights, { axes: [0] })));
}

/**
 * T² · KL(soft ‖ student), averaged over rows: what a student pays for differing from its teacher, in nats.
 * @param logits (N, C)
 * @param soft   (N, C) the teacher's probabilities, already at temperature T; each row sums to 1
 * Source: Hinton et al. 2015, arXiv:1503.02531, section 2.1 (the factor T²); HarmAug, arXiv:2410.01524, equation 3.
 */
export function softLabelLoss(logits: Value, soft: Value, { temperature = 1 } = {}): Value {
  const { graph } = logits;
  const student = ops.logSoftmax(temperature === 1 ? logits : ops.mul(logits, 1 / temperature));
  const isZero = ops.equal(soft, graph.constant(0)); // 0·log 0 = 0
  const teacher = ops.log(ops.where(isZero, graph.constant(1), soft));
  const divergence = ops.reduceSum(ops.mul(soft, ops.sub(teacher, student)), { axes: [-1] });
  return ops.mul(meanOverRows(divergence), temperature ** 2);
}

/**
 * Mean squared error, for one-output regression heads.
 * @param outputs (N)
 * @param targets (N) float32
 */
export function meanSquaredError(outputs: Value, targets: Value): Value {
  const difference = ops.sub(outputs, targets);
  return meanOverRows(ops.mul(difference, difference));
}

/**
 * Cross-entropy of a masked LM: of the tokens whose label is not -100.
 * @param logits (B, T, V)
 * @param labels (B, T) int64
 */
export function maskedLanguageModelLoss(logits: Value, labels: Value): Value {
  return crossEntropy(ops.flatten2d(logits), ops.reshape(labels, [-1]));
}

/**
 * Cross-entropy of each next token of a causal LM.
 * @param logits (B, T, V)
 * @param labels (B, T) int64, not shifted: position t is predicted from t - 1; -100 is left out
 */
export function causalLanguageModelLoss(logits: Value, labels: Value): Value {
  const length = labels.dims[1]!;
  const predictions = ops.slice(logits, { axis: 1, end: subDims(length, 1) });
  return maskedLanguageModelLoss(predictions, ops.slice(labels, { axis: 1, start: 1, end: length }));
}

/**
 * How many labels of a batch count (are not -100), for `TrainingProgram.countTerms`: so that the batches of a step have
 * the share of it that their labels have.
 * @param input   the name of the labels' input
 * @param shifted whether the first column is left out, as `causalLanguageModelLoss` does
 */
export function countedLabels(input: string, { shifted = false } = {}): (batch: Batch) => number {
  return (batch) => {
    const tensor = batch[input];
    if (!tensor) throw new ConfigError(`The batch has no "${input}", whose labels are to be counted.`);
    const { data, dims } = tensor;
    let count = 0;
    for (let at = 0; at < data.length; at++) {
      const isFirst = at % dims[1]! === 0;
      if (Number(data[at]) !== IGNORED_LABEL && !(shifted && isFirst)) count += 1;
    }
    return count;
  };
}

/** Divides by the number of rows at run time, so that the batch size may be a named dimension. */
function meanOverRows(rows: Value): Value {
  return ops.div(ops.reduceSum(rows, { axes: [0] }), ops.cast(ops.size(rows), 'float32'));
}
