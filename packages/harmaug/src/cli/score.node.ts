/** `harmaug score`: a teacher's p(unsafe) for every row of the files. */
import { open, rename } from 'node:fs/promises';
import { readRows } from '../data/read.node.ts';
import type { Row } from '../data/row.ts';
import { familyNames } from '../teachers/families/index.ts';
import { judgeRows } from '../teachers/judge-rows.ts';
import type { Teacher } from '../teachers/teacher.ts';
import { addUsage, NO_USAGE, type Verdict } from '../teachers/verdict.ts';
import { type CommandIo, type CommandResult, defineCommand } from './command.node.ts';
import { dataFlags, readOptions } from './data-flags.node.ts';
import { timeLeft } from './reporter.ts';
import { findTeacher, teacherFlags } from './teacher-flags.node.ts';

export const scoreCommand = defineCommand({
  summary: 'have a teacher say how likely each text is unsafe',
  flags: {
    teacher: {
      kind: 'text',
      value: '<family|recipe|folder>',
      help: 'a family, a recipe, or a classifier',
      isRequired: true,
    },
    ...teacherFlags,
    data: { kind: 'texts', value: '<file>', help: 'rows to judge', isRequired: true },
    out: {
      kind: 'text',
      value: '<jsonl>',
      help: 'the rows with soft_label, log_odds and category; it holds the texts',
    },
    ...dataFlags,
  },
  notes: `Families: ${familyNames.join(', ')}, openai-moderation.
A row for which the teacher gives no verdict has a reason in place of a label, and counts as neither safe nor unsafe.

  harmaug score --teacher llama-guard-3-8b --endpoint http://localhost:8000/v1 --model meta-llama/Llama-Guard-3-8B --data rows.jsonl --out labels.jsonl
  harmaug score --teacher qwen3guard-strict --model qwen3guard-0.6b.gguf --data rows.jsonl
  harmaug score --teacher ./guard --data rows.jsonl --json`,

  async run(values, io) {
    const { rows } = await readRows(values.data, readOptions(values));
    const teacher = await findTeacher(values.teacher, values, io, '--teacher');
    try {
      return await score(teacher, rows, values.out, io);
    } finally {
      await teacher.dispose();
    }
  },
});

async function score(
  teacher: Teacher,
  rows: readonly Row[],
  out: string | undefined,
  io: CommandIo,
): Promise<CommandResult> {
  const startMs = performance.now();
  const onProgress = (done: number) => {
    const leftMs = ((performance.now() - startMs) / done) * (rows.length - done);
    io.progress(`${done} of ${rows.length} rows, ${timeLeft(leftMs)}`);
  };
  const verdicts = await judgeRows(teacher, rows, { signal: io.signal, onProgress });
  if (out !== undefined) await writeLabels(out, rows, verdicts);
  return present(teacher, rows, verdicts, out, performance.now() - startMs);
}

/** The rows as they were, with what the teacher said. Its owner alone may read it. */
async function writeLabels(file: string, rows: readonly Row[], verdicts: readonly Verdict[]): Promise<void> {
  const handle = await open(`${file}.part`, 'w', 0o600);
  try {
    for (const [index, { softLabel: _, ...row }] of rows.entries()) {
      await handle.write(`${JSON.stringify({ ...row, ...fieldsOf(verdicts[index]!, row.category) })}\n`);
    }
  } finally {
    await handle.close();
  }
  await rename(`${file}.part`, file);
}

function fieldsOf(verdict: Verdict, category?: string): Record<string, unknown> {
  if (verdict.kind === 'abstained') return { reason: verdict.reason };
  const named = verdict.category ?? category;
  return { soft_label: verdict.score, log_odds: verdict.logOdds, ...(named === undefined ? {} : { category: named }) };
}

function present(
  teacher: Teacher,
  rows: readonly Row[],
  verdicts: readonly Verdict[],
  out: string | undefined,
  ms: number,
): CommandResult {
  const scored = verdicts.filter((verdict) => verdict.kind === 'scored');
  const unsafe = scored.filter(({ score }) => score >= 0.5).length;
  const abstained: Record<string, number> = {};
  for (const verdict of verdicts) {
    if (verdict.kind === 'abstained') abstained[verdict.reason] = (abstained[verdict.reason] ?? 0) + 1;
  }
  const usage = verdicts.map((verdict) => verdict.usage).reduce(addUsage, NO_USAGE);
  const reasons = Object.entries(abstained).map(([reason, count]) => `${count} without a verdict: ${reason}`);
  const lines = [
    `${rows.length} rows in ${(ms / 1000).toFixed(1)} s: ${scored.length} judged, ${unsafe} of them unsafe`,
    ...reasons,
    ...(out === undefined ? [] : [`written to ${out}`]),
  ];
  return {
    json: {
      teacher: { name: teacher.name, ...teacher.about },
      rows: rows.length,
      scored: scored.length,
      unsafe,
      abstained,
      seconds: ms / 1000,
      prompt_tokens: usage.promptTokens,
      completion_tokens: usage.completionTokens,
      ...(out === undefined
        ? { scores: rows.map(({ id }, index) => ({ id, ...fieldsOf(verdicts[index]!) })) }
        : { out }),
    },
    text: `${lines.join('\n')}\n`,
  };
}
