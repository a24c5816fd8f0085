/** Rows of a table at integer ids: a gather whose gradient touches few rows. */
import type { Value } from './graph.ts';
import {
  add,
  cast,
  equal,
  flatten2d,
  gather,
  less,
  matMul,
  mul,
  not,
  reshape,
  scatterNDAdd,
  where,
  zeros,
} from './ops.ts';

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
      return [addRows(table, ids, counted), null];
    },
  );
  const known = lookups.get(table);
  const lookup = { table, ids, rows: rows!, paddingId };
  if (known) known.push(lookup);
  else lookups.set(table, [lookup]);
  return rows!;
}

/** Rows of a table whose gradient is a product with one-hot ids; a larger one would be mostly zeros. */
const MOST_ONE_HOT = 4096;

/**
 * (V, E): the sum of the gradients of each row. onnxruntime's ScatterND (1.30) on several threads loses additions to a row
 * that comes twice, now and then; a product loses none.
 */
function addRows(table: Value, ids: Value, grad: Value): Value {
  const { graph } = table;
  const rows = Number(table.dims[0]);
  if (!(rows <= MOST_ONE_HOT)) {
    return scatterNDAdd(zeros(graph, table.dims), reshape(ids, [...ids.dims, 1]), grad);
  }
  const all = graph.integers(
    Array.from({ length: rows }, (_, row) => row),
    [rows, 1],
  );
  const flat = cast(reshape(ids, [1, -1]), 'int64');
  const fromStart = where(less(flat, graph.integers([0], [])), add(flat, graph.integers([rows], [])), flat); // -1 is the last
  const oneHot = cast(equal(all, fromStart), 'float32'); // (V, N)
  return matMul(oneHot, flatten2d(grad));
}

/** The one look-up of a table that nothing else reads, or `null`: then its gradient is that of the rows it read. */
export function onlyLookupOf(table: Value): Lookup | null {
  const readers = table.graph.nodes.filter((node) => node.inputs.includes(table));
  const found = lookups.get(table) ?? [];
  return readers.length === 1 && found.length === 1 ? found[0]! : null;
}
