/** A guard's folder at an address, as a source to load from. */
import { FormatError } from 'onnx-grad';
import type { GuardOptions, GuardSource } from '../load.ts';
import type { OpenedModel } from '../session.ts';
import { HttpFiles, type HttpFolder, type HttpOptions } from './http.ts';

const MOST_MODEL_BYTES = 2 ** 31 - 1; // of one ONNX file; what has its tensors in a second file does not open from memory

/** @param open makes a session of the model's bytes; its first argument is a name for errors */
export function httpSource(
  folder: HttpFolder,
  http: HttpOptions,
  open: (name: string, bytes: Uint8Array, options: GuardOptions) => Promise<OpenedModel>,
): GuardSource {
  const files = new HttpFiles(folder, http);
  return {
    where: folder.base.slice(0, -1),
    read: (file, maxBytes) => files.read(file, maxBytes),
    has: (file) => files.has(file),
    async openModel(file, options) {
      const bytes = await files.read(file, MOST_MODEL_BYTES);
      if (bytes === null) throw new Error(`internal: ${file} was there and is gone`);
      await files.keep();
      try {
        return await open(`${folder.base}${file}`, bytes, options);
      } catch (error) {
        if (error instanceof FormatError) await files.forget(); // it may have been damaged on its way
        throw error;
      }
    },
  };
}
