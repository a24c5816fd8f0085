/** What a run's set is like: how often the writer gave in, how varied the texts are, what the teacher said of them. */
import { mulberry32 } from '@harmaug/models';
import { NearDuplicates } from '../dedup/near-duplicates.ts';
import { wordsOf } from '../dedup/words.ts';
import type { Ledger } from '../ledger/ledger.node.ts';
import { currentInstructions, setOf } from '../ledger/sets.node.ts';
import { openEmbedder } from '../stages/embedder.node.ts';
import { readSeedRows } from '../stages/filters.node.ts';
import type { Pipeline } from '../stages/pipeline.node.ts';
import { amongFirst, countClusters, type DbscanOptions, dbscan, neighboursOf } from './dbscan.ts';
import { distinctGrams } from './n-grams.ts';
import { type Projection, project } from './plane.ts';
import { selfBleu } from './self-bleu.ts';

export interface MeasureOptions extends DbscanOptions {
  readonly pipeline: Pipeline;
  readonly ledger: Ledger;
  /** Encoder folder whose mean pooling tells what texts mean; `null`: no clusters. */
  readonly encoder: string | null;
  /** Most texts of which all pairs are compared: for self-BLEU and clusters, drawn by `seed`. */
  readonly sample: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly onProgress?: (what: string) => void;
}

/** Of what writers wrote when asked for a harmful instruction. */
export interface AttackSuccess {
  readonly prefix: string | null;
  readonly replies: number;
  /** Share that is no refusal, is not empty and was not filtered. */
  readonly notRefused: number | null;
  /** Of the instructions kept and judged alone, the share that the teacher calls unsafe; `null` before they are labelled. */
  readonly judgedUnsafe: number | null;
  /** The product: the share of replies that are harmful instructions. */
  readonly success: number | null;
}

export interface Diversity {
  readonly texts: number;
  /** Distinct-1, -2 and -3 over all texts. */
  readonly distinct: readonly (number | null)[];
  /** Of the sample. */
  readonly selfBleu: number | null;
  /** Share of the texts that nearly repeat one before them. */
  readonly nearDuplicates: number | null;
  /** DBSCAN's, of the sample; `null` without an encoder. */
  readonly clusters: number | null;
}

export interface Measures {
  readonly attack: AttackSuccess;
  /** Candidates of the generator that nearly repeated another, as a share of those that were whole. */
  readonly candidatesNearlyRepeating: number | null;
  readonly seed: Diversity;
  readonly synthetic: Diversity;
  readonly together: Diversity;
  readonly categories: Readonly<Record<string, number>>;
  /** Labelled rows by p(unsafe), ten steps of 0.1. */
  readonly scores: readonly number[];
  /** The sample's embeddings seen from their broadest side; `null` without an encoder. */
  readonly plane: Plane | null;
}

export interface Plane extends Pick<Projection, 'explained'> {
  readonly points: readonly (readonly [x: number, y: number, cluster: number, origin: 'seed' | 'synthetic'])[];
}

/** Of `harmaug measure`. */
export const measureDefaults = { sample: 2000, epsilon: 0.3, minSamples: 4, seed: 42 };

const FAILED = ['refusal', 'empty', 'filtered'];
const DISTINCT = [1, 2, 3];
const MAX_LENGTH = 128; // tokens that an embedding reads

export async function measure(options: MeasureOptions): Promise<Measures> {
  const { pipeline, ledger, sample, seed, onProgress = () => {} } = options;
  onProgress('counting');
  const seedTexts = (await readSeedRows(pipeline)).map(({ prompt }) => prompt);
  const kept = [...currentInstructions(ledger)];
  const synthetic = kept.map(({ text }) => text);
  const some = (texts: readonly string[]) => draw(texts, sample, seed);
  const [someSeed, someSynthetic] = [some(seedTexts), some(synthetic)];
  const clusters = await clustersOf(someSeed, someSynthetic, options);
  const diversity = async (what: string, texts: readonly string[], drawn: readonly string[], count: number | null) => {
    onProgress(`${what}: distinct words, self-BLEU, near-duplicates`);
    await new Promise((resolve) => setImmediate(resolve)); // so that Ctrl-C is heard
    options.signal.throwIfAborted();
    return diversityOf(texts, drawn, count, pipeline);
  };
  return {
    attack: attackSuccess(ledger),
    candidatesNearlyRepeating: nearlyRepeating(ledger),
    seed: await diversity('seed set', seedTexts, someSeed, clusters.seed),
    synthetic: await diversity('synthetic set', synthetic, someSynthetic, clusters.synthetic),
    together: await diversity(
      'both',
      [...seedTexts, ...synthetic],
      some([...someSeed, ...someSynthetic]),
      clusters.together,
    ),
    categories: countBy(kept.map(({ category }) => category ?? 'none')),
    scores: scoreHistogram(ledger),
    plane: clusters.plane,
  };
}

