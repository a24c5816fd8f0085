/**
 * The order of the rows of queries and keys. Rotary positions turn features in pairs: transformers pairs feature i of a
 * head with feature i + D/2, ggml's rope of type NORM each with its neighbour, so that the rows of Llama's projections lie
 * differently in a GGUF. Row 2i + j there is row j·D/2 + i here, j being 0 or 1.
 *
 * Source: llama.cpp, conversion/llama.py `permute`
 */
export interface Heads {
  readonly heads: number;
  /** D, rows a head. */
  readonly headSize: number;
}

/** From transformers' order to ggml's. @param values (H·D, columns), or a bias of H·D */
export function interleave(values: Float32Array, heads: Heads): Float32Array {
  return moveRows(values, heads, (apart, paired) => ({ from: apart, to: paired }));
}

/** From ggml's order to transformers'. */
export function separate(values: Float32Array, heads: Heads): Float32Array {
  return moveRows(values, heads, (apart, paired) => ({ from: paired, to: apart }));
}

function moveRows(
  values: Float32Array,
  { heads, headSize }: Heads,
  direction: (apart: number, paired: number) => { readonly from: number; readonly to: number },
): Float32Array {
  const columns = values.length / (heads * headSize);
  const half = headSize / 2;
  const moved = new Float32Array(values.length);
  for (let head = 0; head < heads; head++) {
    for (let i = 0; i < half; i++) {
      for (let j = 0; j < 2; j++) {
        const first = head * headSize;
        const { from, to } = direction(first + j * half + i, first + 2 * i + j);
        moved.set(values.subarray(from * columns, (from + 1) * columns), to * columns);
      }
    }
  }
  return moved;
}
