/**
 * The messages of onnx.proto (PyPI's onnx 1.23.2) that we read or refuse, as tables: number, kind, and whether it is a list.
 * A test holds every row against the official schema. Fields without a row are skipped. Rows go by number, the order in
 * which they are written.
 */

export type FieldKind = 'int32' | 'int64' | 'uint64' | 'float' | 'double' | 'string' | 'bytes' | 'message';

export interface Field<Kind extends FieldKind = FieldKind, IsList extends boolean = boolean> {
  readonly number: number;
  readonly kind: Kind;
  readonly isList: IsList;
}

export type Schema = Readonly<Record<string, Field>>;

const one = <Kind extends FieldKind>(number: number, kind: Kind): Field<Kind, false> => ({
  number,
  kind,
  isList: false,
});
const list = <Kind extends FieldKind>(number: number, kind: Kind): Field<Kind, true> => ({
  number,
  kind,
  isList: true,
});

/** A field's name in onnx.proto: `rawData` is `raw_data`. */
export function protoName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

export const attributeSchema = {
  name: one(1, 'string'),
  f: one(2, 'float'),
  i: one(3, 'int64'),
  s: one(4, 'bytes'),
  t: one(5, 'message'),
  floats: list(7, 'float'),
  ints: list(8, 'int64'),
  strings: list(9, 'bytes'),
  type: one(20, 'int32'),
} as const;

export const valueInfoSchema = { name: one(1, 'string'), type: one(2, 'message') } as const;

export const nodeSchema = {
  input: list(1, 'string'),
  output: list(2, 'string'),
  name: one(3, 'string'),
  opType: one(4, 'string'),
  attribute: list(5, 'message'),
  domain: one(7, 'string'),
  overload: one(8, 'string'),
} as const;

export const modelSchema = {
  irVersion: one(1, 'int64'),
  producerName: one(2, 'string'),
  graph: one(7, 'message'),
  opsetImport: list(8, 'message'),
  metadataProps: list(14, 'message'),
  trainingInfo: list(20, 'message'),
  functions: list(25, 'message'),
} as const;

export const entrySchema = { key: one(1, 'string'), value: one(2, 'string') } as const;

export const graphSchema = {
  node: list(1, 'message'),
  name: one(2, 'string'),
  initializer: list(5, 'message'),
  input: list(11, 'message'),
  output: list(12, 'message'),
  sparseInitializer: list(15, 'message'),
} as const;

export const tensorSchema = {
  dims: list(1, 'int64'),
  dataType: one(2, 'int32'),
  segment: one(3, 'message'),
  floatData: list(4, 'float'),
  int32Data: list(5, 'int32'),
  int64Data: list(7, 'int64'),
  name: one(8, 'string'),
  rawData: one(9, 'bytes'),
  doubleData: list(10, 'double'),
  uint64Data: list(11, 'uint64'),
  externalData: list(13, 'message'),
  dataLocation: one(14, 'int32'),
} as const;

export const shapeSchema = { dim: list(1, 'message') } as const;
export const dimensionSchema = { dimValue: one(1, 'int64'), dimParam: one(2, 'string') } as const;
export const typeSchema = { tensorType: one(1, 'message') } as const;
export const tensorTypeSchema = { elemType: one(1, 'int32'), shape: one(2, 'message') } as const;
export const opsetSchema = { domain: one(1, 'string'), version: one(2, 'int64') } as const;

export const AttributeType = {
  UNDEFINED: 0,
  FLOAT: 1,
  INT: 2,
  STRING: 3,
  TENSOR: 4,
  GRAPH: 5,
  FLOATS: 6,
  INTS: 7,
  STRINGS: 8,
  TENSORS: 9,
  GRAPHS: 10,
  SPARSE_TENSOR: 11,
  SPARSE_TENSORS: 12,
  TYPE_PROTO: 13,
  TYPE_PROTOS: 14,
} as const;

export const OnnxDataType = {
  UNDEFINED: 0,
  FLOAT: 1,
  UINT8: 2,
  INT8: 3,
  UINT16: 4,
  INT16: 5,
  INT32: 6,
  INT64: 7,
  STRING: 8,
  BOOL: 9,
  FLOAT16: 10,
  DOUBLE: 11,
  UINT32: 12,
  UINT64: 13,
  COMPLEX64: 14,
  COMPLEX128: 15,
  BFLOAT16: 16,
  FLOAT8E4M3FN: 17,
  FLOAT8E4M3FNUZ: 18,
  FLOAT8E5M2: 19,
  FLOAT8E5M2FNUZ: 20,
  UINT4: 21,
  INT4: 22,
  FLOAT4E2M1: 23,
  FLOAT8E8M0: 24,
  UINT2: 25,
  INT2: 26,
  FLOAT6E2M3: 27,
  FLOAT6E3M2: 28,
} as const;

export const DataLocation = { DEFAULT: 0, EXTERNAL: 1 } as const;
