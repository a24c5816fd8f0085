/** Training a small Llama on lessons drawn by seed, on our own engine. */
import { buildModel, collate, lengthBatches, mulberry32, trainingProgram } from '@harmaug/models';
import { type Batch, causalLanguageModelLoss, countedLabels, IGNORED_LABEL, schedules } from 'onnx-grad';
import type { DrawLesson, Lesson } from './lesson.ts';
import type { Progress } from './progress.ts';
import { freshWeights, train } from './train.node.ts';

export type Weights = ReadonlyMap<string, Float32Array>;

/** 1.8 million parameters. Rows of 160 are five blocks of q8_0. */
export function languageModelConfig(vocabSize: number) {
  return {
    model_type: 'llama',
    vocab_size: vocabSize,
    hidden_size: 160,
    intermediate_size: 448,
    num_hidden_layers: 4,
    num_attention_heads: 5,
    max_position_embeddings: 512,
    rms_norm_eps: 1e-5,
    tie_word_embeddings: true,
    bos_token_id: 1,
    eos_token_id: 4,
    pad_token_id: 0,
  };
}

/** How long and how fast it learns. */
export interface Course {
  readonly steps: number;
  readonly batchSize: number;
  /** Largest learning rate; it falls along a cosine. */
  readonly peak: number;
}

export interface LanguageModelTraining {
  readonly json: Readonly<Record<string, unknown>>;
  /** To go on from; fresh ones by default. */
  readonly weights?: Weights | undefined;
  readonly draw: DrawLesson;
  readonly course: Course;
  readonly seed: number;
  readonly threads?: number | undefined;
  readonly progress: Progress;
}

const BATCHES_A_DRAW = 12; // that lessons are sorted by length among

export async function trainLanguageModel(options: LanguageModelTraining): Promise<Map<string, Float32Array>> {
  const { json, draw, seed, threads, progress } = options;
  const { steps, batchSize, peak } = options.course;
  const model = buildModel(json, { head: 'causal-lm', training: true });
  const labels = model.graph.input('labels', 'int64', ['batch', 'length']);
  const weights = options.weights ?? freshWeights(model, seed);
  const program = trainingProgram(model, {
    weights,
    loss: causalLanguageModelLoss(model.output, labels),
    countTerms: countedLabels('labels', { shifted: true }),
    weightDecay: 0.05,
  });
  const learningRate = schedules.cosine({ peak, warmupSteps: Math.ceil(steps / 20), totalSteps: steps });
  const made = batches(draw, { batchSize, seed, steps });
  return train(program, { batches: made, steps, learningRate, seed, threads, progress });

  /** Lessons of like length together, in random order. */
  function* batches(
    drawLesson: DrawLesson,
    { batchSize: size, seed: drawSeed, steps: count }: { batchSize: number; seed: number; steps: number },
  ): Generator<Batch> {
    const uniform = mulberry32(drawSeed);
    for (let epoch = 0, made = 0; made < count; epoch++) {
      const lessons = Array.from({ length: size * BATCHES_A_DRAW }, () => drawLesson(uniform));
      const lengths = lessons.map(({ ids }) => ids.length);
      for (const rows of lengthBatches(lengths, { batchSize: size, seed: drawSeed, epoch })) {
        if (made++ === count) return;
        yield toBatch(rows.map((row) => lessons[row]!));
      }
    }
  }

  function toBatch(lessons: readonly Lesson[]): Batch {
    const texts = lessons.map(({ ids }) => ({ ids, typeIds: ids }));
    const batch = collate(texts, model.config);
    const [, length] = batch.input_ids!.dims as [number, number];
    const data = new BigInt64Array(lessons.length * length).fill(BigInt(IGNORED_LABEL));
    for (const [row, lesson] of lessons.entries()) data.set(BigInt64Array.from(lesson.labels, BigInt), row * length);
    return { ...batch, labels: { dtype: 'int64', dims: [lessons.length, length], data } };
  }
}
