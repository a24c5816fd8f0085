import { BinaryWriter, WireType } from './protobuf.ts';
import type { Field, FieldKind, Schema } from './schema.ts';
import type { FieldValue } from './wire.ts';

/** Writing one protobuf message from a record of its fields. */

/** Messages inside are given as their bytes. */
export type MessageValues<S extends Schema> = {
  readonly [K in keyof S]?: S[K] extends Field<FieldKind, true> ? readonly FieldValue<S[K]>[] : FieldValue<S[K]>;
};

interface ScalarWriter {
  readonly wireType: WireType;
  readonly write: (writer: BinaryWriter, value: never) => void;
}

const utf8 = new TextEncoder();
const int64: ScalarWriter = { wireType: WireType.Varint, write: (writer, value: bigint) => writer.varint(value) };
const bytes: ScalarWriter = {
  wireType: WireType.LengthDelimited,
  write: (writer, value: Uint8Array) => writer.bytes(value),
};

/** The kinds that we write; typed tensor data is not among them, ours is raw. */
const writers: { readonly [Kind in FieldKind]?: ScalarWriter } = {
  int32: { wireType: WireType.Varint, write: (writer, value: number) => writer.varint(BigInt(value)) },
  int64,
  float: { wireType: WireType.Bit32, write: (writer, value: number) => writer.float(value) },
  string: { wireType: WireType.LengthDelimited, write: (writer, value: string) => writer.bytes(utf8.encode(value)) },
  bytes,
  message: bytes,
};

/** In the order of the schema; lists are not packed, as onnx.proto has those of attributes and dims. */
export function writeMessage<S extends Schema>(schema: S, values: MessageValues<S>): Uint8Array {
  const writer = new BinaryWriter();
  for (const [key, { number, kind, isList }] of Object.entries(schema)) {
    const value = values[key];
    if (value === undefined) continue;
    const { wireType, write } = writers[kind]!;
    for (const item of isList ? (value as readonly unknown[]) : [value]) {
      write(writer.tag(number, wireType), item as never);
    }
  }
  return writer.finish();
}
