/**
 * Types of the parts of @huggingface/tokenizers that we use. Its own declarations (0.2.0) import without file extensions,
 * which TypeScript cannot follow under NodeNext.
 */
declare module '@huggingface/tokenizers' {
  export const ReplaceNormalizer: new (config: object) => { normalize(text: string): string };
  export const ByteFallbackDecoder: LibraryDecoder;
  export const FuseDecoder: LibraryDecoder;
  export const MetaspaceDecoder: LibraryDecoder;
  export const ReplaceDecoder: LibraryDecoder;
  export const SequenceDecoder: LibraryDecoder;
  export const StripDecoder: LibraryDecoder;
  export const WordPieceDecoder: LibraryDecoder;
}

export type LibraryDecoder = new (config: object) => { decode(tokens: string[]): string };
