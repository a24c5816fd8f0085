import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  GraphProtoSchema,
  ModelProtoSchema,
  TensorProto_DataLocation,
  TensorProto_DataType,
  type TensorProtoSchema,
} from '../../test/generated/onnx_pb.ts';
import { FormatError } from '../errors.ts';
import { type DecodeOptions, decodeModel } from './decode.ts';
import type { ExternalDataReader } from './decode-tensor.ts';
import { encodeModel } from './encode.ts';
import { arbitraryModel, scaleAndShiftModel } from './models.testing.ts';

type Model = MessageInitShape<typeof ModelProtoSchema>;
type Graph = MessageInitShape<typeof GraphProtoSchema>;
type Tensor = MessageInitShape<typeof TensorProtoSchema>;

const float3 = { dataType: TensorProto_DataType.FLOAT, dims: [3n] };

const encode = (model: Model) =>
  toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion: 10n, graph: create(GraphProtoSchema), ...model }));
const decode = (model: Model, options?: DecodeOptions) => decodeModel(encode(model), options);
const decodeGraph = (graph: Graph) => decode({ graph: create(GraphProtoSchema, graph) }).graph;
const decodeTensor = (tensor: Tensor) => decodeGraph({ initializer: [{ name: 'w', ...tensor }] }).initializers[0]!;

function decodeAttribute(attribute: MessageInitShape<typeof AttributeProtoSchema>) {
  const { nodes } = decodeGraph({
    node: [{ opType: 'Op', attribute: [create(AttributeProtoSchema, { name: 'a', ...attribute })] }],
  });
  return nodes[0]!.attributes.a;
}

const readNothing: ExternalDataReader = ({ lengthBytes }) => new Uint8Array(lengthBytes);

/** Decodes three floats that are said to lie in another file. */
function decodeExternal(entries: Record<string, string>, readExternal?: ExternalDataReader) {
  const externalData = Object.entries(entries).map(([key, value]) => ({ key, value }));
  const tensor = { ...float3, name: 'w', dataLocation: TensorProto_DataLocation.EXTERNAL, externalData };
  return decode({ graph: create(GraphProtoSchema, { initializer: [tensor] }) }, readExternal && { readExternal });
}

