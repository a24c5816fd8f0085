import { TensorProto_DataType } from './generated/onnx_pb.ts';
import { bytesPerElement, type DataType } from './model.ts';

/** Element types as onnx.proto numbers them, and sizes of tensors. */

/** Our name for a type -> its number in TensorProto.DataType. */
export const dataTypeCodes: { readonly [D in DataType]: TensorProto_DataType } = {
  float32: TensorProto_DataType.FLOAT,
  float16: TensorProto_DataType.FLOAT16,
  float64: TensorProto_DataType.DOUBLE,
  int8: TensorProto_DataType.INT8,
  uint8: TensorProto_DataType.UINT8,
  int32: TensorProto_DataType.INT32,
  uint32: TensorProto_DataType.UINT32,
  int64: TensorProto_DataType.INT64,
  bool: TensorProto_DataType.BOOL,
};

const byCode = new Map(Object.entries(dataTypeCodes).map(([name, code]) => [code as number, name as DataType]));
const onnxNames = new Map(Object.entries(TensorProto_DataType).map(([name, code]) => [code as number, name]));

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
