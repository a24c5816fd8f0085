import { FormatError, WireType } from 'onnx-grad';
import { quote } from '../files/json.ts';
import { type Charsmap, parseCharsmap } from './charsmap.ts';
import { messageReader } from './protobuf.ts';

/**
 * A SentencePiece model file ("spm.model"), read by the numbers of sentencepiece_model.proto and checked as the reference checks it.
 *
 * Source: sentencepiece 0.2.3, sentencepiece_model.proto; model_interface.cc `InitializePieces`; unigram_model.cc `Model`
 */

export type PieceKind = 'normal' | 'unknown' | 'control' | 'user-defined' | 'byte' | 'unused';

export interface Piece {
  readonly text: string;
  readonly score: number;
  readonly kind: PieceKind;
}

export interface SpmModel {
  /** By id. */
  readonly pieces: readonly Piece[];
  readonly unkId: number;
  readonly byteFallback: boolean;
  readonly normalizer: SpmNormalizerSpec;
}

export interface SpmNormalizerSpec {
  /** Undefined when the model changes no characters. */
  readonly charsmap: Charsmap | undefined;
  readonly addDummyPrefix: boolean;
  readonly removeExtraWhitespaces: boolean;
  readonly escapeWhitespaces: boolean;
  /** The space symbol ends words instead of beginning them. */
  readonly treatWhitespaceAsSuffix: boolean;
}

export const MAX_SPM_BYTES = 64 * 2 ** 20;
const MAX_PIECES = 2_000_000;
const MAX_PIECE_CHARS = 8_000; // model_interface.cc, kMaxPieceSize, there in bytes

/** `SentencePiece.Type` */
const kinds: Readonly<Record<number, PieceKind>> = {
  1: 'normal',
  2: 'unknown',
  3: 'control',
  4: 'user-defined',
  5: 'unused',
  6: 'byte',
};
const NORMAL = 1;

/** `TrainerSpec.ModelType` */
const modelTypes: Readonly<Record<number, string>> = { 1: 'UNIGRAM', 2: 'BPE', 3: 'WORD', 4: 'CHAR' };
const UNIGRAM = 1;

/**
 * Parses and checks a model.
 * @param file name for errors
 * @throws FormatError naming file and field: not protobuf, not a unigram model, bad pieces, bad character map
 */
export function parseSpmModel(bytes: Uint8Array, file: string): SpmModel {
  const fail = (field: string, problem: string) => new FormatError(`${file}: ${field} ${problem}`, { file, field });
  if (bytes.byteLength > MAX_SPM_BYTES) {
    throw fail('the model', `has ${bytes.byteLength} bytes, expected at most ${MAX_SPM_BYTES}.`);
  }
  const proto = decodeProto(bytes, file);
  const { trainer, normalizer } = proto;
  if (trainer === undefined || normalizer === undefined) {
    throw fail('trainer_spec', 'or normalizer_spec is missing. Is this a SentencePiece model?');
  }
  if (trainer.modelType !== UNIGRAM) {
    throw fail(
      'trainer_spec.model_type',
      `is ${modelTypes[trainer.modelType] ?? trainer.modelType}. Supported: UNIGRAM.`,
    );
  }
  const pieces = readPieces(proto.pieces, trainer.byteFallback, file);
  const unkId = pieces.findIndex(({ kind }) => kind === 'unknown');
  if (unkId < 0) throw fail('pieces', 'have no piece of type UNKNOWN.');
  const { charsmap: blob, ...rules } = normalizer;
  const field = 'normalizer_spec.precompiled_charsmap';
  const charsmap = blob.byteLength === 0 ? undefined : parseCharsmap(blob, file, field);
  const treatWhitespaceAsSuffix = trainer.treatWhitespaceAsSuffix;
  return {
    pieces,
    unkId,
    byteFallback: trainer.byteFallback,
    normalizer: { ...rules, charsmap, treatWhitespaceAsSuffix },
  };
}

interface RawPiece {
  text: string;
  score: number;
  type: number;
}

interface RawTrainer {
  modelType: number;
  byteFallback: boolean;
  treatWhitespaceAsSuffix: boolean;
}

interface RawNormalizer {
  charsmap: Uint8Array;
  addDummyPrefix: boolean;
  removeExtraWhitespaces: boolean;
  escapeWhitespaces: boolean;
}

