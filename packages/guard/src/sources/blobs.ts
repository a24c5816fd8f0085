/** A guard's folder that the page has in hand: files that were picked or dropped. */
import { FormatError } from 'onnx-grad';
import type { GuardOptions, GuardSource } from '../load.ts';
import type { OpenedModel } from '../session.ts';

/** By path in the folder: `config.json`, `onnx/model.onnx`. */
export type GuardFiles = Readonly<Record<string, Blob>>;

const MOST_MODEL_BYTES = 2 ** 31 - 1; // of one ONNX file, as at an address

/** @param open makes a session of the model's bytes; its first argument is a name for errors */
export function blobSource(
  files: GuardFiles,
  open: (name: string, bytes: Uint8Array, options: GuardOptions) => Promise<OpenedModel>,
): GuardSource {
  const where = 'the given folder';
  const has = (file: string): boolean => Object.hasOwn(files, file);
  const read = async (file: string, maxBytes: number): Promise<Uint8Array | null> => {
    if (!has(file)) return null;
    const { size } = files[file]!;
    if (size > maxBytes) {
      throw new FormatError(`${where}/${file} has ${size} bytes, expected at most ${maxBytes}.`, { file });
    }
    return new Uint8Array(await files[file]!.arrayBuffer());
  };
  return {
    where,
    read,
    has: async (file) => has(file),
    openModel: async (file, options) =>
      open(`${where}/${file}`, (await read(file, MOST_MODEL_BYTES)) as Uint8Array, options),
  };
}
