/** Our side in a process of its own: `node run-case.ts <count> <folder>` sorts out, keeps and exports, and prints the result. */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { NearDuplicates } from '../../packages/harmaug/src/dedup/near-duplicates.ts';
import { Overlap } from '../../packages/harmaug/src/dedup/overlap.ts';
import { jaccard } from '../../packages/harmaug/src/dedup/shingles.ts';
import { Ledger } from '../../packages/harmaug/src/ledger/ledger.node.ts';
import {
  currentInstructions,
  hashOfSet,
  InstructionDraft,
  type InstructionRow,
  type PairRow,
  publishPairs,
} from '../../packages/harmaug/src/ledger/sets.node.ts';
import { exportData } from '../../packages/harmaug/src/stages/export.node.ts';
import { readPipeline } from '../../packages/harmaug/src/stages/pipeline.node.ts';
import { textsOf } from './texts.ts';

export interface RowsResult {
  readonly dedupMs: number;
  /** Near-duplicates, overlap, ledger and export together. */
  readonly totalMs: number;
  readonly near: number;
  readonly overlapping: number;
  readonly exported: number;
  /** Near-duplicates found among those that an exact comparison finds, on the first rows. */
  readonly recall: number;
  readonly peakGiB: number;
}

const OPTIONS = { unit: 'characters', size: 5, threshold: 0.7 } as const; // the recipe's defaults
const REFERENCE_ROWS = 5000; // texts of an evaluation set
const EXACT_ROWS = 4000; // rows whose pairs are all compared
const BATCH = 1000;

async function run(count: number, folder: string): Promise<RowsResult> {
  const start = performance.now();
  const overlap = new Overlap();
  for (const text of evaluationTexts(count)) overlap.add(text);
  const near = new NearDuplicates(OPTIONS);
  const ledger = Ledger.open(path.join(folder, 'run'));
  const draft = new InstructionDraft(ledger);
  const counts = { near: 0, overlapping: 0 };
  let [dedupMs, row] = [0, 0];
  let batch: InstructionRow[] = [];
  const flush = () => {
    draft.add(batch);
    batch = [];
  };
  for (const text of textsOf(count)) {
    const began = performance.now();
    const sketch = near.sketch(text);
    const repeated = near.find(sketch) >= 0;
    const isKnown = !repeated && overlap.has(text);
    if (!repeated && !isKnown) near.add(sketch);
    dedupMs += performance.now() - began;
    if (repeated) counts.near += 1;
    if (isKnown) counts.overlapping += 1;
    const reason = repeated ? 'near-duplicate' : isKnown ? 'benchmark-overlap' : null;
    batch.push({
      ...{
        id: createHash('sha256').update(String(row++)).digest('hex').slice(0, 32),
        kind: 'harmful',
        category: null,
        text,
      },
      ...{ state: reason === null ? 'kept' : 'rejected', reason, duplicateOf: null, model: null, about: {} },
    });
    if (batch.length === BATCH) flush();
  }
  flush();
  const set = { settings: '', isComplete: true, facts: {} };
  draft.publish({ ...set, input: '' });
  publishPairs(ledger, pairsOf(ledger), { ...set, input: hashOfSet(ledger, 'instructions') });
  const recipe = path.join(folder, 'recipe.yaml');
  writeFileSync(recipe, 'dataset: { name: Rows }\n');
  const signal = new AbortController().signal;
  const { counts: exported } = await exportData({
    ...{ pipeline: await readPipeline(recipe), ledger, folder: path.join(folder, 'data'), signal },
    ...{ formats: ['jsonl', 'parquet'], withUnlabelled: true },
  });
  ledger.close();
  const totalMs = performance.now() - start;
  const peakGiB = process.resourceUsage().maxRSS / 2 ** 20;
  return {
    dedupMs,
    totalMs,
    ...counts,
    exported: exported.rows,
    recall: recallOf(Math.min(count, EXACT_ROWS)),
    peakGiB,
  };
}

/** Texts that lie far back in the rows, so that some of these repeat them. */
function* evaluationTexts(count: number): Generator<string> {
  const every = Math.max(1, Math.floor(count / REFERENCE_ROWS));
  let row = 0;
  for (const text of textsOf(count)) if (row++ % every === 0) yield text;
}

function* pairsOf(ledger: Ledger): Generator<PairRow> {
  for (const { id } of currentInstructions(ledger)) {
    yield {
      ...{ id: `p${id}`, instruction: id, responseKind: 'prompt', response: null, state: 'kept', reason: null },
      ...{ model: null, call: null, isRefusal: null, isCut: null },
    };
  }
}

/** Against a comparison of all pairs. */
function recallOf(count: number): number {
  const index = new NearDuplicates(OPTIONS);
  const sketches = Array.from(textsOf(count), (text) => index.sketch(text));
  let [found, there] = [0, 0];
  for (const [row, sketch] of sketches.entries()) {
    const isNear = sketches.some(
      ({ shingles }, other) => other < row && jaccard(shingles, sketch.shingles) >= OPTIONS.threshold,
    );
    if (isNear) there += 1;
    if (isNear && index.find(sketch) >= 0) found += 1;
    index.add(sketch);
  }
  return found / there;
}

process.stdout.write(`${JSON.stringify(await run(Number(process.argv[2]), process.argv[3]!))}\n`);
