import { type DescField, type DescMessage, type MessageShape, ScalarType } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { FormatError } from '../errors.ts';

/**
 * Reads one protobuf message field by field, handing each value to a visitor, so that bytes from outside turn into our
 * records at once: nothing is built for fields nobody asks for, and a file of junk costs no more memory than its size.
 * Field numbers and wire types come from the official schema (onnx.proto); anything that contradicts it is a FormatError.
 *
 * Source: protobuf.dev/programming-guides/encoding
 */

/** Where we are in the file, for error messages, and how many more records we are willing to make. */
export interface Place {
  readonly file: string | undefined;
  /** Path from the model: `graph.node[3].attribute[0]`. */
  readonly field: string;
  readonly budget: { recordsLeft: number };
}

/** A list field gives its elements one by one; a message gives its bytes, still to be visited. */
type WireValue<T> = T extends Uint8Array | string | number | bigint
  ? T
  : T extends readonly (infer Element)[]
    ? WireValue<Element>
    : Uint8Array;

/** The type of field K of a message; members of a `oneof` sit one level deeper. */
type FieldType<Message, K> = K extends keyof Message
  ? Exclude<Message[K], undefined>
  : Extract<Message[keyof Message], { case: K }> extends { value: infer Value }
    ? Value
    : never;

/** What to do with each field. Fields without an entry are skipped. */
export type Visitor<Schema extends DescMessage> = {
  readonly [K in keyof Schema['field']]?: (value: WireValue<FieldType<MessageShape<Schema>, K>>, place: Place) => void;
};

interface ScalarReader {
  readonly wireType: WireType;
  readonly read: (reader: BinaryReader) => unknown;
}

const bytesReader: ScalarReader = { wireType: WireType.LengthDelimited, read: (reader) => reader.bytes() };
const int32Reader: ScalarReader = { wireType: WireType.Varint, read: (reader) => reader.int32() };

/** The scalar types that onnx.proto uses. */
const scalarReaders: { readonly [S in ScalarType]?: ScalarReader } = {
  [ScalarType.INT32]: int32Reader,
  [ScalarType.INT64]: { wireType: WireType.Varint, read: (reader) => BigInt(reader.int64()) },
  [ScalarType.UINT64]: { wireType: WireType.Varint, read: (reader) => BigInt(reader.uint64()) },
  [ScalarType.FLOAT]: { wireType: WireType.Bit32, read: (reader) => reader.float() },
  [ScalarType.DOUBLE]: { wireType: WireType.Bit64, read: (reader) => reader.double() },
  [ScalarType.BYTES]: bytesReader,
  [ScalarType.STRING]: { wireType: WireType.LengthDelimited, read: (reader) => utf8.decode(reader.bytes()) },
};

// ignoreBOM keeps a leading byte order mark as a character, so that names survive a round trip
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Visits the fields of one message in the order of the file. Byte and message values are views, not copies.
 * @throws FormatError on truncation, illegal tags, groups, wire types that differ from the schema, text that is not
 *   UTF-8, or more records than the budget allows
 */
export function visitMessage<Schema extends DescMessage>(
  schema: Schema,
  bytes: Uint8Array,
  place: Place,
  visitor: Visitor<Schema>,
): void {
  place.budget.recordsLeft -= 1;
  if (place.budget.recordsLeft < 0) {
    throw formatError(place, 'the model holds more records than the limit. Raise limits.maxRecords to read it.');
  }
  const fields = fieldsByNumber(schema);
  const seen = new Map<string, number>();
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wireType] = readValue(reader, (from) => from.tag(), place, 'a field tag');
    const field = fields.get(number);
    const visit =
      field && (visitor as Record<string, ((value: unknown, place: Place) => void) | undefined>)[field.localName];
    if (!field || !visit) {
      skipField(reader, wireType, place, field?.name ?? `field number ${number}`);
      continue;
    }
    const count = seen.get(field.localName) ?? 0;
    seen.set(field.localName, count + 1);
    if (field.message && field.fieldKind !== 'list' && count > 0)
      throw formatError(place, `${field.name} appears twice.`);
    const here = field.message ? inner(place, field, count) : place;
    readField(reader, field, wireType, place, (value) => visit(value, here));
  }
}

/** A visitor's entry that keeps the value in a record; where a field appears more than once, the last one counts. */
export function keepIn<T, K extends keyof T>(target: T, key: K): (value: T[K]) => void {
  return (value) => {
    target[key] = value;
  };
}

/** An error that names the file and the field. */
export function formatError(place: Pick<Place, 'file' | 'field'>, message: string, cause?: unknown): FormatError {
  const { file, field } = place;
  return new FormatError(`${file ?? 'ONNX model'}: ${field === '' ? '' : `${field}: `}${message}`, {
    ...(file === undefined ? {} : { file }),
    field,
    cause,
  });
}

/** The same place with a name added to the path: `graph.node[3]` becomes `graph.node[3] "attention"`. */
export function named(place: Place, name: string): Place {
  return name === '' ? place : { ...place, field: `${place.field} ${JSON.stringify(name)}` };
}

function inner(place: Place, field: DescField, index: number): Place {
  const step = field.fieldKind === 'list' ? `${field.name}[${index}]` : field.name;
  return { ...place, field: place.field === '' ? step : `${place.field}.${step}` };
}

/** Emits the values of one occurrence of a field: one, or many where numbers are packed. */
function readField(
  reader: BinaryReader,
  field: DescField,
  wireType: WireType,
  place: Place,
  emit: (value: unknown) => void,
): void {
  const { read, wireType: expected } = readerOf(field);
  if (wireType === expected) {
    emit(readValue(reader, read, place, field.name));
    return;
  }
  if (field.fieldKind !== 'list' || wireType !== WireType.LengthDelimited) {
    throw formatError(place, `${field.name} has wire type ${wireType}, expected ${expected}.`);
  }
  const packed = new BinaryReader(readValue(reader, (from) => from.bytes(), place, field.name));
  while (packed.pos < packed.len) emit(readValue(packed, read, place, field.name));
}

function readerOf(field: DescField): ScalarReader {
  if (field.message) return bytesReader;
  if (field.enum) return int32Reader;
  const reader = field.scalar === undefined ? undefined : scalarReaders[field.scalar];
  if (!reader) throw new Error(`internal: onnx.proto field ${field.name} has a type that the wire reader lacks`);
  return reader;
}

function skipField(reader: BinaryReader, wireType: WireType, place: Place, name: string): void {
  if (wireType === WireType.StartGroup || wireType === WireType.EndGroup) {
    throw formatError(place, `${name} is a protobuf group, which ONNX does not use.`);
  }
  readValue(reader, (from) => from.skip(wireType), place, name);
}

/** One read; whatever the protobuf reader or the UTF-8 decoder throws becomes a FormatError with the place. */
function readValue<T>(reader: BinaryReader, read: (reader: BinaryReader) => T, place: Place, what: string): T {
  let cause: unknown;
  try {
    const value = read(reader);
    if (reader.pos <= reader.len) return value;
  } catch (error) {
    cause = error;
  }
  throw formatError(place, `${what} cannot be read, the bytes are truncated or malformed.`, cause);
}

const fieldTables = new WeakMap<DescMessage, ReadonlyMap<number, DescField>>();

function fieldsByNumber(schema: DescMessage): ReadonlyMap<number, DescField> {
  let table = fieldTables.get(schema);
  if (!table) {
    table = new Map(schema.fields.map((field) => [field.number, field]));
    fieldTables.set(schema, table);
  }
  return table;
}
