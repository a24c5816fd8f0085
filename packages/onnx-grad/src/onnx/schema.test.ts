/** Our tables and bytes beside the official schema and the makers' own protobuf library. */
import { type DescMessage, fromBinary, ScalarType, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as official from '../../test/generated/onnx_pb.ts';
import { encodeModel } from './encode.ts';
import { arbitraryModel } from './models.testing.ts';
import { BinaryReader, BinaryWriter } from './protobuf.ts';
import * as ours from './schema.ts';

const messages: [string, ours.Schema, DescMessage][] = [
  ['AttributeProto', ours.attributeSchema, official.AttributeProtoSchema],
  ['ValueInfoProto', ours.valueInfoSchema, official.ValueInfoProtoSchema],
  ['NodeProto', ours.nodeSchema, official.NodeProtoSchema],
  ['ModelProto', ours.modelSchema, official.ModelProtoSchema],
  ['StringStringEntryProto', ours.entrySchema, official.StringStringEntryProtoSchema],
  ['GraphProto', ours.graphSchema, official.GraphProtoSchema],
  ['TensorProto', ours.tensorSchema, official.TensorProtoSchema],
  ['TensorShapeProto', ours.shapeSchema, official.TensorShapeProtoSchema],
  ['Dimension', ours.dimensionSchema, official.TensorShapeProto_DimensionSchema],
  ['TypeProto', ours.typeSchema, official.TypeProtoSchema],
  ['TypeProto.Tensor', ours.tensorTypeSchema, official.TypeProto_TensorSchema],
  ['OperatorSetIdProto', ours.opsetSchema, official.OperatorSetIdProtoSchema],
];

it.each(messages)('%s has the fields of onnx.proto, by number', (_, schema, { field }) => {
  const numbers = Object.values(schema).map(({ number }) => number);
  expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  for (const [key, { number, kind, isList }] of Object.entries(schema)) {
    const expected = field[key]!;
    const isPacked = expected.fieldKind === 'list' && expected.packed;
    const scalar = expected.message ? 'message' : expected.enum ? 'int32' : ScalarType[expected.scalar!].toLowerCase();
    expect([key, number, kind, isList]).toEqual([key, expected.number, scalar, expected.fieldKind === 'list']);
    expect(ours.protoName(key)).toBe(expected.name);
    if (isPacked) expect(key).toMatch(/Data$/); // read, never written
  }
});

it('has the official numbers of types', () => {
  expect(ours.AttributeType).toEqual(official.AttributeProto_AttributeType);
  expect(ours.OnnxDataType).toEqual(official.TensorProto_DataType);
  expect(ours.DataLocation).toEqual(official.TensorProto_DataLocation);
});

describe('bytes', () => {
  it('of a model are those that the library writes', () => {
    fc.assert(
      fc.property(arbitraryModel, (model) => {
        const bytes = encodeModel(model);
        const again = toBinary(official.ModelProtoSchema, fromBinary(official.ModelProtoSchema, bytes));
        expect(again.byteLength).toBe(bytes.byteLength);
        expect(fromBinary(official.ModelProtoSchema, again)).toEqual(fromBinary(official.ModelProtoSchema, bytes));
      }),
    );
  });

  it('of any number are read back, and of any other are refused', () => {
    const written = (value: bigint) => new BinaryWriter().varint(value).finish();
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }), (value) => {
        const bytes = written(value);
        expect(new BinaryReader(bytes).uint64()).toBe(BigInt.asUintN(64, value));
        expect(new BinaryReader(bytes).int64()).toBe(BigInt.asIntN(64, value));
        expect(new BinaryReader(bytes).int32()).toBe(Number(BigInt.asIntN(32, value)));
        expect(() => new BinaryReader(bytes.subarray(0, -1)).uint64()).toThrow(RangeError);
      }),
    );
    expect(() => new BinaryReader(new Uint8Array(11).fill(0xff)).uint64()).toThrow(/more than ten bytes/);
    expect(() => new BinaryReader(Uint8Array.of(0x00)).tag()).toThrow(/illegal tag/);
    expect(() => new BinaryReader(Uint8Array.of(0x0f)).tag()).toThrow(/illegal tag/);
    expect(() => new BinaryReader(Uint8Array.of(5, 1, 2)).bytes()).toThrow(/end too early/);
  });
});
