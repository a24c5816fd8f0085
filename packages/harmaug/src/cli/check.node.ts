/** `harmaug check`: what an exported guard says to a text, an exchange, the rows of files, or lines of stdin. */
import { text as readText } from 'node:stream/consumers';
import { type Dtype, dtypes, Guard, type GuardAnswer, type GuardRequest } from '@harmaug/guard/node';
import { readRows } from '../data/read.node.ts';
import { defineCommand } from './command.node.ts';
import { dataFlags, readOptions } from './data-flags.node.ts';
import { UsageError } from './flags.node.ts';
import { hubOptions } from './hub-options.node.ts';
import { formatTable } from './table.ts';

interface Asked extends GuardRequest {
  readonly id: string;
}

export const checkCommand = defineCommand({
  summary: 'have an exported guard judge a text, a file or what comes on stdin',
  positional: ['<folder>'],
  flags: {
    prompt: { kind: 'text', value: '<text>', help: 'what the user said' },
    response: { kind: 'text', value: '<text>', help: 'what the assistant said to it' },
    data: { kind: 'texts', value: '<file>', help: 'or rows of files' },
    dtype: { kind: 'text', value: '<name>', help: 'which of the exported models; the smallest', choices: dtypes },
    threshold: { kind: 'number', help: 'score from which a text counts as unsafe; the guard’s own' },
    maxLength: { kind: 'number', help: 'tokens of a window; what the model has positions for, at most 512' },
    normalise: { kind: 'flag', help: 'undo invisible and look-alike characters first' },
    literal: { kind: 'flag', help: 'do not score what looks encoded in its decoded form too' },
    threads: { kind: 'number', help: 'of the CPU; all cores' },
    ...dataFlags,
  },
  notes: `Without --prompt and --data every line of stdin is a text. Rows are named by their ids; texts are not printed.
The place is that of the worst window, in UTF-16 characters.

  harmaug check guard --prompt "What a lovely plan!" --response "It is."
  harmaug check guard --data test.jsonl --json
  cat texts.txt | harmaug check guard`,

  async run(values, io, [folder]) {
    if (values.response !== undefined && values.prompt === undefined)
      throw new UsageError('--response needs --prompt.');
    if (values.prompt !== undefined && values.data !== undefined)
      throw new UsageError('Give --prompt or --data, not both.');
    const requests = await readRequests(values);
    const guard = await Guard.load(folder!, {
      hub: hubOptions(io),
      ...(values.literal ? { views: false } : {}),
      ...(values.normalise ? { normalise: true } : {}),
      ...(values.dtype === undefined ? {} : { dtype: values.dtype as Dtype }),
      ...(values.threshold === undefined ? {} : { threshold: values.threshold }),
      ...(values.maxLength === undefined ? {} : { maxLength: values.maxLength }),
      ...(values.threads === undefined ? {} : { threads: values.threads }),
    });
    try {
      const answers = await checkAll(guard, requests, io.signal, (done) =>
        io.progress(`${done} of ${requests.length}`),
      );
      const json = requests.map(({ id }, row) => ({ id, ...answers[row]! }));
      return { json: { guard: folder, answers: json }, text: present(requests, answers) };
    } finally {
      await guard.dispose();
    }
  },
});

const AT_ONCE = 512; // requests whose windows are in memory together

async function checkAll(
  guard: Guard,
  requests: readonly Asked[],
  signal: AbortSignal,
  onProgress: (done: number) => void,
): Promise<GuardAnswer[]> {
  const answers: GuardAnswer[] = [];
  while (answers.length < requests.length) {
    answers.push(...(await guard.checkMany(requests.slice(answers.length, answers.length + AT_ONCE), { signal })));
    onProgress(answers.length);
  }
  return answers;
}

async function readRequests(
  values: {
    prompt: string | undefined;
    response: string | undefined;
    data: readonly string[] | undefined;
  } & Parameters<typeof readOptions>[0],
): Promise<Asked[]> {
  const { prompt, response, data } = values;
  if (prompt !== undefined) return [{ id: 'prompt', prompt, ...(response === undefined ? {} : { response }) }];
  if (data !== undefined) return (await readRows(data, readOptions(values))).rows;
  if (process.stdin.isTTY) throw new UsageError('Give --prompt or --data, or texts on stdin, one a line.');
  const lines = (await readText(process.stdin)).split(/\r?\n/);
  return lines.flatMap((line, index) => (line === '' ? [] : [{ id: `line ${index + 1}`, prompt: line }]));
}

function present(requests: readonly Asked[], answers: readonly GuardAnswer[]): string {
  const rows = answers.map(({ score, verdict, category, window, windows, view }, row) => [
    requests[row]!.id,
    score,
    verdict,
    category ?? null,
    `prompt ${window.prompt.join('-')}${window.response ? `, response ${window.response.join('-')}` : ''}`,
    windows,
    view ?? null,
  ]);
  return formatTable(['text', 'score', 'verdict', 'category', 'place', 'windows', 'view'], rows);
}
