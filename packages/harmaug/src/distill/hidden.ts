/** Hidden states that a student is to have, word by word, beside the labels of its rows. */
import type { Batch } from 'onnx-grad';

export interface RowStates {
  /** (W, E): one state a word. */
  readonly states: Float32Array;
  /** Of each token the number of its word, -1 for a token whose state is free. */
  readonly words: ArrayLike<number>;
}

export interface HiddenTargets {
  /** E */
  readonly size: number;
  /** Of each row of the data; `null` where nothing is known. */
  readonly rows: readonly (RowStates | null)[];
}

/** The inputs of `hiddenLoss` for a batch of rows padded to `length` tokens. */
export function collateHidden(rows: readonly (RowStates | null)[], length: number, size: number): Batch {
  const targets = new Float32Array(rows.length * length * size);
  const weights = new Float32Array(rows.length * length);
  for (const [row, found] of rows.entries()) {
    if (found === null) continue;
    const { states, words } = found;
    const known = Array.from(words).filter((word) => word >= 0).length;
    for (let token = 0; token < words.length; token++) {
      const word = words[token]!;
      if (word < 0) continue;
      const at = row * length + token;
      weights[at] = 1 / known;
      targets.set(states.subarray(word * size, (word + 1) * size), at * size);
    }
  }
  return {
    hidden_targets: { dtype: 'float32', dims: [rows.length, length, size], data: targets },
    hidden_weights: { dtype: 'float32', dims: [rows.length, length], data: weights },
  };
}
