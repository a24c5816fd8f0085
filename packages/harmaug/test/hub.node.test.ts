/** Hub ids where the commands take folders, against a hub on this machine. */
import { readdirSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { loadWeights, saveModel } from '@harmaug/models/node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { COMMIT, LoopbackHub } from '../../models/src/hub/loopback.testing.node.ts';
import { main } from '../src/cli/main.node.ts';
import { temporaryFolder, tinyRows, writeTinyStudent } from '../src/distill/tiny.testing.node.ts';

let folder: string;
let hub: LoopbackHub;
const at = (name: string) => path.join(folder, name);

/** A repository of the hub with a folder's files. */
function publish(id: string, from: string): void {
  const names = readdirSync(from);
  hub.repos.set(id, {
    id,
    files: new Map(names.map((name) => [name, new Uint8Array(readFileSync(path.join(from, name)))])),
  });
}

beforeAll(async () => {
  folder = await temporaryFolder();
  hub = await LoopbackHub.start();
  publish('owner/student', await writeTinyStudent(at('student')));
  const lines = tinyRows(60).map(({ softLabel, ...row }) => JSON.stringify({ ...row, soft_label: softLabel }));
  await writeFile(at('rows.jsonl'), lines.join('\n'));
});
afterAll(async () => {
  await hub.stop();
  await rm(folder, { recursive: true, force: true });
});

async function harmaug(...argv: string[]) {
  const [out, err]: [string[], string[]] = [[], []];
  const exitCode = await main(argv, {
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => err.push(text), isTTY: true },
    env: { HF_ENDPOINT: hub.endpoint, HF_HOME: at('home'), HF_TOKEN: 'hf_secret' },
    signal: new AbortController().signal,
  });
  return { exitCode, stdout: out.join(''), stderr: err.join('') };
}

const distill = (student: string) =>
  harmaug(
    ...['distill', '--student', student, '--train', at('rows.jsonl'), '--out', at('guard')],
    ...['--max-steps', '2', '--batch-size', '8', '--max-length', '32', '--json'],
  );

it('a student is fetched, and its commit kept with the run', async () => {
  const made = await distill('owner/student');
  expect(made).toMatchObject({ exitCode: 0 });
  expect(made.stderr).toMatch(/model\.safetensors: [\d.]+ of [\d.]+ MB/);
  const { options } = JSON.parse(readFileSync(at('guard/distillation.json'), 'utf8'));
  expect(options.student).toBe(`owner/student@${COMMIT}`);
  const card = readFileSync(at('guard/README.md'), 'utf8');
  expect(card).toContain('\nbase_model: owner/student\n');
  expect(card).toContain(`- Started from: owner/student@${COMMIT}\n`);
  expect(made.stdout + made.stderr + card).not.toContain('hf_secret');
  expect(await distill(`owner/student@${COMMIT}`)).toMatchObject({ exitCode: 0 }); // finished already, from the same
});

it('a guard, its weights in several files, is measured and asked as the folder that it is', async () => {
  const guard = await loadWeights(at('guard'), { head: 'sequence-classification' });
  await saveModel(at('guard'), guard, { maxShardBytes: 4000 });
  publish('owner/guard', at('guard'));
  const measure = (name: string) =>
    harmaug('evaluate', '--guard', name, '--data', at('rows.jsonl'), '--resamples', '9', '--json');
  const [local, fetched] = [await measure(at('guard')), await measure('owner/guard')];
  expect(fetched.exitCode).toBe(0);
  const [one, other] = [JSON.parse(local.stdout), JSON.parse(fetched.stdout)];
  expect(other.sets).toEqual(one.sets);
  expect(other.sets[0].seenInTraining).toBe(60);
  expect(other.about).toEqual({ ...one.about, source: `owner/guard@${COMMIT}` });
  const scored = await harmaug('score', '--teacher', 'owner/guard', '--data', at('rows.jsonl'), '--json');
  expect(scored.exitCode).toBe(0);
  expect(JSON.parse(scored.stdout)).toMatchObject({ rows: 60, scored: 60 });
});

it('what is neither a folder nor on the hub is one line', async () => {
  const failed = await distill('owner/nothing');
  expect(failed).toMatchObject({ exitCode: 1, stdout: '' });
  expect(failed.stderr).toContain('There is no folder owner/nothing, and as a hub id: 127.0.0.1');
});