describe('decodeModel', () => {
  it('reads typed tensor data as well as raw data', () => {
    const values = (tensor: Tensor) => {
      const { data } = decodeTensor(tensor);
      return data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
    };
    const two = { dims: [2n] };
    const type = TensorProto_DataType;
    expect([...new Float32Array(values({ ...two, dataType: type.FLOAT, floatData: [1.5, -2] }))]).toEqual([1.5, -2]);
    expect([...new Float64Array(values({ ...two, dataType: type.DOUBLE, doubleData: [0.1, -2] }))]).toEqual([0.1, -2]);
    expect([...new Int32Array(values({ ...two, dataType: type.INT32, int32Data: [7, -7] }))]).toEqual([7, -7]);
    expect([...new Int8Array(values({ ...two, dataType: type.INT8, int32Data: [7, -7] }))]).toEqual([7, -7]);
    expect([...new Uint8Array(values({ ...two, dataType: type.UINT8, int32Data: [7, 250] }))]).toEqual([7, 250]);
    expect([...new Uint8Array(values({ ...two, dataType: type.BOOL, int32Data: [0, 1] }))]).toEqual([0, 1]);
    expect([...new Uint16Array(values({ ...two, dataType: type.FLOAT16, int32Data: [0x3c00, 0xc000] }))]).toEqual([
      0x3c00, 0xc000,
    ]);
    expect([...new BigInt64Array(values({ ...two, dataType: type.INT64, int64Data: [2n ** 63n - 1n, -5n] }))]).toEqual([
      2n ** 63n - 1n,
      -5n,
    ]);
    expect([...new Uint32Array(values({ ...two, dataType: type.UINT32, uint64Data: [1n, 2n ** 32n - 1n] }))]).toEqual([
      1,
      2 ** 32 - 1,
    ]);
  });

  it('reads a scalar and an empty tensor', () => {
    expect(decodeTensor({ dataType: TensorProto_DataType.FLOAT, floatData: [3] }).data.byteLength).toBe(4);
    expect(decodeTensor({ dataType: TensorProto_DataType.FLOAT, dims: [0n, 5n] }).data.byteLength).toBe(0);
  });

  it('takes ai.onnx for the default domain and an unnamed dimension for the empty name', () => {
    expect(decode({ opsetImport: [{ domain: 'ai.onnx', version: 20n }] }).opsets).toEqual({ '': 20 });
    const shape = { dim: [{}, { value: { case: 'dimParam' as const, value: 'batch' } }] };
    const tensorType = { elemType: 1, shape };
    const graph = decodeGraph({ input: [{ name: 'x', type: { value: { case: 'tensorType', value: tensorType } } }] });
    expect(graph.inputs).toEqual([{ name: 'x', dtype: 'float32', dims: ['', 'batch'] }]);
  });

  it.each<[string, () => unknown, RegExp]>([
    ['no bytes', () => decodeModel(new Uint8Array()), /ir_version is missing/],
    ['no graph', () => decodeModel(new Uint8Array([8, 10])), /graph is missing/],
    [
      'a wrong wire type',
      () => decodeModel(new Uint8Array([13, 0, 0, 0, 0])),
      /ir_version has wire type 5, expected 0/,
    ],
    ['a group', () => decodeModel(new Uint8Array([8, 10, 0xfb, 7])), /protobuf group/],
    [
      'raw data too short',
      () => decodeTensor({ ...float3, rawData: new Uint8Array(8) }),
      /initializer\[0\] "w": raw_data holds 8 bytes, float32 \(3\) needs 12/,
    ],
    ['typed data too short', () => decodeTensor({ ...float3, floatData: [1, 2] }), /does not hold 3 values/],
    ['typed data too long', () => decodeTensor({ ...float3, floatData: [1, 2, 3, 4] }), /does not hold 3 values/],
    [
      'typed data of another type',
      () => decodeTensor({ ...float3, int64Data: [1n, 2n, 3n] }),
      /int64_data does not go with element type float32/,
    ],
    [
      'raw and typed data',
      () => decodeTensor({ ...float3, rawData: new Uint8Array(12), floatData: [1] }),
      /both raw_data and typed/,
    ],
    ['no data for absurd dims', () => decodeTensor({ dataType: 1, dims: [2n ** 40n, 2n ** 40n] }), /does not hold/],
    ['a negative dim', () => decodeTensor({ ...float3, dims: [-3n] }), /dims holds -3/],
    ['a rank of 65', () => decodeTensor({ dataType: 1, dims: Array(65).fill(1n) }), /more than 64 sizes/],
    [
      'an unsupported type',
      () => decodeTensor({ dataType: TensorProto_DataType.BFLOAT16 }),
      /"w": element type BFLOAT16 is not supported/,
    ],
    ['an unknown type', () => decodeTensor({ dataType: 99 }), /element type 99 is not supported/],
    [
      'two initializers of one name',
      () => decodeGraph({ initializer: [1, 2].map(() => ({ name: 'w', dataType: 1, dims: [0n] })) }),
      /initializer\[1\]: the name "w" appears twice/,
    ],
    ['an initializer without a name', () => decodeTensor({ name: '', dataType: 1, dims: [0n] }), /has no name/],
    ['a segment', () => decodeTensor({ ...float3, segment: {} }), /segmented/],
    [
      'a sparse tensor',
      () => decodeGraph({ sparseInitializer: [{}] }),
      /sparse_initializer\[0\]: sparse tensors are not supported/,
    ],
    ['a function', () => decode({ functions: [{}] }), /functions\[0\]: model-local functions are not supported/],
    [
      'a subgraph',
      () => decodeAttribute({ type: AttributeType.GRAPH, g: {} }),
      /node\[0\].attribute\[0\] "a": attribute type GRAPH is not supported/,
    ],
    [
      'an attribute of two types',
      () => decodeAttribute({ type: AttributeType.INT, i: 1n, floats: [1] }),
      /type is int, but the field "floats" is set/,
    ],
    ['an integer beyond 2^53', () => decodeAttribute({ type: AttributeType.INT, i: 2n ** 60n }), /beyond the integers/],
    [
      'an attribute that is not text',
      () => decodeAttribute({ type: AttributeType.STRING, s: new Uint8Array([255]) }),
      /not UTF-8/,
    ],
    [
      'a tensor attribute without tensor',
      () => decodeAttribute({ type: AttributeType.TENSOR }),
      /its value is missing/,
    ],
    ['a node without op_type', () => decodeGraph({ node: [{ name: 'n' }] }), /node\[0\] "n": op_type is missing/],
    ['an input without type', () => decodeGraph({ input: [{ name: 'x' }] }), /input\[0\] "x": its type is missing/],
    ['external data without a reader', () => decodeExternal({ location: 'w.bin' }), /another file/],
    ['external data without location', () => decodeExternal({}, readNothing), /no "location"/],
    ['an absolute location', () => decodeExternal({ location: '/etc/passwd' }, readNothing), /leaves the folder/],
    [
      'a location above the folder',
      () => decodeExternal({ location: 'a/../../w.bin' }, readNothing),
      /leaves the folder/,
    ],
    ['a Windows location', () => decodeExternal({ location: 'C:\\w.bin' }, readNothing), /leaves the folder/],
    ['a negative offset', () => decodeExternal({ location: 'w.bin', offset: '-4' }, readNothing), /offset is "-4"/],
    [
      'an offset beyond 2^53',
      () => decodeExternal({ location: 'w.bin', offset: '9999999999999999' }, readNothing),
      /offset is "9999999999999999"/,
    ],
    [
      'another length than dims',
      () => decodeExternal({ location: 'w.bin', length: '16' }, readNothing),
      /length is 16 bytes, type and dims need 12/,
    ],
  ])('refuses %s', (_, act, message) => {
    expect(act).toThrow(FormatError);
    expect(act).toThrow(message);
  });

  it('reads an attribute whose zero was left out by a proto3 writer', () => {
    expect(decodeAttribute({ type: AttributeType.INT })).toEqual({ type: 'int', value: 0 });
    expect(decodeAttribute({ type: AttributeType.INTS })).toEqual({ type: 'ints', value: [] });
  });

  it('names file and field in its errors', () => {
    const bytes = encode({ graph: create(GraphProtoSchema, { node: [{ name: 'n' }] }) });
    expect(() => decodeModel(bytes, { file: 'student.onnx' })).toThrow(
      expect.objectContaining({ file: 'student.onnx', field: 'graph.node[0] "n"' }),
    );
  });

  it('stops at the limits it was given', () => {
    const bytes = encodeModel(scaleAndShiftModel(3));
    expect(() => decodeModel(bytes, { limits: { maxBytes: 100 } })).toThrow(/more than the limit of 100/);
    expect(() => decodeModel(bytes, { limits: { maxRecords: 10 } })).toThrow(/more records than the limit/);
  });

  it('answers every truncation of a model with a FormatError', () => {
    const bytes = encodeModel(scaleAndShiftModel(3));
    for (let length = 0; length < bytes.length; length++) expectModelOrFormatError(bytes.subarray(0, length));
  });

  it('answers mutated bytes with a FormatError or a model', () => {
    const edit = fc.record({ at: fc.nat(), bytes: fc.uint8Array({ minLength: 1, maxLength: 4 }), cut: fc.nat(3) });
    fc.assert(
      fc.property(arbitraryModel, fc.array(edit, { minLength: 1, maxLength: 4 }), (model, edits) => {
        let bytes = encodeModel(model);
        for (const { at, bytes: inserted, cut } of edits) {
          const from = at % (bytes.length + 1);
          bytes = Uint8Array.of(...bytes.subarray(0, from), ...inserted, ...bytes.subarray(from + cut));
        }
        expectModelOrFormatError(bytes);
      }),
      { numRuns: 2000 },
    );
  });

  it('answers random bytes with a FormatError or a model', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => expectModelOrFormatError(bytes)),
      { numRuns: 2000 },
    );
  });

  it('refuses a megabyte of empty nodes at the first one', () => {
    const graph = new Uint8Array(2 ** 20).map((_, index) => (index % 2 === 0 ? 0x0a : 0x00)); // node {} node {} …
    const header = [8, 10, 0x3a, 0x80, 0x80, 0x40]; // ir_version 10, graph of 2^20 bytes
    const bytes = Uint8Array.from([...header, ...graph]);
    expect(() => decodeModel(bytes)).toThrow(/graph.node\[0\]: op_type is missing/);
  });
});

function expectModelOrFormatError(bytes: Uint8Array): void {
  try {
    decodeModel(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(FormatError);
  }
}
