/** Rows of a table at integer ids: a gather whose gradient touches few rows. */
import type { Value } from './graph.ts';
import { cast, equal, gather, mul, not, reshape, scatterNDAdd, zeros } from './ops.ts';

/** A look-up, so that a trainer can take the gradient of the rows read instead of the whole table's. */
export interface Lookup {
  readonly table: Value;
  /** int64, any shape */
  readonly ids: Value;
  /** (...ids, size) */
  readonly rows: Value;
  readonly paddingId: number | null;
}

const lookups = new WeakMap<Value, Lookup[]>();

/**
 * @param table     (V, E)
 * @param ids       int64, any shape
 * @param paddingId an id whose row gets no gradient, as torch.nn.Embedding's padding_idx
 * @returns         (...ids, E)
 */
export function embeddingLookup(table: Value, ids: Value, { paddingId = null as number | null } = {}): Value {
  const { graph } = table;
  const [rows] = graph.macro(
    'embedding',
    [table, ids],
    () => [gather(table, ids)],
    (_, [grad]) => {
      const isReal = paddingId === null ? null : cast(not(equal(ids, graph.integers([paddingId], []))), 'float32');
      const counted = isReal ? mul(grad!, reshape(isReal, [...ids.dims, 1])) : grad!;
      return [scatterNDAdd(zeros(graph, table.dims), reshape(ids, [...ids.dims, 1]), counted), null];
    },
  );
  const known = lookups.get(table);
  const lookup = { table, ids, rows: rows!, paddingId };
  if (known) known.push(lookup);
  else lookups.set(table, [lookup]);
  return rows!;
}

/** The one look-up of a table that nothing else reads, or `null`: then its gradient is that of the rows it read. */
export function onlyLookupOf(table: Value): Lookup | null {
  const readers = table.graph.nodes.filter((node) => node.inputs.includes(table));
  const found = lookups.get(table) ?? [];
  return readers.length === 1 && found.length === 1 ? found[0]! : null;
}
