import type { TensorRecord } from './model.ts';
import { formatError, type Place } from './wire.ts';

/**
 * ONNX external data: the bytes of large tensors in a second file beside the model, because one protobuf message holds
 * at most 2 GiB.
 *
 * Source: onnx.proto, TensorProto.external_data; onnx/docs/ExternalData.md
 */

/** Where a tensor's bytes lie in a second file. */
export interface ExternalPlace {
  /** Path relative to the model's folder, with `/` between its parts. */
  readonly location: string;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

const ALIGNMENT_BYTES = 4096; // onnx.proto: offsets should be multiples of the page size, to allow mmap
const SMALLEST_BYTES = 1024; // onnx's own size_threshold: shapes and axes stay where shape inference can see them

/** Gives every tensor of 1 KiB or more its place in the file `location`, one after the other, page-aligned. */
export function planExternalData(tensors: readonly TensorRecord[], location: string): Map<TensorRecord, ExternalPlace> {
  const places = new Map<TensorRecord, ExternalPlace>();
  let end = 0;
  for (const tensor of tensors) {
    const lengthBytes = tensor.data.byteLength;
    if (lengthBytes < SMALLEST_BYTES) continue;
    const offsetBytes = Math.ceil(end / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
    places.set(tensor, { location, offsetBytes, lengthBytes });
    end = offsetBytes + lengthBytes;
  }
  return places;
}

/** The entries as onnx.proto wants them: text, in this order. */
export function externalDataEntries(place: ExternalPlace): { key: string; value: string }[] {
  return [
    { key: 'location', value: place.location },
    { key: 'offset', value: String(place.offsetBytes) },
    { key: 'length', value: String(place.lengthBytes) },
  ];
}

/**
 * Reads the entries of one tensor.
 * @param sizeBytes what the tensor's type and dims ask for; also the length when none is stated
 * @throws FormatError when the location leaves the folder, or a number is not a number or does not fit
 */
export function readExternalPlace(
  entries: ReadonlyMap<string, string>,
  sizeBytes: number,
  place: Place,
): ExternalPlace {
  const location = entries.get('location');
  if (location === undefined) throw formatError(place, 'external_data has no "location".');
  if (!isInsideFolder(location)) {
    throw formatError(place, `external_data location ${JSON.stringify(location)} leaves the folder of the model.`);
  }
  const offsetBytes = readCount(entries.get('offset') ?? '0', 'offset', place);
  const lengthBytes = readCount(entries.get('length') ?? String(sizeBytes), 'length', place);
  if (lengthBytes !== sizeBytes) {
    throw formatError(place, `external_data length is ${lengthBytes} bytes, type and dims need ${sizeBytes}.`);
  }
  return { location, offsetBytes, lengthBytes };
}

/** Relative, without `..`, backslashes, drive letters or NUL: the same answer on every system. */
function isInsideFolder(location: string): boolean {
  if (location === '' || /[\\:\0]/.test(location) || location.startsWith('/')) return false;
  return location.split('/').every((part) => part !== '..' && part !== '');
}

function readCount(text: string, name: string, place: Place): number {
  const count = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(count)) {
    throw formatError(place, `external_data ${name} is ${JSON.stringify(text)}, expected a count of bytes.`);
  }
  return count;
}
