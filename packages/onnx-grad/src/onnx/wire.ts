import { FormatError } from '../errors.ts';
import { BinaryReader, WireType } from './protobuf.ts';
import { type Field, type FieldKind, protoName, type Schema } from './schema.ts';

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

/** A list gives its elements one by one; a message gives its bytes, still to be visited. */
interface KindTypes {
  readonly int32: number;
  readonly int64: bigint;
  readonly uint64: bigint;
  readonly float: number;
  readonly double: number;
  readonly string: string;
  readonly bytes: Uint8Array;
  readonly message: Uint8Array;
}

export type FieldValue<F extends Field> = KindTypes[F['kind']];

/** What to do with each field. Fields without an entry are skipped. */
export type Visitor<S extends Schema> = {
  readonly [K in keyof S]?: (value: FieldValue<S[K]>, place: Place) => void;
};

interface ScalarReader {
  readonly wireType: WireType;
  readonly read: (reader: BinaryReader) => unknown;
}

const bytesReader: ScalarReader = { wireType: WireType.LengthDelimited, read: (reader) => reader.bytes() };

const readers: Readonly<Record<FieldKind, ScalarReader>> = {
  int32: { wireType: WireType.Varint, read: (reader) => reader.int32() },
  int64: { wireType: WireType.Varint, read: (reader) => reader.int64() },
  uint64: { wireType: WireType.Varint, read: (reader) => reader.uint64() },
  float: { wireType: WireType.Bit32, read: (reader) => reader.float() },
  double: { wireType: WireType.Bit64, read: (reader) => reader.double() },
  string: { wireType: WireType.LengthDelimited, read: (reader) => utf8.decode(reader.bytes()) },
  bytes: bytesReader,
  message: bytesReader,
};

// ignoreBOM keeps a leading byte order mark as a character, so that names survive a round trip
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Visits the fields of one message in the order of the file. Byte and message values are views, not copies.
 * @throws FormatError on truncation, illegal tags, groups, wire types that differ from the schema, text that is not
 *   UTF-8, or more records than the budget allows
 */
export function visitMessage<S extends Schema>(schema: S, bytes: Uint8Array, place: Place, visitor: Visitor<S>): void {
  place.budget.recordsLeft -= 1;
  if (place.budget.recordsLeft < 0) {
    throw formatError(place, 'the model holds more records than the limit. Raise limits.maxRecords to read it.');
  }
  const fields = fieldsByNumber(schema);
  const seen = new Map<string, number>();
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wireType] = readValue(reader, (from) => from.tag(), place, 'a field tag');
    const named = fields.get(number);
    const visit = named && (visitor as Record<string, ((value: unknown, place: Place) => void) | undefined>)[named.key];
    if (!named || !visit) {
      skipField(reader, wireType, place, named?.name ?? `field number ${number}`);
      continue;
    }
    const { key, name, field } = named;
    const count = seen.get(key) ?? 0;
    seen.set(key, count + 1);
    const isMessage = field.kind === 'message';
    if (isMessage && !field.isList && count > 0) throw formatError(place, `${name} appears twice.`);
    const here = isMessage ? inner(place, named, count) : place;
    readField(reader, named, wireType, place, (value) => visit(value, here));
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

function inner(place: Place, { name, field }: NamedField, index: number): Place {
  const step = field.isList ? `${name}[${index}]` : name;
  return { ...place, field: place.field === '' ? step : `${place.field}.${step}` };
}

/** Emits the values of one occurrence of a field: one, or many where numbers are packed. */
function readField(
  reader: BinaryReader,
  { name, field }: NamedField,
  wireType: WireType,
  place: Place,
  emit: (value: unknown) => void,
): void {
  const { read, wireType: expected } = readers[field.kind];
  if (wireType === expected) {
    emit(readValue(reader, read, place, name));
    return;
  }
  if (!field.isList || wireType !== WireType.LengthDelimited) {
    throw formatError(place, `${name} has wire type ${wireType}, expected ${expected}.`);
  }
  const packed = new BinaryReader(readValue(reader, (from) => from.bytes(), place, name));
  while (packed.pos < packed.len) emit(readValue(packed, read, place, name));
}

function skipField(reader: BinaryReader, wireType: WireType, place: Place, name: string): void {
  if (wireType === WireType.StartGroup || wireType === WireType.EndGroup) {
    throw formatError(place, `${name} is a protobuf group, which ONNX does not use.`);
  }
  readValue(reader, (from) => from.skip(wireType), place, name);
}

/** One read; whatever the protobuf reader or the UTF-8 decoder throws becomes a FormatError with the place. */
function readValue<T>(reader: BinaryReader, read: (reader: BinaryReader) => T, place: Place, what: string): T {
  try {
    return read(reader);
  } catch (cause) {
    throw formatError(place, `${what} cannot be read, the bytes are truncated or malformed.`, cause);
  }
}

interface NamedField {
  /** In our records. */
  readonly key: string;
  /** In onnx.proto. */
  readonly name: string;
  readonly field: Field;
}

const fieldTables = new WeakMap<Schema, ReadonlyMap<number, NamedField>>();

function fieldsByNumber(schema: Schema): ReadonlyMap<number, NamedField> {
  let table = fieldTables.get(schema);
  if (!table) {
    table = new Map(Object.entries(schema).map(([key, field]) => [field.number, { key, name: protoName(key), field }]));
    fieldTables.set(schema, table);
  }
  return table;
}
