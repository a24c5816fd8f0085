/** The process of `harmaug cost` that measures one model and nothing else. */

import type { MeasureReply, MeasureRequest } from '../cost/child.ts';
import { type Judging, measureSpeed, type Speed } from '../cost/measure.ts';
import { messageOf } from '../errors.ts';
import { openScorer } from '../scoring/open-scorer.node.ts';
import { judgeRows } from '../teachers/judge-rows.ts';
import { addUsage, NO_USAGE } from '../teachers/verdict.ts';
import type { CommandIo } from './command.node.ts';
import type { FlagValues } from './flags.node.ts';
import { hubOptions } from './hub-options.node.ts';
import { findTeacher, type teacherFlags } from './teacher-flags.node.ts';

const io: CommandIo = {
  say: () => {},
  write: () => {},
  progress: () => {},
  signal: new AbortController().signal,
  env: process.env,
};
const reply = (message: MeasureReply) => process.send!(message);

process.once('message', (request: MeasureRequest) => {
  run(request)
    .catch((error) => reply({ kind: 'failed', message: messageOf(error) }))
    .finally(() => process.disconnect());
});

async function run(request: MeasureRequest): Promise<void> {
  const { judging, dispose } = await open(request);
  const speeds: Speed[] = [];
  for (const [set, rows] of request.sets.entries()) {
    reply({ kind: 'progress', set });
    speeds.push(await measureSpeed(judging, rows, request.seconds));
  }
  await dispose();
  // maxRSS is in kilobytes, on every system (libuv)
  reply({ kind: 'done', speeds, peakMemoryBytes: process.resourceUsage().maxRSS * 1024 });
}

async function open({ judge, threads }: MeasureRequest): Promise<{ judging: Judging; dispose: () => Promise<void> }> {
  if (judge.kind === 'scorer') {
    const limits = { maxLength: judge.maxLength, ...(threads === null ? {} : { threads }) };
    const scorer = await openScorer(judge.name, { ...limits, hub: hubOptions(io) });
    const judging: Judging = {
      async judge(rows) {
        await scorer.score(rows);
        return null;
      },
    };
    return { judging, dispose: () => scorer.dispose() };
  }
  const teacher = await findTeacher(judge.name, judge.flags as FlagValues<typeof teacherFlags>, io, '--against');
  const judging: Judging = {
    async judge(rows) {
      const verdicts = await judgeRows(teacher, rows, { signal: io.signal, onProgress: () => {} });
      return verdicts.map(({ usage }) => usage).reduce(addUsage, NO_USAGE);
    },
  };
  return { judging, dispose: () => teacher.dispose() };
}
