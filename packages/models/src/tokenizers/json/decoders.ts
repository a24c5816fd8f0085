import {
  ByteFallbackDecoder,
  FuseDecoder,
  MetaspaceDecoder,
  ReplaceDecoder,
  SequenceDecoder,
  StripDecoder,
  WordPieceDecoder,
} from '@huggingface/tokenizers';
import type { JsonObject } from '../../files/json.ts';
import { fromByteLevel } from '../byte-level.ts';
import { build, type ComponentPlace, componentList, fieldError } from './components.ts';
import type { LibraryDecoder } from './library.ts';

/**
 * The "decoder" of a tokenizer.json: tokens back to text. These are the parts of @huggingface/tokenizers but for ByteLevel,
 * whose own (0.2.0) loses characters of added tokens.
 */
export type Decoder = (tokens: string[]) => string;

const library = (Part: LibraryDecoder) => (config: JsonObject, place: ComponentPlace) => {
  try {
    const part = new Part(config);
    part.decode(['a']); // settings it cannot work with show here, not at the first text
    return (tokens: string[]) => part.decode(tokens);
  } catch (cause) {
    throw fieldError(place, 'type', 'has settings the decoder cannot work with.', cause);
  }
};

const decoders: { readonly [type: string]: (config: JsonObject, place: ComponentPlace) => Decoder } = {
  WordPiece: library(WordPieceDecoder),
  Metaspace: library(MetaspaceDecoder),
  ByteLevel: () => fromByteLevel,
  ByteFallback: library(ByteFallbackDecoder),
  Fuse: library(FuseDecoder),
  Strip: library(StripDecoder),
  Replace: library(ReplaceDecoder),
  Sequence: (config, place) => {
    for (const [value, here] of componentList(config, 'decoders', place)) createDecoder(value, here); // checked one by one
    return library(SequenceDecoder)(config, place);
  },
};

/** @throws FormatError naming the field */
export function createDecoder(value: unknown, place: ComponentPlace): Decoder {
  if (value === null || value === undefined) return (tokens) => tokens.join(' ');
  return build(decoders, value, place);
}
