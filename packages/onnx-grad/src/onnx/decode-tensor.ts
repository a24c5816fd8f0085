import { dataTypeOf, onnxTypeName, tensorByteLength } from './data-types.ts';
import { type ExternalPlace, readExternalPlace } from './external-data.ts';
import { bytesPerElement, type DataType, type TensorRecord } from './model.ts';
import { DataLocation, entrySchema, protoName, tensorSchema } from './schema.ts';
import { formatError, keepIn, named, type Place, type Visitor, visitMessage } from './wire.ts';

/** TensorProto bytes -> TensorRecord: raw, typed or external data, checked against type and dims. */

const MAX_RANK = 64; // ONNX names no limit; numpy and PyTorch stop at 64

/** Gives the bytes of an external tensor: exactly `lengthBytes` of them, or an error. */
export type ExternalDataReader = (external: ExternalPlace, place: Place) => Uint8Array;

/** What one pass over the fields of a tensor finds, before anything is believed. */
interface Draft {
  name: string;
  typeCode: number;
  readonly dims: number[];
  rawData: Uint8Array | undefined;
  dataLocation: number;
  readonly externalEntries: Map<string, string>;
  /** The typed data fields that are present: float_data, int64_data … */
  readonly typedFields: Set<TypedField>;
}

type TypedField = 'floatData' | 'doubleData' | 'int32Data' | 'int64Data' | 'uint64Data';

/** How a type is stored when it is not raw: in which field, and how one value becomes little-endian bytes. */
const typedStorage: {
  readonly [D in DataType]: { field: TypedField; write: (view: DataView, at: number, value: never) => void };
} = {
  float32: { field: 'floatData', write: (view, at, value: number) => view.setFloat32(at, value, true) },
  float64: { field: 'doubleData', write: (view, at, value: number) => view.setFloat64(at, value, true) },
  float16: { field: 'int32Data', write: (view, at, value: number) => view.setUint16(at, value, true) }, // its bits
  int8: { field: 'int32Data', write: (view, at, value: number) => view.setInt8(at, value) },
  uint8: { field: 'int32Data', write: (view, at, value: number) => view.setUint8(at, value) },
  bool: { field: 'int32Data', write: (view, at, value: number) => view.setUint8(at, value === 0 ? 0 : 1) },
  int32: { field: 'int32Data', write: (view, at, value: number) => view.setInt32(at, value, true) },
  int64: { field: 'int64Data', write: (view, at, value: bigint) => view.setBigInt64(at, value, true) },
  uint32: {
    field: 'uint64Data',
    write: (view, at, value: bigint) => view.setUint32(at, Number(value & 0xffffffffn), true),
  },
};

/**
 * @param bytes a TensorProto
 * @param readExternal gives the bytes of tensors kept in another file; absent, such tensors are refused
 * @returns the tensor; raw data is a view of `bytes`, at any alignment
 * @throws FormatError when type, dims and data do not agree
 */
export function decodeTensor(bytes: Uint8Array, place: Place, readExternal?: ExternalDataReader): TensorRecord {
  const draft = readDraft(bytes, place);
  const { name, dims } = draft;
  const here = named(place, name);
  const dtype = dataTypeOf(draft.typeCode);
  if (!dtype) throw formatError(here, `element type ${onnxTypeName(draft.typeCode)} is not supported.`);
  const sizeBytes = tensorByteLength(dtype, dims);
  if (draft.dataLocation === DataLocation.EXTERNAL) {
    if (draft.rawData || draft.typedFields.size > 0) throw formatError(here, 'external data beside data in the model.');
    if (!readExternal) throw formatError(here, 'its data is in another file. Read the model with readModelFile.');
    return { name, dtype, dims, data: readExternal(readExternalPlace(draft.externalEntries, sizeBytes, here), here) };
  }
  if (!draft.rawData) return { name, dtype, dims, data: readTypedData(bytes, dtype, sizeBytes, draft, here) };
  if (draft.typedFields.size > 0) throw formatError(here, 'both raw_data and typed data are present.');
  if (draft.rawData.byteLength !== sizeBytes) {
    const found = draft.rawData.byteLength;
    throw formatError(here, `raw_data holds ${found} bytes, ${dtype} (${dims.join(', ')}) needs ${sizeBytes}.`);
  }
  return { name, dtype, dims, data: draft.rawData };
}

function readDraft(bytes: Uint8Array, place: Place): Draft {
  const draft: Draft = {
    name: '',
    typeCode: 0,
    dims: [],
    rawData: undefined,
    dataLocation: DataLocation.DEFAULT,
    externalEntries: new Map(),
    typedFields: new Set(),
  };
  const note = (field: TypedField) => () => draft.typedFields.add(field);
  visitMessage(tensorSchema, bytes, place, {
    name: keepIn(draft, 'name'),
    dataType: keepIn(draft, 'typeCode'),
    dims: (value) => {
      if (value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) throw formatError(place, `dims holds ${value}.`);
      if (draft.dims.length === MAX_RANK) throw formatError(place, `dims holds more than ${MAX_RANK} sizes.`);
      draft.dims.push(Number(value));
    },
    rawData: keepIn(draft, 'rawData'),
    floatData: note('floatData'),
    doubleData: note('doubleData'),
    int32Data: note('int32Data'),
    int64Data: note('int64Data'),
    uint64Data: note('uint64Data'),
    dataLocation: keepIn(draft, 'dataLocation'),
    externalData: (value, entryPlace) => {
      const { key, text } = readEntry(value, entryPlace);
      if (draft.externalEntries.has(key))
        throw formatError(entryPlace, `the key ${JSON.stringify(key)} appears twice.`);
      draft.externalEntries.set(key, text);
    },
    segment: () => {
      throw formatError(place, 'segmented tensors are not supported.');
    },
  });
  return draft;
}

/** A key and its text, as onnx.proto writes maps. */
export function readEntry(bytes: Uint8Array, place: Place): { key: string; text: string } {
  const entry = { key: '', text: '' };
  visitMessage(entrySchema, bytes, place, {
    key: keepIn(entry, 'key'),
    value: keepIn(entry, 'text'),
  });
  return entry;
}

/** A second pass over the same bytes, now that type and size are known: each typed value goes straight to its place. */
function readTypedData(bytes: Uint8Array, dtype: DataType, sizeBytes: number, draft: Draft, place: Place): Uint8Array {
  const { field, write } = typedStorage[dtype];
  for (const present of draft.typedFields) {
    if (present !== field) throw formatError(place, `${protoName(present)} does not go with element type ${dtype}.`);
  }
  const step = bytesPerElement[dtype];
  const mismatch = () =>
    formatError(place, `${protoName(field)} does not hold ${sizeBytes / step} values, as its dims say.`);
  if (sizeBytes / step > bytes.byteLength) throw mismatch(); // every value takes a byte at least: allocate no more
  const data = new Uint8Array(sizeBytes);
  const view = new DataView(data.buffer);
  let at = 0;
  const store = (value: number | bigint) => {
    if (at + step > sizeBytes) throw mismatch();
    write(view, at, value as never);
    at += step;
  };
  visitMessage(tensorSchema, bytes, place, { [field]: store } as Visitor<typeof tensorSchema>);
  if (at !== sizeBytes) throw mismatch();
  return data;
}
