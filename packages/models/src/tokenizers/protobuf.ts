import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

/**
 * Reads the fields of a protobuf message that someone asks for. As Google's readers do, it skips a field that arrives
 * with another wire type than the schema says: DeBERTa-v3's spm.model has a string where today's schema has a bool, and
 * @bufbuild/protobuf's own reader stumbles over that.
 *
 * generated/ comes from sentencepiece_model.proto (sentencepiece 0.2.3) by `buf generate` with protoc-gen-es 2.13 and
 * `target=js+dts`.
 *
 * Source: protobuf.dev/programming-guides/encoding
 */

/** What to do with a field: put its value into the record. The reader stands at the value and must be moved past it. */
export type FieldReaders<Schema extends DescMessage, T> = {
  readonly [K in keyof Schema['field']]?: (record: T, reader: BinaryReader) => void;
};

/** Wire types of the scalars that sentencepiece_model.proto uses; whole numbers and booleans are varints. */
const scalarWireTypes: { readonly [S in ScalarType]?: WireType } = {
  [ScalarType.FLOAT]: WireType.Bit32,
  [ScalarType.STRING]: WireType.LengthDelimited,
  [ScalarType.BYTES]: WireType.LengthDelimited,
};

function wireTypeOf(field: DescField): WireType {
  if (field.fieldKind === 'scalar') return scalarWireTypes[field.scalar] ?? WireType.Varint;
  return field.fieldKind === 'enum' ? WireType.Varint : WireType.LengthDelimited;
}

/**
 * A function that fills a record from a message's bytes.
 * @throws Error, of any kind, when the bytes are not protobuf
 */
export function messageReader<Schema extends DescMessage, T>(
  schema: Schema,
  readers: FieldReaders<Schema, T>,
): (record: T, bytes: Uint8Array) => T {
  const byTag = new Map(
    schema.fields.flatMap((field) => {
      const read = (readers as Record<string, ((record: T, reader: BinaryReader) => void) | undefined>)[
        field.localName
      ];
      return read === undefined ? [] : [[field.number * 8 + wireTypeOf(field), read] as const];
    }),
  );
  return (record, bytes) => {
    const reader = new BinaryReader(bytes);
    while (reader.pos < reader.len) {
      const [number, wireType] = reader.tag();
      const read = byTag.get(number * 8 + wireType);
      if (read === undefined) reader.skip(wireType, number);
      else read(record, reader);
    }
    return record;
  };
}
