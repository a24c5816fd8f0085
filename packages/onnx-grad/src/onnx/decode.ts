import { dataTypeOf, onnxTypeName } from './data-types.ts';
import { decodeTensor, type ExternalDataReader, readEntry } from './decode-tensor.ts';
import type { Attribute, Dim, GraphRecord, ModelRecord, NodeRecord, TensorRecord, ValueRecord } from './model.ts';
import {
  AttributeType,
  attributeSchema,
  dimensionSchema,
  graphSchema,
  modelSchema,
  nodeSchema,
  opsetSchema,
  shapeSchema,
  tensorTypeSchema,
  typeSchema,
  valueInfoSchema,
} from './schema.ts';
import { formatError, keepIn, named, type Place, visitMessage } from './wire.ts';

/** ONNX bytes -> ModelRecord. Every byte is checked; whether names and shapes fit together is the graph check's business. */

export interface DecodeLimits {
  /** Size of the model in bytes. Default 2^31 - 1, the most that protobuf allows. */
  readonly maxBytes: number;
  /** Nodes, attributes, values, tensors, dimensions and entries taken together. Default one million. */
  readonly maxRecords: number;
}

export interface DecodeOptions {
  /** Name of the file, for error messages. */
  readonly file?: string;
  readonly limits?: Partial<DecodeLimits>;
  /** Gives the bytes of tensors kept in other files. Without it such tensors are refused. */
  readonly readExternal?: ExternalDataReader;
}

export const defaultDecodeLimits: DecodeLimits = { maxBytes: 2 ** 31 - 1, maxRecords: 1_000_000 };

/**
 * Reads an ONNX model. Documentation texts, intermediate shapes (`value_info`) and annotations are left out.
 * @param bytes a whole ModelProto; tensor data in the result are views of it, at any alignment
 * @throws FormatError, naming file and field, for bytes that are not a valid model, for element types outside
 *   `DataType`, and for what we do not support: subgraphs, functions, sparse tensors, sequences, training info
 */
export function decodeModel(bytes: Uint8Array, options: DecodeOptions = {}): ModelRecord {
  const limits = { ...defaultDecodeLimits, ...options.limits };
  const place: Place = { file: options.file, field: '', budget: { recordsLeft: limits.maxRecords } };
  if (bytes.byteLength > limits.maxBytes) {
    throw formatError(place, `${bytes.byteLength} bytes are more than the limit of ${limits.maxBytes}.`);
  }
  const model: { irVersion?: bigint; producerName: string; graph?: GraphRecord } = { producerName: '' };
  const opsets = new UniqueMap<number>();
  const metadata = new UniqueMap<string>();
  visitMessage(modelSchema, bytes, place, {
    irVersion: keepIn(model, 'irVersion'),
    producerName: keepIn(model, 'producerName'),
    opsetImport: (value, here) => {
      const { domain, version } = decodeOpset(value, here);
      opsets.add(domain, version, here);
    },
    metadataProps: (value, here) => {
      const { key, text } = readEntry(value, here);
      metadata.add(key, text, here);
    },
    graph: (value, here) => {
      model.graph = decodeGraph(value, here, options.readExternal);
    },
    functions: unsupported('model-local functions'),
    trainingInfo: unsupported('training info'),
  });
  const { producerName, graph } = model;
  if (model.irVersion === undefined) throw formatError(place, 'ir_version is missing; this is not an ONNX model.');
  if (graph === undefined) throw formatError(place, 'graph is missing.');
  const irVersion = safeInteger(model.irVersion, 'ir_version', place);
  return { irVersion, producerName, opsets: opsets.toRecord(), metadata: metadata.toRecord(), graph };
}

function decodeOpset(bytes: Uint8Array, place: Place): { domain: string; version: number } {
  const opset = { domain: '', version: 0n };
  visitMessage(opsetSchema, bytes, place, {
    domain: keepIn(opset, 'domain'),
    version: keepIn(opset, 'version'),
  });
  return { domain: canonicalDomain(opset.domain), version: safeInteger(opset.version, 'version', place) };
}

