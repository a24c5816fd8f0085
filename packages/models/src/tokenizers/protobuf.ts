import { BinaryReader, type WireType } from 'onnx-grad';

/**
 * Reads the fields of a protobuf message that someone asks for. As Google's readers do, it skips a field that arrives
 * with another wire type than the schema says: DeBERTa-v3's spm.model has a string where today's schema has a bool.
 *
 * Source: protobuf.dev/programming-guides/encoding
 */

export interface FieldReader<T> {
  /** In the schema. */
  readonly number: number;
  readonly wireType: WireType;
  /** Puts the value into the record. The reader stands at the value and must be moved past it. */
  readonly read: (record: T, reader: BinaryReader) => void;
}

/**
 * A function that fills a record from a message's bytes.
 * @throws Error, of any kind, when the bytes are not protobuf
 */
export function messageReader<T>(fields: readonly FieldReader<T>[]): (record: T, bytes: Uint8Array) => T {
  const byTag = new Map(fields.map(({ number, wireType, read }) => [number * 8 + wireType, read]));
  return (record, bytes) => {
    const reader = new BinaryReader(bytes);
    while (reader.pos < reader.len) {
      const [number, wireType] = reader.tag();
      const read = byTag.get(number * 8 + wireType);
      if (read === undefined) reader.skip(wireType);
      else read(record, reader);
    }
    return record;
  };
}
