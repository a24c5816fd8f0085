/** The four miniatures, one after the other: each step writes its files and reads those of the steps before. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { loadTokenizer, mulberry32 } from '@harmaug/models';
import { readGguf, saveModel, writeGguf } from '@harmaug/models/node';
import type { Reporter } from '../../packages/harmaug/src/cli/reporter.ts';
import { chatTemplate, createEncode, type Encode, guardTemplate, shortGuardTemplate } from './chat.ts';
import { instructionsOf, repliesOf, surroundings } from './corpus.ts';
import { pick } from './grammar.ts';
import type { DrawLesson } from './lesson.ts';
import { plainLessons } from './plain-lessons.ts';
import { readPool, type Topic } from './pool.node.ts';
import { responderLessons } from './responder-lessons.ts';
import { teacherLessons } from './teacher-lessons.ts';
import { languageTokenizer, studentTokenizer } from './tokenizers.ts';
import { type Course, languageModelConfig, trainLanguageModel, type Weights } from './train-language-model.node.ts';
import { type DrawText, studentConfig, trainStudent } from './train-student.node.ts';
import { writerLessons } from './writer-lessons.ts';

const SEED = 20;
const PER_KIND = 1000; // instructions of each kind in each category
const VOCABULARY = { language: 3072, student: 3072 };

/** `reading` is no miniature: what the three language models go on from. */
export const buildNames = ['reading', 'generator', 'teacher', 'responder', 'student'] as const;
export type BuildName = (typeof buildNames)[number];

/** The instructions that all miniatures are taught: always the same ones. */
export const miniaturePool = (): readonly Topic[] => readPool(PER_KIND, mulberry32(SEED));

/** Lessons in a form of their own, for so long. */
interface Stage {
  readonly template: (pool: readonly Topic[]) => string;
  readonly lessons: (pool: readonly Topic[], encode: Encode) => DrawLesson;
  readonly course: Course;
}

interface LanguageModelPlan {
  readonly title: string;
  /** Whose weights it goes on from. Default: what has read bare texts. */
  readonly from?: 'teacher';
  /** The last one's template is the model's. */
  readonly stages: readonly Stage[];
}

const chat = () => chatTemplate;
const shortGuard = () => shortGuardTemplate;
const guard = (pool: readonly Topic[]) =>
  guardTemplate(new Map(pool.map(({ code, category }) => [code, category.name])));

const languageModels: Readonly<Record<Exclude<BuildName, 'student' | 'reading'>, LanguageModelPlan>> = {
  generator: {
    title: 'HarmAug miniature generator',
    stages: [{ template: chat, lessons: writerLessons, course: { steps: 500, batchSize: 16, peak: 2e-3 } }],
  },
  responder: {
    title: 'HarmAug miniature responder',
    from: 'teacher', // which knows what a request is about
    stages: [{ template: chat, lessons: responderLessons, course: { steps: 300, batchSize: 24, peak: 1.5e-3 } }],
  },
  teacher: {
    title: 'HarmAug miniature teacher',
    stages: [
      { template: shortGuard, lessons: teacherLessons, course: { steps: 700, batchSize: 32, peak: 2e-3 } },
      { template: guard, lessons: teacherLessons, course: { steps: 150, batchSize: 16, peak: 1e-3 } },
    ],
  },
};

const reading: Course = { steps: 700, batchSize: 48, peak: 4e-3 };
const student = { steps: 1800, batchSize: 48, peak: 1.5e-3 };

export interface BuildOptions {
  /** Gets generator.gguf, responder.gguf, teacher.gguf and student/. */
  readonly out: string;
  /** Keeps reading.gguf, which is made where it is missing. */
  readonly work: string;
  readonly names: readonly BuildName[];
  /** Of the trainer. One is quicker than two where the machine has other work. */
  readonly threads?: number | undefined;
  readonly reporter: Reporter;
}

export async function buildMiniatures(options: BuildOptions): Promise<void> {
  const { names, threads, reporter } = options;
  const pool = miniaturePool();
  const [instructions, replies] = [instructionsOf(pool), repliesOf(pool, mulberry32(SEED + 1))];
  reporter.say(`${instructions.length} instructions to learn from`);
  const texts = [...instructions, ...replies];
  const readingFile = path.join(options.work, 'reading.gguf');
  const isRead = !names.includes('reading') && existsSync(readingFile);

  const tokenizerFiles = languageTokenizer([...texts, ...surroundings(pool, guard(pool))], VOCABULARY.language);
  const tokenizer = loadTokenizer(tokenizerFiles);
  const json = languageModelConfig(tokenizer.vocabSize);
  const train = (name: string, draw: DrawLesson, course: Course, weights?: Weights) =>
    trainLanguageModel({ json, draw, course, weights, seed: SEED, threads, progress: { name, reporter } });
  const source = { json, tokenizerFiles } as const;

  const fileOf = (name: BuildName) => path.join(options.out, `${name}.gguf`);

  /** Every language model begins with it. */
  async function read(): Promise<void> {
    const weights = await train('reading', plainLessons(pool, tokenizer), reading);
    await writeGguf(readingFile, { ...source, weights, type: 'f32' });
  }

  async function buildLanguageModel(name: keyof typeof languageModels): Promise<void> {
    const { title, stages, from } = languageModels[name];
    let { weights }: { weights: Weights } = await readGguf(from === undefined ? readingFile : fileOf(from));
    let chatTemplate = '';
    for (const [index, { template, lessons, course }] of stages.entries()) {
      chatTemplate = template(pool);
      const label = stages.length === 1 ? name : `${name} (${index + 1} of ${stages.length})`;
      weights = await train(label, lessons(pool, createEncode(chatTemplate, tokenizer)), course, weights);
    }
    const file = fileOf(name);
    const { sizeBytes } = await writeGguf(file, { ...source, weights, chatTemplate, type: 'q8_0', name: title });
    reporter.say(`${path.basename(file)}: ${(sizeBytes / 1e6).toFixed(1)} MB`);
  }

  async function buildStudent(): Promise<void> {
    const files = studentTokenizer(texts, VOCABULARY.student);
    const config = studentConfig(loadTokenizer(files).vocabSize);
    const progress = { name: 'student', reporter };
    const course = { ...student, seed: SEED, threads, progress };
    const training = { json: config, tokenizerFiles: files, draw: drawTexts(pool), ...course };
    const { model, weights } = await trainStudent(training);
    const saved = { json: config, model, head: 'masked-lm', weights, tokenizerFiles: files } as const;
    await saveModel(path.join(options.out, 'student'), saved);
  }

  const needsReading = names.some((name) => name !== 'student');
  if (needsReading && !isRead) await read();
  for (const name of names) {
    if (name === 'reading') continue;
    await (name === 'student' ? buildStudent() : buildLanguageModel(name));
  }
}

/** What the student is pretrained on: instructions, and half as often one with a reply. It sees no label. */
function drawTexts(pool: readonly Topic[]): DrawText {
  return (uniform) => {
    const kind = uniform() < 0.5 ? 'harmful' : 'benign';
    const topic = pick(pool, uniform);
    const instruction = pick(topic.instructions[kind], uniform);
    if (uniform() < 2 / 3) return [instruction];
    const decline = uniform() < 0.5 ? topic.refusal : topic.freeRefusal;
    return [instruction, uniform() < 0.5 ? decline(uniform) : topic.reply(kind, uniform)];
  };
}
