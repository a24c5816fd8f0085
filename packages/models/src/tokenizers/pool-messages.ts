import type { Encoded, EncodeOptions } from './tokenizer.ts';

/** What a pool and its workers say to each other. Results travel as typed arrays whose memory changes hands. */

/** A text, or two that belong together. */
export type TextOrPair = string | readonly [text: string, pair: string];

/** One encoded text. The arrays are views of memory that its whole batch shares. */
export interface EncodedArrays {
  readonly ids: Int32Array;
  readonly typeIds: Uint8Array;
  readonly removedTokens: number;
}

export interface EncodeRequest {
  readonly job: number;
  readonly texts: readonly TextOrPair[];
  readonly options: EncodeOptions;
}

/** All texts of one job end to end. */
export interface PackedBatch {
  readonly lengths: Int32Array;
  readonly removedTokens: Int32Array;
  readonly ids: Int32Array;
  readonly typeIds: Uint8Array;
}

export type WorkerMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'encoded'; readonly job: number; readonly batch: PackedBatch }
  | { readonly kind: 'failed'; readonly job: number; readonly name: string; readonly message: string };

export function packBatch(encoded: readonly Encoded[]): PackedBatch {
  const total = encoded.reduce((sum, { ids }) => sum + ids.length, 0);
  const batch = {
    lengths: Int32Array.from(encoded, ({ ids }) => ids.length),
    removedTokens: Int32Array.from(encoded, ({ removedTokens }) => removedTokens),
    ids: new Int32Array(total),
    typeIds: new Uint8Array(total),
  };
  let position = 0;
  for (const { ids, typeIds } of encoded) {
    batch.ids.set(ids, position);
    batch.typeIds.set(typeIds, position);
    position += ids.length;
  }
  return batch;
}

export function unpackBatch({ lengths, removedTokens, ids, typeIds }: PackedBatch): EncodedArrays[] {
  let end = 0;
  return Array.from(lengths, (length, i) => {
    const begin = end;
    end += length;
    return {
      ids: ids.subarray(begin, end),
      typeIds: typeIds.subarray(begin, end),
      removedTokens: removedTokens[i]!,
    };
  });
}