function attackSuccess(ledger: Ledger): AttackSuccess {
  const counts = ledger.all(
    "SELECT coalesce(reason, state) AS name, count(*) AS n FROM instructions WHERE position IS NOT NULL AND origin = 'generate' AND kind = 'harmful' GROUP BY 1",
  );
  const replies = counts.reduce((sum, { n }) => sum + Number(n), 0);
  const failed = counts.reduce((sum, { name, n }) => sum + (FAILED.includes(String(name)) ? Number(n) : 0), 0);
  const judged = ledger.get(
    `SELECT avg(labels.soft_label >= 0.5) AS unsafe
     FROM labels JOIN pairs ON pairs.id = labels.pair JOIN instructions ON instructions.id = pairs.instruction
     WHERE labels.position IS NOT NULL AND labels.soft_label IS NOT NULL AND pairs.position IS NOT NULL
       AND pairs.response_kind = 'prompt' AND instructions.kind = 'harmful' AND instructions.origin = 'generate'`,
  )!.unsafe;
  const notRefused = replies === 0 ? null : 1 - failed / replies;
  const judgedUnsafe = judged === null ? null : Number(judged);
  return {
    prefix: (setOf(ledger, 'generate')?.facts.prefix as string | null | undefined) ?? null,
    replies,
    notRefused,
    judgedUnsafe,
    success: notRefused === 0 ? 0 : notRefused === null || judgedUnsafe === null ? null : notRefused * judgedUnsafe,
  };
}

function nearlyRepeating(ledger: Ledger): number | null {
  const { near, whole } = ledger.get(
    `SELECT total(reason = 'near-duplicate') AS near, total(state = 'kept' OR reason = 'near-duplicate') AS whole
     FROM instructions WHERE position IS NOT NULL AND origin = 'generate'`,
  )!;
  return Number(whole) === 0 ? null : Number(near) / Number(whole);
}

function scoreHistogram(ledger: Ledger): number[] {
  const bins = new Array<number>(10).fill(0);
  const rows = ledger.all(
    'SELECT min(9, cast(soft_label * 10 AS INTEGER)) AS bin, count(*) AS n FROM labels WHERE position IS NOT NULL AND soft_label IS NOT NULL GROUP BY 1',
  );
  for (const { bin, n } of rows) bins[Number(bin)] = Number(n);
  return bins;
}

function diversityOf(
  texts: readonly string[],
  drawn: readonly string[],
  clusters: number | null,
  { filters }: Pipeline,
): Diversity {
  const words = texts.map(wordsOf);
  const index = new NearDuplicates(filters.nearDuplicates || { unit: 'characters', size: 5, threshold: 0.7 });
  let near = 0;
  for (const text of texts) {
    const sketch = index.sketch(text);
    if (index.find(sketch) >= 0) near += 1;
    index.add(sketch);
  }
  return {
    texts: texts.length,
    distinct: DISTINCT.map((size) => distinctGrams(words, size)),
    selfBleu: selfBleu(drawn.map(wordsOf)),
    nearDuplicates: texts.length === 0 ? null : near / texts.length,
    clusters,
  };
}

/** Clusters of the seed set, of the synthetic set, and of both, the seed set first. */
async function clustersOf(
  seedTexts: readonly string[],
  synthetic: readonly string[],
  { encoder, ledger, epsilon, minSamples, signal, onProgress = () => {} }: MeasureOptions,
): Promise<Record<'seed' | 'synthetic' | 'together', number | null> & { readonly plane: Plane | null }> {
  if (encoder === null) return { seed: null, synthetic: null, together: null, plane: null };
  onProgress('embedding');
  const embedder = await openEmbedder(encoder, { maxLength: MAX_LENGTH, ledger });
  try {
    const vectors = await embedder.embed([...synthetic, ...seedTexts]);
    const near = await neighboursOf(vectors, epsilon, async (row) => {
      if (row % 200 !== 0) return;
      onProgress(`clusters: ${row} of ${vectors.length} texts compared`);
      await new Promise((resolve) => setImmediate(resolve));
      signal.throwIfAborted();
    });
    const count = (rows: readonly (readonly number[])[]) => countClusters(dbscan(rows, minSamples));
    const together = dbscan(near, minSamples);
    const ofSeed = near
      .slice(synthetic.length)
      .map((rows) => rows.flatMap((row) => (row >= synthetic.length ? [row - synthetic.length] : [])));
    return {
      seed: count(ofSeed),
      synthetic: count(amongFirst(near, synthetic.length)),
      together: countClusters(together),
      plane: planeOf(vectors, together, synthetic.length),
    };
  } finally {
    await embedder.dispose();
  }
}

/** @param synthetic how many of the vectors, the first ones, are of synthetic texts */
function planeOf(vectors: readonly Float32Array[], clusters: Int32Array, synthetic: number): Plane {
  const { explained, points } = project(vectors);
  const rounded = (value: number) => Number(value.toFixed(4));
  return {
    explained: [rounded(explained[0]), rounded(explained[1])],
    points: points.map(([x, y], row) => [
      ...([rounded(x), rounded(y), clusters[row]!] as const),
      row < synthetic ? 'synthetic' : 'seed',
    ]),
  };
}

/** Up to `most` of the texts, drawn without putting back, in their order. */
function draw(texts: readonly string[], most: number, seed: number): string[] {
  if (texts.length <= most) return [...texts];
  const uniform = mulberry32(seed);
  const keys = texts.map((_, row) => ({ row, key: uniform() }));
  const rows = keys.sort((a, b) => a.key - b.key).slice(0, most);
  return rows
    .map(({ row }) => row)
    .sort((a, b) => a - b)
    .map((row) => texts[row]!);
}

function countBy(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