function decodeGraph(bytes: Uint8Array, place: Place, readExternal: ExternalDataReader | undefined): GraphRecord {
  const graph = { name: '' };
  const inputs: ValueRecord[] = [];
  const outputs: ValueRecord[] = [];
  const nodes: NodeRecord[] = [];
  const initializers = new UniqueMap<TensorRecord>();
  visitMessage(graphSchema, bytes, place, {
    name: keepIn(graph, 'name'),
    input: (value, here) => inputs.push(decodeValue(value, here)),
    output: (value, here) => outputs.push(decodeValue(value, here)),
    node: (value, here) => nodes.push(decodeNode(value, here)),
    initializer: (value, here) => {
      const tensor = decodeTensor(value, here, readExternal);
      if (tensor.name === '') throw formatError(here, 'an initializer has no name.');
      initializers.add(tensor.name, tensor, here);
    },
    sparseInitializer: unsupported('sparse tensors'),
  });
  return { ...graph, inputs, outputs, initializers: [...initializers.values()], nodes };
}

function decodeNode(bytes: Uint8Array, place: Place): NodeRecord {
  const node = { name: '', opType: '', domain: '' };
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new UniqueMap<Attribute>();
  visitMessage(nodeSchema, bytes, place, {
    name: keepIn(node, 'name'),
    opType: keepIn(node, 'opType'),
    domain: keepIn(node, 'domain'),
    input: (value) => inputs.push(value),
    output: (value) => outputs.push(value),
    attribute: (value, here) => {
      const { name, attribute } = decodeAttribute(value, here);
      attributes.add(name, attribute, here);
    },
    overload: (value) => {
      if (value !== '') unsupported('function overloads')(value, place);
    },
  });
  if (node.opType === '') throw formatError(named(place, node.name), 'op_type is missing.');
  return { ...node, domain: canonicalDomain(node.domain), inputs, outputs, attributes: attributes.toRecord() };
}

/** The attribute types we read: the field that holds the value, and what its absence means. */
const attributeTypes: { readonly [code: number]: { field: string; type: Attribute['type']; absent: unknown } } = {
  [AttributeType.INT]: { field: 'i', type: 'int', absent: 0 },
  [AttributeType.FLOAT]: { field: 'f', type: 'float', absent: 0 },
  [AttributeType.STRING]: { field: 's', type: 'string', absent: '' },
  [AttributeType.INTS]: { field: 'ints', type: 'ints', absent: [] },
  [AttributeType.FLOATS]: { field: 'floats', type: 'floats', absent: [] },
  [AttributeType.STRINGS]: { field: 'strings', type: 'strings', absent: [] },
  [AttributeType.TENSOR]: { field: 't', type: 'tensor', absent: undefined },
};
const attributeTypeNames = new Map(Object.entries(AttributeType).map(([name, code]) => [code as number, name]));

function decodeAttribute(bytes: Uint8Array, place: Place): { name: string; attribute: Attribute } {
  const draft: { name: string; type: number } = { name: '', type: AttributeType.UNDEFINED };
  const values = new Map<string, unknown>();
  const append = (field: string, value: unknown) => {
    const list = values.get(field) as unknown[] | undefined;
    if (list) list.push(value);
    else values.set(field, [value]);
  };
  visitMessage(attributeSchema, bytes, place, {
    name: keepIn(draft, 'name'),
    type: keepIn(draft, 'type'),
    i: (value) => values.set('i', safeInteger(value, 'i', place)),
    f: (value) => values.set('f', value),
    s: (value) => values.set('s', utf8Text(value, 's', place)),
    t: (value, here) => values.set('t', decodeTensor(value, here)),
    ints: (value) => append('ints', safeInteger(value, 'ints', place)),
    floats: (value) => append('floats', value),
    strings: (value) => append('strings', utf8Text(value, 'strings', place)),
  });
  const { name, type } = draft;
  const here = named(place, name);
  if (name === '') throw formatError(here, 'an attribute has no name.');
  const known = attributeTypes[type];
  if (!known) throw formatError(here, `attribute type ${attributeTypeNames.get(type) ?? type} is not supported.`);
  for (const field of values.keys()) {
    if (field !== known.field) throw formatError(here, `type is ${known.type}, but the field "${field}" is set.`);
  }
  const value = values.get(known.field) ?? known.absent;
  if (value === undefined) throw formatError(here, `type is ${known.type}, but its value is missing.`);
  return { name, attribute: { type: known.type, value } as Attribute };
}

