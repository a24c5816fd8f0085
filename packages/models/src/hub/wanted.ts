import { FormatError } from 'onnx-grad';
import {
  CONFIG_FILE,
  INDEX_FILE,
  missingConfig,
  missingWeights,
  tokenizerFileNames,
  WEIGHTS_FILE,
} from '../files/model-files.ts';
import { HubError } from './errors.ts';
import type { RepoFile } from './listing.ts';

/** Which of a repository's files are fetched. */

/**
 * Chooses files by their names.
 * @param where the repository, for errors
 * @throws FormatError, HubError when what is needed is not among them
 */
export type Wanted = (names: ReadonlySet<string>, where: string) => string[];

/**
 * Config, tokenizer, and in place of the weights the first of `exported` that is there, with the file that holds its
 * tensors where it has one. @param also further files, where there are
 */
export function wantExported(exported: readonly string[], also: readonly string[] = []): Wanted {
  return (names, where) => {
    if (!names.has(CONFIG_FILE)) throw missingConfig(where);
    const graph = exported.find((name) => names.has(name));
    const graphFiles = graph === undefined ? [] : [graph, `${graph}_data`];
    return [CONFIG_FILE, ...[...tokenizerFileNames, ...graphFiles, ...also].filter((name) => names.has(name))];
  };
}

/** Config, weights and tokenizer; pickles never. @param also further files, where there are */
export function wantModel(also: readonly string[] = []): Wanted {
  return (names, where) => {
    if (!names.has(CONFIG_FILE)) throw missingConfig(where);
    const weights = [WEIGHTS_FILE, INDEX_FILE].find((name) => names.has(name));
    if (weights === undefined) throw missingWeights(where, names);
    return [CONFIG_FILE, weights, ...[...tokenizerFileNames, ...also].filter((name) => names.has(name))];
  };
}

export const wantTokenizer: Wanted = (names, where) => {
  const files = tokenizerFileNames.filter((name) => names.has(name));
  if (files.length > 0) return files;
  throw new FormatError(`${where} has no tokenizer. Expected one of ${tokenizerFileNames.join(', ')}.`, {
    file: where,
  });
};

export function wantFile(file: string): Wanted {
  return (names, where) => {
    if (names.has(file)) return [file];
    throw new HubError('missing', `${where} has no file ${file}.`);
  };
}

/** Of files that are read whole; weights and what is asked for by name may have any size. */
const MAX_SMALL_BYTES = 100_000_000;
const smallFiles: readonly string[] = [CONFIG_FILE, INDEX_FILE, ...tokenizerFileNames];

/** @throws FormatError for a config, index or tokenizer of a size that none has */
export function checkSize({ path, sizeBytes }: RepoFile, where: string): void {
  if (!smallFiles.includes(path) || sizeBytes <= MAX_SMALL_BYTES) return;
  const message = `${where}/${path} has ${sizeBytes} bytes, expected at most ${MAX_SMALL_BYTES}.`;
  throw new FormatError(message, { file: `${where}/${path}` });
}
