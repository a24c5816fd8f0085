/** The process that measures one model and nothing else. */
import { messageOf } from '../errors.ts';
import { openScorer } from '../scoring/open-scorer.node.ts';
import { openTeacher } from '../teachers/create.node.ts';
import { judgeRows } from '../teachers/judge-rows.ts';
import { addUsage, NO_USAGE } from '../teachers/verdict.ts';
import type { MeasureReply, MeasureRequest } from './child.ts';
import { type Judging, measureSpeed, type Speed } from './measure.ts';

const { signal } = new AbortController(); // the parent ends this process
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
  const { env } = process;
  if (judge.kind === 'scorer') {
    const limits = { maxLength: judge.maxLength, ...(threads === null ? {} : { threads }) };
    const scorer = await openScorer(judge.name, { ...limits, hub: { env } });
    const judging: Judging = {
      async judge(rows) {
        await scorer.score(rows);
        return null;
      },
    };
    return { judging, dispose: () => scorer.dispose() };
  }
  const { config, ...options } = judge;
  const teacher = await openTeacher(config, { ...options, env });
  const judging: Judging = {
    async judge(rows) {
      const verdicts = await judgeRows(teacher, rows, { signal, onProgress: () => {} });
      return verdicts.map(({ usage }) => usage).reduce(addUsage, NO_USAGE);
    },
  };
  return { judging, dispose: () => teacher.dispose() };
}
