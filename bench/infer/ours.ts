/** Our side: the guard in Node as a product has it, without what the peers do not do. */
import { Guard } from '@harmaug/guard/node';
import { timed } from '../rounds.ts';
import { MOST_TOKENS, type Precision } from './cases.ts';
import type { InferSide } from './side.ts';
import type { BenchText } from './texts.ts';

export interface OursOptions {
  readonly name: string;
  readonly folder: string;
  readonly precision: Precision;
  readonly threads: number;
  /** Views and sentences as they are by default, in place of off. */
  readonly hasDefaults?: boolean;
}

export async function openOurs(texts: readonly BenchText[], options: OursOptions): Promise<InferSide> {
  const { name, folder, precision, threads, hasDefaults = false } = options;
  const plain = hasDefaults ? {} : { views: false, sentences: false };
  const guard = await Guard.load(folder, { dtype: precision, threads, maxLength: MOST_TOKENS, ...plain });
  const requests = texts.map(({ prompt, response }) => (response === undefined ? { prompt } : { prompt, response }));
  return {
    name,
    async many(indices) {
      const { ms, result } = await timed(() => guard.checkMany(indices.map((index) => requests[index]!)));
      return { ms, scores: result.map(({ score }) => score) };
    },
    async single(indices) {
      const times: number[] = [];
      for (const index of indices) times.push((await timed(() => guard.check(requests[index]!))).ms);
      return times;
    },
    dispose: () => guard.dispose(),
  };
}
