/** Rows together with disguised copies of them. */
import type { Row } from '../data/row.ts';
import { applyTransform } from './apply.ts';

export interface WithCopies {
  /** The rows as they were, then the copies, transform after transform. */
  readonly rows: readonly Row[];
  /** What a copy was made from. */
  readonly originals: ReadonlyMap<Row, Row>;
}

/**
 * @param specs `caesar:3`, one set of copies for each; none that asks a language model
 * @throws ConfigError for a spec that is none
 */
export async function withCopies(
  rows: readonly Row[],
  specs: readonly string[],
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<WithCopies> {
  const originals = new Map<Row, Row>();
  const all = [...rows];
  for (const spec of specs) {
    const { signal } = options;
    const copies = await applyTransform(rows, spec, signal === undefined ? {} : { signal });
    copies.rows.forEach((copy, index) => {
      originals.set(copy, copies.originals[index]!);
      all.push(copy);
    });
  }
  return { rows: all, originals };
}
