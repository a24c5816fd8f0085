import { open } from 'node:fs/promises';
import { FormatError } from 'onnx-grad';
import { quote } from '../files/json.ts';
import { readExactly, writeAside } from '../files/limited.node.ts';
import type { NamedTensor } from './dtypes.ts';
import { encodeSafetensors, parseSafetensorsHeader, readHeaderLength, type TensorEntry } from './safetensors.ts';

/** safetensors files: positioned reads into buffers of exactly the right size, writes aside and renamed. */

export interface ReadSafetensorsOptions {
  /** Read these tensors only. Default: all. */
  readonly names?: Iterable<string>;
  /** Sees what the file holds before any of it is read; what it throws ends the reading. */
  readonly check?: (found: ReadonlyMap<string, TensorEntry>) => void;
}

/**
 * Reads a file's tensors, in the order the header lists them.
 * @throws FormatError when the file is not exactly what the format says, or a wanted name is not in it
 */
export async function readSafetensors(
  path: string,
  options: ReadSafetensorsOptions = {},
): Promise<Map<string, NamedTensor>> {
  const handle = await open(path, 'r');
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new FormatError(`${path} is not a regular file.`, { file: path });
    const place = { file: path, fileSize: stat.size };
    const prefix = await readExactly(handle, 0, Math.min(8, stat.size), path);
    const head = await readExactly(handle, 0, 8 + readHeaderLength(prefix, place), path);
    const { tensors } = parseSafetensorsHeader(head, place);
    options.check?.(tensors);
    const weights = new Map<string, NamedTensor>();
    for (const name of options.names ?? tensors.keys()) {
      const entry = tensors.get(name);
      if (entry === undefined) {
        throw new FormatError(`${path} has no tensor ${quote(name)}.`, { file: path, field: name });
      }
      const data = await readExactly(handle, entry.begin, entry.end - entry.begin, path);
      weights.set(name, { dtype: entry.dtype, shape: entry.shape, data });
    }
    return weights;
  } finally {
    await handle.close();
  }
}

/**
 * Writes tensors. The metadata `format: 'pt'` is what transformers asks for before it loads a file.
 * @throws ConfigError when a tensor's bytes do not fit its shape
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, NamedTensor>,
  options: { readonly metadata?: Readonly<Record<string, string>> } = {},
): Promise<void> {
  const { header, chunks } = encodeSafetensors(tensors, options.metadata ?? { format: 'pt' });
  await writeAside(path, [header, ...chunks]);
}
