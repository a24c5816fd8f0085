/** The sequences of a context, lent out one a call: llama.cpp computes those that are under way together, in one batch. */
import type { LlamaContext, LlamaContextSequence } from 'node-llama-cpp';

export class Sequences {
  readonly #free: LlamaContextSequence[];
  readonly #waiting: ((sequence: LlamaContextSequence) => void)[] = [];

  constructor(context: LlamaContext) {
    this.#free = Array.from({ length: context.totalSequences }, () => context.getSequence());
  }

  /** Runs with a sequence of its own, which may hold the tokens of an earlier call. */
  async use<Result>(
    signal: AbortSignal | undefined,
    action: (sequence: LlamaContextSequence) => Promise<Result>,
  ): Promise<Result> {
    signal?.throwIfAborted();
    const sequence =
      this.#free.pop() ?? (await new Promise<LlamaContextSequence>((resolve) => this.#waiting.push(resolve)));
    try {
      signal?.throwIfAborted();
      return await action(sequence);
    } finally {
      const next = this.#waiting.shift();
      if (next) next(sequence);
      else this.#free.push(sequence);
    }
  }
}
