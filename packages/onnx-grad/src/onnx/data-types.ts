import { bytesPerElement, type DataType } from './model.ts';
import { OnnxDataType } from './schema.ts';

/** Element types as onnx.proto numbers them, and sizes of tensors. */

/** Our name for a type -> its number in TensorProto.DataType. */
export const dataTypeCodes: { readonly [D in DataType]: number } = {
  float32: OnnxDataType.FLOAT,
  float16: OnnxDataType.FLOAT16,
  float64: OnnxDataType.DOUBLE,
  int8: OnnxDataType.INT8,
  uint8: OnnxDataType.UINT8,
  int32: OnnxDataType.INT32,
  uint32: OnnxDataType.UINT32,
  int64: OnnxDataType.INT64,
  bool: OnnxDataType.BOOL,
};

const byCode = new Map(Object.entries(dataTypeCodes).map(([name, code]) => [code as number, name as DataType]));
const onnxNames = new Map(Object.entries(OnnxDataType).map(([name, code]) => [code as number, name]));

/** The type with this ONNX number, or undefined where we do not support it. */
export function dataTypeOf(code: number): DataType | undefined {
  return byCode.get(code);
}

/** ONNX's own name of a type, for messages: `BFLOAT16`, or its number where ONNX has none. */
export function onnxTypeName(code: number): string {
  return onnxNames.get(code) ?? String(code);
}

/** Bytes of a tensor. Not exact beyond 2^53, where it is still larger than any file. A scalar has no dims. */
export function tensorByteLength(dtype: DataType, dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, bytesPerElement[dtype]);
}
