import { realpathSync, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import type { ExternalPlace } from './external-data.ts';
import { formatError, type Place } from './wire.ts';

/** Reading tensors that a model keeps in other files: which files may be read, and how much. */

const SLICE_BYTES = 64 * 2 ** 20; // per read call: well under the 2 GiB that a system call takes

interface DataFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** Regions asked for so far, by offset and length. */
  readonly regions: Map<string, { readonly data: Uint8Array; readonly offsetBytes: number }>;
  askedBytes: number;
}

/** Hands out arrays while a model is decoded and fills them from the files afterwards. */
export class ExternalFiles {
  readonly #modelPath: string;
  readonly #files = new Map<string, DataFile>();

  constructor(modelPath: string) {
    this.#modelPath = modelPath;
  }

  /**
   * The array of one tensor, still empty. Tensors that name the same region share it.
   * @throws FormatError when the file is missing, too short or outside the model's folder, or when the regions asked
   *   for exceed the file, which takes overlaps and could otherwise ask for any amount of memory
   */
  reserve({ location, offsetBytes, lengthBytes }: ExternalPlace, place: Place): Uint8Array {
    const file = this.#file(location, place);
    const end = offsetBytes + lengthBytes;
    if (end > file.sizeBytes) {
      throw formatError(place, `its data ends at byte ${end} of "${location}", which has ${file.sizeBytes}.`);
    }
    const key = `${offsetBytes} ${lengthBytes}`;
    const known = file.regions.get(key);
    if (known) return known.data;
    file.askedBytes += lengthBytes;
    if (file.askedBytes > file.sizeBytes) throw formatError(place, `its data in "${location}" overlap other tensors.`);
    const data = new Uint8Array(lengthBytes);
    file.regions.set(key, { data, offsetBytes });
    return data;
  }

  /** Fills every array handed out. */
  async read(): Promise<void> {
    for (const { path, regions } of this.#files.values()) {
      const handle = await open(path);
      try {
        for (const { data, offsetBytes } of regions.values()) await readExactly(handle, data, offsetBytes, path);
      } finally {
        await handle.close();
      }
    }
  }

  #file(location: string, place: Place): DataFile {
    const path = locate(this.#modelPath, location, place);
    const file = this.#files.get(path) ?? { path, sizeBytes: statSync(path).size, regions: new Map(), askedBytes: 0 };
    this.#files.set(path, file);
    return file;
  }
}

/** The real path of a data file that may be read. */
function locate(modelPath: string, location: string, place: Place): string {
  const path = join(dirname(modelPath), ...location.split('/'));
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) {
    throw formatError(place, `its data file "${location}" is missing beside the model.`);
  }
  // A download cache keeps both files as links into one folder of blobs: where the model's own link leads is trusted
  const folders = [realpathSync(dirname(modelPath)), dirname(realpathSync(modelPath))];
  const target = realpathSync(path);
  if (folders.some((folder) => isInside(folder, target))) return target;
  throw formatError(place, `its data file "${location}" is a link that leaves the folder of the model.`);
}

function isInside(folder: string, path: string): boolean {
  const steps = relative(folder, path);
  return steps.split(sep)[0] !== '..' && !isAbsolute(steps); // absolute: another drive
}

async function readExactly(handle: FileHandle, data: Uint8Array, offsetBytes: number, path: string): Promise<void> {
  for (let at = 0; at < data.byteLength; ) {
    const length = Math.min(SLICE_BYTES, data.byteLength - at);
    const { bytesRead } = await handle.read(data, at, length, offsetBytes + at);
    if (bytesRead === 0) throw formatError({ file: path, field: '' }, 'the file became shorter while it was read.');
    at += bytesRead;
  }
}
