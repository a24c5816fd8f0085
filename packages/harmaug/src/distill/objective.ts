/** The loss of a student that learns from labels and from a teacher at once. */
import { crossEntropy, ops, softLabelLoss, type Value } from 'onnx-grad';

/**
 * (1 - λ)·CE(labels) + λ·T²·KL(soft ‖ student), each a mean over the batch's rows; a part of weight 0 is left out.
 * Adds the inputs that it reads: `labels` int64 (batch), `soft_labels` float32 (batch, 2).
 * @param logits (batch, 2)
 * Source: arXiv:2410.01524, equation 3
 */
export function distillationLoss(
  logits: Value,
  { lambda, temperature }: { lambda: number; temperature: number },
): Value {
  const { graph } = logits;
  const hard = () => crossEntropy(logits, graph.input('labels', 'int64', ['batch']));
  const soft = () => softLabelLoss(logits, graph.input('soft_labels', 'float32', ['batch', 2]), { temperature });
  if (lambda === 0) return hard();
  if (lambda === 1) return soft();
  return ops.add(ops.mul(hard(), 1 - lambda), ops.mul(soft(), lambda));
}
