/**
 * An ONNX model as plain records: what the graph builder makes, what `encodeModel` writes and `decodeModel` reads.
 * Names are the ONNX schema's own, in camelCase; the bytes of a tensor are little-endian, row-major ("raw_data").
 *
 * Source: onnx/onnx, onnx.proto (IR version 10).
 */

/** Element types we read and write. A bool takes one byte. */
export type DataType = 'float32' | 'float16' | 'float64' | 'int8' | 'uint8' | 'int32' | 'uint32' | 'int64' | 'bool';

/** Bytes per element. */
export const bytesPerElement: { [D in DataType]: number } = {
  float32: 4,
  float16: 2,
  float64: 8,
  int8: 1,
  uint8: 1,
  int32: 4,
  uint32: 4,
  int64: 8,
  bool: 1,
};

/** A size: a count of elements, or the name of one that is known only when the graph runs ("batch"; '' is unnamed). */
export type Dim = number | string;

/** A constant or initializer. `data.byteLength` is the product of `dims` times the bytes per element. */
export interface TensorRecord {
  readonly name: string;
  readonly dtype: DataType;
  readonly dims: readonly number[];
  readonly data: Uint8Array;
}

export type Attribute =
  | { readonly type: 'int'; readonly value: number }
  | { readonly type: 'float'; readonly value: number }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'ints'; readonly value: readonly number[] }
  | { readonly type: 'floats'; readonly value: readonly number[] }
  | { readonly type: 'strings'; readonly value: readonly string[] }
  | { readonly type: 'tensor'; readonly value: TensorRecord };

/** One operation. An absent optional input or output is the empty string, as in ONNX. */
export interface NodeRecord {
  readonly name: string;
  readonly opType: string;
  /** '' is ai.onnx; 'com.microsoft' holds onnxruntime's contrib ops. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** A typed input or output of the graph; `dims` is absent where the rank is unknown. */
export interface ValueRecord {
  readonly name: string;
  readonly dtype: DataType;
  readonly dims?: readonly Dim[];
}

export interface GraphRecord {
  readonly name: string;
  readonly inputs: readonly ValueRecord[];
  readonly outputs: readonly ValueRecord[];
  readonly initializers: readonly TensorRecord[];
  readonly nodes: readonly NodeRecord[];
}

export interface ModelRecord {
  readonly irVersion: number;
  readonly producerName: string;
  /** Opset version by domain: `{ '': 20, 'com.microsoft': 1 }`. */
  readonly opsets: Readonly<Record<string, number>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly graph: GraphRecord;
}
