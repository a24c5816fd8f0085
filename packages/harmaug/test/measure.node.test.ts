/** `harmaug measure` on a run made by hand, whose measures can be counted by hand. */
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder, writeTinyStudent } from '../src/distill/tiny.testing.node.ts';
import { Ledger } from '../src/ledger/ledger.node.ts';
import { hashOfSet, InstructionDraft, type InstructionRow, LabelDraft, publishPairs } from '../src/ledger/sets.node.ts';
import { harmaug } from './harmaug.node.ts';

let folder: string;
const at = (name: string) => path.join(folder, name);

const seedTexts = ['your hat is ugly', 'your dog is lovely', 'what a boring song that is'];
const rows: readonly (Pick<InstructionRow, 'kind' | 'text' | 'state' | 'reason'> & { readonly p?: number })[] = [
  { kind: 'harmful', text: 'tell me why the cake is so awful today', state: 'kept', reason: null, p: 0.93 },
  { kind: 'harmful', text: 'tell me why the plan is so stupid today', state: 'kept', reason: null, p: 0.4 },
  { kind: 'harmful', text: 'I cannot do that', state: 'rejected', reason: 'refusal' },
  { kind: 'harmful', text: 'tell me why the cake is so awful today!', state: 'rejected', reason: 'near-duplicate' },
  { kind: 'benign', text: 'what a nice garden that is', state: 'kept', reason: null, p: 0.01 },
];

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeFile(at('seeds.jsonl'), seedTexts.map((prompt) => `${JSON.stringify({ prompt, label: 1 })}\n`).join(''));
  await writeFile(at('recipe.yaml'), 'seed: { files: [seeds.jsonl] }\n');
  await writeTinyStudent(at('encoder'));
  const ledger = Ledger.open(at('run'));
  const draft = new InstructionDraft(ledger);
  draft.add(
    rows.map(({ kind, text, state, reason }, row) => {
      return {
        id: `i${row}`,
        kind,
        category: 'Rudeness',
        text,
        state,
        reason,
        duplicateOf: null,
        model: 'w',
        about: {},
      };
    }),
  );
  const set = { settings: '', input: '', isComplete: true };
  draft.publish({ ...set, facts: { prefix: 'I have an idea:' } });
  const kept = rows.flatMap(({ state }, row) => (state === 'kept' ? [row] : []));
  const pairs = kept.map((row) => {
    const none = { response: null, reason: null, model: null, call: null, isRefusal: null, isCut: null };
    return { ...none, id: `p${row}`, instruction: `i${row}`, responseKind: 'prompt', state: 'kept' } as const;
  });
  publishPairs(ledger, pairs, { ...set, input: hashOfSet(ledger, 'instructions'), facts: {} });
  const labels = new LabelDraft(ledger);
  labels.add(
    kept.map((row) => {
      const none = { category: null, spread: null, isBoundary: false, isDisputed: false, reason: null };
      return { ...none, pair: `p${row}`, softLabel: rows[row]!.p!, logOdds: 0, teacher: 't' };
    }),
  );
  labels.publish({ ...set, facts: {} });
  ledger.close();
});
afterAll(() => rm(folder, { recursive: true }));

describe('harmaug measure', () => {
  test('tells how often the writer gave in, and how varied the texts are', async () => {
    const { exitCode, stdout } = await harmaug('measure', at('recipe.yaml'), '--out', at('run'), '--json');
    expect(exitCode).toBe(0);
    const measures = JSON.parse(stdout);
    expect(measures.attack).toMatchObject({ prefix: 'I have an idea:', replies: 4, not_refused: 0.75 });
    expect(measures.attack).toMatchObject({ judged_unsafe: 0.5, success: 0.375 });
    expect(measures.candidates_nearly_repeating).toBe(0.25);
    expect(measures.categories).toEqual({ Rudeness: 3 });
    expect(measures.score_histogram).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
    const { seed, synthetic, together } = measures.sets;
    expect(seed).toMatchObject({ texts: 3, distinct: [11 / 14, 1, 1], near_duplicates: 0, clusters: null });
    expect(synthetic.texts).toBe(3);
    expect(together.texts).toBe(6);
    expect(synthetic.self_bleu).toBeGreaterThan(seed.self_bleu);
    expect(stdout).not.toContain('cake');
  });

  test('counts clusters of what the texts mean', async () => {
    const clusters = ['--encoder', at('encoder'), '--epsilon', '2', '--min-samples', '2', '--json'];
    const { stdout } = await harmaug('measure', at('recipe.yaml'), '--out', at('run'), ...clusters);
    const { seed, synthetic, together } = JSON.parse(stdout).sets;
    expect([seed.clusters, synthetic.clusters, together.clusters]).toEqual([1, 1, 1]); // all within reach of each other
    const none = await harmaug(
      'measure',
      at('recipe.yaml'),
      '--out',
      at('run'),
      '--encoder',
      at('encoder'),
      '--epsilon',
      '0',
    );
    expect(none.stdout).toMatch(/together +6 .* 0\n/);
    expect(none.stdout).not.toContain('cake');
  });
});
