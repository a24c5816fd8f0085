import { ConfigError, ShapeError } from '../errors.ts';
import { dataTypeCodes, tensorByteLength } from './data-types.ts';
import { type ExternalPlace, externalDataEntries } from './external-data.ts';
import type { Attribute, GraphRecord, ModelRecord, NodeRecord, TensorRecord, ValueRecord } from './model.ts';
import { BinaryWriter, WireType } from './protobuf.ts';
import {
  AttributeType,
  attributeSchema,
  DataLocation,
  dimensionSchema,
  entrySchema,
  graphSchema,
  modelSchema,
  nodeSchema,
  opsetSchema,
  shapeSchema,
  tensorSchema,
  tensorTypeSchema,
  typeSchema,
  valueInfoSchema,
} from './schema.ts';
import { type MessageValues, writeMessage } from './write-message.ts';

/** ModelRecord -> ONNX bytes. */

const MAX_MESSAGE_BYTES = 2 ** 31 - 1; // protobuf.dev/programming-guides/proto-limits

/**
 * The model as one protobuf message.
 * @throws ShapeError when a tensor's bytes do not match its dims; ConfigError when an integer attribute is not a whole
 *   number or the model is too large for one message (`writeModelFile` puts large tensors into a second file)
 * @example const session = await InferenceSession.create(encodeModel(model));
 */
export function encodeModel(model: ModelRecord): Uint8Array {
  const chunks = encodeChunks(model);
  const bytes = new Uint8Array(totalLength(chunks));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

/**
 * The same bytes in pieces, in order. Tensor data are the model's own arrays, not copies, so that a large model can be
 * written without holding it twice. Tensors in `external` are encoded as references to another file.
 */
export function encodeChunks(
  model: ModelRecord,
  external: ReadonlyMap<TensorRecord, ExternalPlace> = new Map(),
): Uint8Array[] {
  const graph = [
    graphMessage(model.graph),
    ...model.graph.initializers.flatMap((tensor) =>
      enclose(graphSchema.initializer.number, initializerChunks(tensor, external.get(tensor))),
    ),
  ];
  const chunks = [modelMessage(model), ...enclose(modelSchema.graph.number, graph)];
  const size = totalLength(chunks);
  if (size > MAX_MESSAGE_BYTES) {
    throw new ConfigError(
      `The model takes ${size} bytes and one ONNX message holds ${MAX_MESSAGE_BYTES}. ` +
        'Write it with writeModelFile, which keeps large tensors in a second file.',
    );
  }
  return chunks;
}

function initializerChunks(tensor: TensorRecord, external: ExternalPlace | undefined): Uint8Array[] {
  const header = tensorValues(tensor);
  if (!external) {
    return [writeMessage(tensorSchema, header), ...enclose(tensorSchema.rawData.number, [tensor.data])];
  }
  const externalData = externalDataEntries(external).map((entry) => writeMessage(entrySchema, entry));
  return [writeMessage(tensorSchema, { ...header, externalData, dataLocation: DataLocation.EXTERNAL })];
}

/** A length-delimited field around pieces that are its content. */
function enclose(fieldNumber: number, content: Uint8Array[]): Uint8Array[] {
  const tag = new BinaryWriter().tag(fieldNumber, WireType.LengthDelimited).varint(BigInt(totalLength(content)));
  return [tag.finish(), ...content];
}

function totalLength(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
}

/** Everything but the graph. */
function modelMessage(model: ModelRecord): Uint8Array {
  return writeMessage(modelSchema, {
    irVersion: wholeNumber(model.irVersion, 'irVersion'),
    producerName: model.producerName,
    opsetImport: Object.entries(model.opsets).map(([domain, version]) =>
      writeMessage(opsetSchema, { domain, version: wholeNumber(version, `opset version of "${domain}"`) }),
    ),
    metadataProps: Object.entries(model.metadata).map(([key, value]) => writeMessage(entrySchema, { key, value })),
  });
}

/** Everything but the initializers. */
function graphMessage(graph: GraphRecord): Uint8Array {
  return writeMessage(graphSchema, {
    name: graph.name,
    input: graph.inputs.map(valueMessage),
    output: graph.outputs.map(valueMessage),
    node: graph.nodes.map(nodeMessage),
  });
}

function nodeMessage(node: NodeRecord): Uint8Array {
  return writeMessage(nodeSchema, {
    name: node.name,
    opType: node.opType,
    domain: node.domain,
    input: node.inputs,
    output: node.outputs,
    attribute: Object.entries(node.attributes).map(([name, attribute]) =>
      writeMessage(attributeSchema, {
        name,
        ...attributeValues(attribute, `${node.opType} "${node.name}", attribute "${name}"`),
      }),
    ),
  });
}

const utf8 = new TextEncoder();

type AttributeValues = MessageValues<typeof attributeSchema>;

/** One row per attribute type: its number and the field that holds its value. */
const attributeFields: {
  readonly [T in Attribute['type']]: (
    value: Extract<Attribute, { type: T }>['value'],
    where: string,
  ) => AttributeValues;
} = {
  int: (value, where) => ({ type: AttributeType.INT, i: wholeNumber(value, where) }),
  float: (value) => ({ type: AttributeType.FLOAT, f: value }),
  string: (value) => ({ type: AttributeType.STRING, s: utf8.encode(value) }),
  ints: (value, where) => ({ type: AttributeType.INTS, ints: value.map((item) => wholeNumber(item, where)) }),
  floats: (value) => ({ type: AttributeType.FLOATS, floats: value }),
  strings: (value) => ({ type: AttributeType.STRINGS, strings: value.map((item) => utf8.encode(item)) }),
  tensor: (value) => ({
    type: AttributeType.TENSOR,
    t: writeMessage(tensorSchema, { ...tensorValues(value), rawData: value.data }),
  }),
};

function attributeValues(attribute: Attribute, where: string): AttributeValues {
  return attributeFields[attribute.type](attribute.value as never, where);
}

function valueMessage({ name, dtype, dims }: ValueRecord): Uint8Array {
  const shape = dims && writeMessage(shapeSchema, { dim: dims.map((dim) => dimMessage(dim, name)) });
  const tensorType = writeMessage(tensorTypeSchema, { elemType: dataTypeCodes[dtype], ...(shape && { shape }) });
  return writeMessage(valueInfoSchema, { name, type: writeMessage(typeSchema, { tensorType }) });
}

function dimMessage(dim: number | string, name: string): Uint8Array {
  if (dim === '') return new Uint8Array(); // unknown, without a name
  if (typeof dim === 'string') return writeMessage(dimensionSchema, { dimParam: dim });
  return writeMessage(dimensionSchema, { dimValue: wholeNumber(dim, `a dimension of "${name}"`) });
}

/** Everything but the data. */
function tensorValues(tensor: TensorRecord): MessageValues<typeof tensorSchema> {
  const { name, dtype, dims, data } = tensor;
  const needed = tensorByteLength(dtype, dims);
  if (data.byteLength !== needed) {
    throw new ShapeError(
      `Tensor "${name}" holds ${data.byteLength} bytes, ${dtype} (${dims.join(', ')}) needs ${needed}.`,
    );
  }
  return {
    name,
    dims: dims.map((dim) => wholeNumber(dim, `a dimension of "${name}"`)),
    dataType: dataTypeCodes[dtype],
  };
}

function wholeNumber(value: number, where: string): bigint {
  if (!Number.isSafeInteger(value)) throw new ConfigError(`${where} is ${value}, expected a whole number.`);
  return BigInt(value);
}