function decodeValue(bytes: Uint8Array, place: Place): ValueRecord {
  const draft: { name: string; type?: Omit<ValueRecord, 'name'> } = { name: '' };
  visitMessage(valueInfoSchema, bytes, place, {
    name: keepIn(draft, 'name'),
    type: (value, here) => {
      visitMessage(typeSchema, value, here, {
        tensorType: (tensor, inner) => {
          draft.type = decodeTensorType(tensor, inner);
        },
      });
    },
  });
  const { name, type } = draft;
  const here = named(place, name);
  if (name === '') throw formatError(here, 'a graph input or output has no name.');
  if (!type)
    throw formatError(here, 'its type is missing or is not a tensor; sequences, maps and optionals are not supported.');
  return { name, ...type };
}

function decodeTensorType(bytes: Uint8Array, place: Place): Omit<ValueRecord, 'name'> {
  const draft: { code: number; dims?: Dim[] } = { code: 0 };
  visitMessage(tensorTypeSchema, bytes, place, {
    elemType: keepIn(draft, 'code'),
    shape: (value, here) => {
      const found: Dim[] = [];
      visitMessage(shapeSchema, value, here, {
        dim: (dim, inner) => found.push(decodeDim(dim, inner)),
      });
      draft.dims = found;
    },
  });
  const { code, dims } = draft;
  const dtype = dataTypeOf(code);
  if (!dtype) throw formatError(place, `element type ${onnxTypeName(code)} is not supported.`);
  return dims === undefined ? { dtype } : { dtype, dims };
}

/** An empty dimension is one that is unknown and has no name: the empty string. */
function decodeDim(bytes: Uint8Array, place: Place): Dim {
  let dim: Dim = '';
  visitMessage(dimensionSchema, bytes, place, {
    dimValue: (value) => {
      dim = safeInteger(value, 'dim_value', place);
      if (dim < 0) throw formatError(place, `dim_value is ${dim}, expected 0 or more.`);
    },
    dimParam: (value) => {
      dim = value;
    },
  });
  return dim;
}

/** `ai.onnx` is the long name of the default domain. */
function canonicalDomain(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain;
}

function unsupported(what: string): (value: unknown, place: Place) => never {
  return (_, place) => {
    throw formatError(place, `${what} are not supported.`);
  };
}

function safeInteger(value: bigint, field: string, place: Place): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number))
    throw formatError(place, `${field} is ${value}, beyond the integers a number holds.`);
  return number;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function utf8Text(bytes: Uint8Array, field: string, place: Place): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw formatError(place, `${field} is not UTF-8 text.`, cause);
  }
}

/** Names that may appear once. Records made from it are safe for any name, `__proto__` included. */
class UniqueMap<T> {
  readonly #entries = new Map<string, T>();
  add(name: string, value: T, place: Place): void {
    if (this.#entries.has(name)) throw formatError(place, `the name ${JSON.stringify(name)} appears twice.`);
    this.#entries.set(name, value);
  }
  values(): Iterable<T> {
    return this.#entries.values();
  }
  toRecord(): Record<string, T> {
    return Object.fromEntries(this.#entries);
  }
}
