import { readFile, writeFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { trainBpe } from '../src/tokenizers/train-bpe.ts';

/**
 * Trains the tokenizer of test/oracles/tokenizers/trained on the texts there, for make.sh to record its ids with
 * transformers:
 *
 *   npx node --conditions=source packages/models/scripts/train-tokenizer.ts <texts.json.gz> <tokenizer.json> <vocab size>
 */
const [textsFile, outFile, vocabSize] = process.argv.slice(2);
if (textsFile === undefined || outFile === undefined || vocabSize === undefined) {
  console.error('Usage: train-tokenizer.ts <texts.json.gz> <tokenizer.json> <vocab size>');
  process.exit(2);
}
const { texts } = JSON.parse(gunzipSync(await readFile(textsFile)).toString('utf8')) as { texts: string[] };
await writeFile(outFile, JSON.stringify(trainBpe(texts, { vocabSize: Number(vocabSize) })));
