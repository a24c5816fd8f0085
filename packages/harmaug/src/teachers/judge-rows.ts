/** All rows before a teacher, as many at once as it bears. */
import { ConfigError } from 'onnx-grad';
import type { Row } from '../data/row.ts';
import { ProviderError } from '../errors.ts';
import type { Teacher } from './teacher.ts';
import type { Verdict } from './verdict.ts';

export interface JudgeOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (done: number) => void;
}

/**
 * One verdict a row, in order.
 * @throws ConfigError where asking failed, saying how far it came; the signal's reason when aborted. The first failure
 *   ends the calls under way.
 */
export async function judgeRows(
  teacher: Teacher,
  rows: readonly Pick<Row, 'id' | 'prompt' | 'response'>[],
  { signal, onProgress }: JudgeOptions,
): Promise<Verdict[]> {
  const verdicts: Verdict[] = new Array(rows.length);
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  let done = 0;
  let next = 0;
  const worker = async () => {
    while (next < rows.length) {
      either.throwIfAborted();
      const index = next++;
      verdicts[index] = await teacher.judge(rows[index]!, either);
      onProgress(++done);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(teacher.concurrency, rows.length) }, worker));
    return verdicts;
  } catch (error) {
    stop.abort(error);
    if (!(error instanceof ProviderError)) throw error;
    throw new ConfigError(`${error.message} ${done} of ${rows.length} rows were judged.`, { cause: error });
  }
}
