import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { openTokenizer } from '../src/tokenizers/open.node.ts';

/**
 * Compares a folder's tokenizer with ids that transformers gave, and says how many differ:
 *
 *   npx node --conditions=source packages/models/scripts/check-tokenizers.ts <folder> <texts.json.gz> <ids.json.gz>
 *
 * The two files come from test/oracles/tokenizers: make_texts.py and record_ids.py. Exits 1 when anything differs.
 */

interface Recorded {
  versions: Record<string, string>;
  ids: number[][];
  pairs: [ids: number[], typeIds: number[]][];
  asText: Record<string, number[]>;
}

const [folder, textsFile, idsFile] = process.argv.slice(2);
if (folder === undefined || textsFile === undefined || idsFile === undefined) {
  console.error('Usage: check-tokenizers.ts <tokenizer folder> <texts.json.gz> <ids.json.gz>');
  process.exit(2);
}
const readJson = (file: string): unknown => JSON.parse(gunzipSync(readFileSync(file)).toString('utf8'));
const { texts, pairs } = readJson(textsFile) as { texts: string[]; pairs: [number, number, number][] };
const recorded = readJson(idsFile) as Recorded;

const asTokens = await openTokenizer(folder, { specialTokensInText: 'tokens' });
const asText = await openTokenizer(folder);
const differing: string[] = [];
let compared = 0;
let saferThanReference = 0;
const controls = new Set(Object.values(asText.special));
const countControls = (ids: readonly number[]) => ids.filter((id) => controls.has(id)).length;

function compare(what: string, ours: readonly number[], theirs: readonly number[]): void {
  compared++;
  if (ours.join() !== theirs.join())
    differing.push(`${what}\n  ours   ${ours.slice(0, 40)}\n  theirs ${theirs.slice(0, 40)}`);
}

texts.forEach((text, i) => {
  compare(`text ${i} ${JSON.stringify(text.slice(0, 60))}`, asTokens.encode(text).ids, recorded.ids[i]!);
  if (text.length >= 200) return;
  const theirs = recorded.asText[i] ?? recorded.ids[i]!;
  const ours = asText.encode(text).ids;
  // known difference: the reference's Unigram still finds control tokens in text, ours never does
  if (asText.kind === 'unigram' && countControls(theirs) > countControls(ours)) saferThanReference++;
  else compare(`text ${i} as text`, ours, theirs);
});
pairs.forEach(([first, second, maxLength], i) => {
  const { ids, typeIds } = asTokens.encode(texts[first]!, texts[second]!, { maxLength });
  const [theirIds, theirTypeIds] = recorded.pairs[i]!;
  compare(`pair ${i} at ${maxLength}`, ids, theirIds);
  compare(`type ids of pair ${i} at ${maxLength}`, typeIds, theirTypeIds);
});

for (const difference of differing.slice(0, 20)) console.error(difference);
const versions = Object.entries(recorded.versions).map(([name, version]) => `${name} ${version}`);
console.log(`${folder} against ${versions.join(', ')}`);
console.log(
  `${texts.length} texts, ${pairs.length} pairs: ${compared - differing.length} equal, ${differing.length} different`,
);
if (saferThanReference > 0)
  console.log(`${saferThanReference} texts where only the reference lets text become a control token`);
process.exitCode = differing.length === 0 ? 0 : 1;
