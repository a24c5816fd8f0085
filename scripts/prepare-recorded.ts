/**
 * The files of recipes/recorded.yaml: the method on real language without a language model at hand. What a writer and
 * responders would write is taken from labelled public rows; generate, respond and label run as they always do.
 *
 *   npm run prepare:recorded -- <data folder> <student folder> [--out recorded] [--eval-rows 400]
 *
 * The data folder has train/prompts.jsonl, train/pairs.jsonl and eval/*.jsonl (id, prompt, response, label, source).
 * The texts of those sets are not ours to pass on: the folder is private, and git ignores it.
 */
import { cp, mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { mulberry32 } from '@harmaug/models';
import { type Row, readRows } from '../packages/harmaug/src/index.node.ts';
import { isRefusal } from '../packages/harmaug/src/stages/refusals.ts';

/** The seed set: few sources, so that it is narrow. All other sources stand for what models would write. */
const SEED_SET: Readonly<Record<string, number>> = { catqa_en: 350, dolly_closed_qa1000: 350, gptfuzz_train: 300 };

const HARMFUL_PROMPTS = 1500; // of those without a response, that a writer may write

const { values, positionals } = parseArgs({
  options: { out: { type: 'string', default: 'recorded' }, 'eval-rows': { type: 'string', default: '400' } },
  allowPositionals: true,
});
const [data, student] = positionals;
if (data === undefined || student === undefined) {
  console.error('Usage: npm run prepare:recorded -- <data folder> <student folder> [--out recorded] [--eval-rows 400]');
  process.exit(2);
}
const at = (...names: string[]) => path.join(values.out, ...names);
const uniform = mulberry32(1);
const shuffle = <Item>(items: readonly Item[]): Item[] =>
  items
    .map((item) => ({ item, key: uniform() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
const read = async (...names: string[]) => shuffle((await readRows([path.join(data, ...names)])).rows);

async function writeLines(name: string, lines: readonly object[]): Promise<void> {
  await writeFile(at(name), lines.map((line) => `${JSON.stringify(line)}\n`).join(''), { mode: 0o600 });
  console.log(`${at(name)}: ${lines.length} rows`);
}

await mkdir(at('eval'), { recursive: true, mode: 0o700 });
const prompts = await read('train', 'prompts.jsonl');
const pairs = await read('train', 'pairs.jsonl');

const ofSource = (rows: readonly Row[], source: string) => rows.filter((row) => row.source === source);
const seed = Object.entries(SEED_SET).flatMap(([source, count]) =>
  ofSource([...prompts, ...pairs], source).slice(0, count),
);
const isElsewhere = ({ source }: Row) => !(source! in SEED_SET);
await writeLines(
  'seed.jsonl',
  shuffle(seed).map(({ softLabel: _, ...row }) => row),
);

const texts = (rows: readonly Row[]) => [...new Set(rows.map(({ prompt }) => prompt))].map((text) => ({ text }));
const otherPrompts = prompts.filter(isElsewhere);
const otherPairs = pairs.filter((row) => isElsewhere(row) && row.response !== undefined);
const refusals = otherPairs.filter(({ response, label }) => label === 0 && isRefusal(response!));
const complied = otherPairs.filter(({ label }) => label === 1);
// not all of them: for many of those that a writer writes there shall be a response that complies
const harmful = [...otherPrompts.filter(({ label }) => label === 1).slice(0, HARMFUL_PROMPTS), ...complied];
// a writer refuses now and then: that is for generate to see
const writer = [...texts(harmful), ...refusals.slice(0, 300).map(({ response }) => ({ text: response! }))];
await writeLines('writer.jsonl', writer);
await writeLines('benign-writer.jsonl', texts(otherPrompts.filter(({ label }) => label === 0)));
const withPrompt = ({ prompt, response }: Row) => ({ prompt, text: response! });
await writeLines('refusals.jsonl', [
  ...refusals.map(withPrompt),
  ...refusals.map(({ response }) => ({ text: response! })), // to a prompt that no one refused, another's refusal
]);
await writeLines('compliant.jsonl', [...complied.map(withPrompt), { text: '' }]); // else nothing, which respond leaves out

for (const name of (await readdir(path.join(data, 'eval'))).filter((file) => file.endsWith('.jsonl')).sort())
  await writeLines(path.join('eval', name), (await read('eval', name)).slice(0, Number(values['eval-rows'])));
await cp(student, at('student'), { recursive: true });
