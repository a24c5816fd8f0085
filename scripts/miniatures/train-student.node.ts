/** The student's pretraining: a small BERT that fills in masked words of the pool (Devlin et al. 2019, arXiv:1810.04805). */
import { buildModel, collate, lengthBatches, loadTokenizer, mulberry32, trainingProgram } from '@harmaug/models';
import { type Batch, countedLabels, IGNORED_LABEL, maskedLanguageModelLoss, schedules } from 'onnx-grad';
import type { Uniform } from './grammar.ts';
import type { Progress } from './progress.ts';
import type { TokenizerFiles } from './tokenizers.ts';
import { freshWeights, train } from './train.node.ts';

/** 1.2 million parameters. */
export function studentConfig(vocabSize: number) {
  return {
    model_type: 'bert',
    vocab_size: vocabSize,
    hidden_size: 128,
    intermediate_size: 512,
    num_hidden_layers: 4,
    num_attention_heads: 4,
    max_position_embeddings: 256,
    type_vocab_size: 2,
    hidden_dropout_prob: 0.1,
    attention_probs_dropout_prob: 0.1,
    pad_token_id: 0,
  };
}

/** One text, or an instruction and a reply. */
export type DrawText = (uniform: Uniform) => readonly [string, string?];

export interface StudentTraining {
  readonly json: Readonly<Record<string, unknown>>;
  readonly tokenizerFiles: TokenizerFiles;
  readonly draw: DrawText;
  readonly steps: number;
  readonly batchSize: number;
  readonly peak: number;
  readonly seed: number;
  readonly threads?: number | undefined;
  readonly progress: Progress;
}

const MASKED_SHARE = 0.2; // of tokens that are to be found out
const FIRST_WORD = 261; // ids below are control tokens and single bytes
const BATCHES_A_DRAW = 16;

export async function trainStudent(options: StudentTraining) {
  const { json, steps, batchSize, peak, seed, threads, progress } = options;
  const tokenizer = loadTokenizer(options.tokenizerFiles);
  const model = buildModel(json, { head: 'masked-lm', training: true });
  const { config } = model;
  const labels = model.graph.input('labels', 'int64', ['batch', 'length']);
  const program = trainingProgram(model, {
    weights: freshWeights(model, seed),
    loss: maskedLanguageModelLoss(model.output, labels),
    countTerms: countedLabels('labels'),
    weightDecay: 0.01,
  });
  const learningRate = schedules.linear({ peak, warmupSteps: Math.ceil(steps / 20), totalSteps: steps });
  const weights = await train(program, { batches: batches(), steps, learningRate, seed, threads, progress });
  return { model, weights };

  function* batches(): Generator<Batch> {
    const uniform = mulberry32(seed);
    for (let epoch = 0, made = 0; made < steps; epoch++) {
      const texts = Array.from({ length: batchSize * BATCHES_A_DRAW }, () =>
        tokenizer.encode(...options.draw(uniform)),
      );
      const lengths = texts.map(({ ids }) => ids.length);
      for (const rows of lengthBatches(lengths, { batchSize, seed, epoch })) {
        if (made++ === steps) return;
        const chosen = rows.map((row) => mask(texts[row]!, uniform));
        const batch = collate(chosen, config);
        const [, length] = batch.input_ids!.dims as [number, number];
        const data = new BigInt64Array(chosen.length * length).fill(BigInt(IGNORED_LABEL));
        for (const [row, { targets }] of chosen.entries()) data.set(BigInt64Array.from(targets, BigInt), row * length);
        yield { ...batch, labels: { dtype: 'int64', dims: [chosen.length, length], data } };
      }
    }
  }

  /** Of the tokens chosen 8 in 10 become [MASK], one another word, one stays. */
  function mask({ ids, typeIds }: { ids: number[]; typeIds: number[] }, uniform: Uniform) {
    const { special, vocabSize } = tokenizer;
    const isControl = new Set([special.cls, special.sep, special.pad]);
    const isChosen = ids.map((id) => !isControl.has(id) && uniform() < MASKED_SHARE);
    if (!isChosen.includes(true)) isChosen[1] = true; // a loss over nothing is no number
    const hidden = ids.map((id, at) => {
      if (!isChosen[at]) return id;
      const fate = uniform();
      if (fate < 0.8) return special.mask!;
      return fate < 0.9 ? FIRST_WORD + Math.floor(uniform() * (vocabSize - FIRST_WORD)) : id;
    });
    return { ids: hidden, typeIds, targets: ids.map((id, at) => (isChosen[at] ? id : IGNORED_LABEL)) };
  }
}