/** The fields we use. */
interface RawModel {
  pieces: RawPiece[];
  trainer?: RawTrainer;
  normalizer?: RawNormalizer;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const { Varint, Bit32, LengthDelimited } = WireType;

const readPiece = messageReader<RawPiece>([
  { number: 1, wireType: LengthDelimited, read: (piece, reader) => (piece.text = utf8.decode(reader.bytes())) },
  { number: 2, wireType: Bit32, read: (piece, reader) => (piece.score = reader.float()) },
  { number: 3, wireType: Varint, read: (piece, reader) => (piece.type = reader.int32()) },
]);

const readTrainer = messageReader<RawTrainer>([
  { number: 3, wireType: Varint, read: (trainer, reader) => (trainer.modelType = reader.int32()) },
  { number: 24, wireType: Varint, read: (trainer, reader) => (trainer.treatWhitespaceAsSuffix = reader.bool()) },
  { number: 35, wireType: Varint, read: (trainer, reader) => (trainer.byteFallback = reader.bool()) },
]);

const readNormalizer = messageReader<RawNormalizer>([
  { number: 2, wireType: LengthDelimited, read: (normalizer, reader) => (normalizer.charsmap = reader.bytes()) },
  { number: 3, wireType: Varint, read: (normalizer, reader) => (normalizer.addDummyPrefix = reader.bool()) },
  { number: 4, wireType: Varint, read: (normalizer, reader) => (normalizer.removeExtraWhitespaces = reader.bool()) },
  { number: 5, wireType: Varint, read: (normalizer, reader) => (normalizer.escapeWhitespaces = reader.bool()) },
]);

/** A message that comes twice is merged, as protobuf has it. Values not in the file are the schema's defaults. */
const readModel = messageReader<RawModel>([
  {
    number: 1,
    wireType: LengthDelimited,
    read: (model, reader) => model.pieces.push(readPiece({ text: '', score: 0, type: NORMAL }, reader.bytes())),
  },
  {
    number: 2,
    wireType: LengthDelimited,
    read(model, reader) {
      model.trainer ??= { modelType: UNIGRAM, byteFallback: false, treatWhitespaceAsSuffix: false };
      readTrainer(model.trainer, reader.bytes());
    },
  },
  {
    number: 3,
    wireType: LengthDelimited,
    read(model, reader) {
      const rules = { addDummyPrefix: true, removeExtraWhitespaces: true, escapeWhitespaces: true };
      model.normalizer ??= { charsmap: new Uint8Array(), ...rules };
      readNormalizer(model.normalizer, reader.bytes());
    },
  },
]);

function decodeProto(bytes: Uint8Array, file: string): RawModel {
  try {
    return readModel({ pieces: [] }, bytes);
  } catch (cause) {
    const message = `${file} is not a SentencePiece model: its protobuf cannot be read. The file may be cut off.`;
    throw new FormatError(message, { file, field: 'protobuf', cause });
  }
}

function readPieces(raw: readonly RawPiece[], byteFallback: boolean, file: string): Piece[] {
  const count = raw.length;
  const fail = (i: number, problem: string) => {
    const field = `pieces[${i}]`;
    return new FormatError(`${file}: ${field} ${problem}`, { file, field });
  };
  if (count === 0 || count > MAX_PIECES) throw fail(count, `is the end: expected 1 to ${MAX_PIECES} pieces.`);
  const seen = new Set<string>();
  const bytesSeen = new Set<string>();
  let unknownCount = 0;
  const pieces = raw.map(({ text, score, type }, i): Piece => {
    const kind = kinds[type];
    if (kind === undefined) throw fail(i, `has the unknown type ${type}.`);
    if (
      text === '' ||
      text.length > MAX_PIECE_CHARS ||
      (text.includes('\0') && !(kind === 'unused' && text === '\0'))
    ) {
      throw fail(i, `must have 1 to ${MAX_PIECE_CHARS} characters and no zero character.`);
    }
    if (!Number.isFinite(score)) throw fail(i, 'has a score that is not finite.');
    // matched pieces and reserved ones may share a text, as in the reference
    const key = (isMatched(kind) ? 'm' : 'r') + text;
    if (seen.has(key)) throw fail(i, `repeats the piece ${quote(text)}.`);
    seen.add(key);
    if (kind === 'unknown' && ++unknownCount > 1) throw fail(i, 'is a second piece of type UNKNOWN.');
    if (kind === 'byte') {
      if (!byteFallback || !/^<0x[0-9A-F]{2}>$/.test(text)) throw fail(i, 'is not a byte piece this model may have.');
      bytesSeen.add(text);
    }
    return { text, score, kind };
  });
  if (byteFallback && bytesSeen.size !== 256) {
    throw fail(count, `is the end: byte_fallback needs 256 byte pieces, got ${bytesSeen.size}.`);
  }
  return pieces;
}

/** Whether text can turn into this piece; the others are reserved, and reached only on purpose. */
export function isMatched(kind: PieceKind): boolean {
  return kind === 'normal' || kind === 'user-defined' || kind === 'unused';
}
