/** A mean of two sets of weights. */

/** Values by parameter name. */
export type Weights = ReadonlyMap<string, Float32Array>;

/** `share` of the first, 0 to 1, the rest of the second, which has the same parameters. */
export function meanWeights(first: Weights, second: Weights, share: number): Weights {
  return new Map(
    [...first].map(([name, values]) => {
      const others = second.get(name)!;
      return [name, values.map((value, at) => share * value + (1 - share) * others[at]!)];
    }),
  );
}
