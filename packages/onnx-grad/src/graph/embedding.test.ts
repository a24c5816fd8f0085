import { describe, expect, it } from 'vitest';
import { embeddingLookup, onlyLookupOf } from './embedding.ts';
import { checkGradient, floats, runGraph, sumAll, type Tensor } from './gradient-check.testing.node.ts';
import { checkpoint, gradients } from './gradients.ts';
import type { Value } from './graph.ts';
import { gather, mul, tanh } from './ops.ts';
import { createGraph } from './table.ts';

const ids: Tensor = { dtype: 'int64', dims: [2, 3], data: [1, 0, 3, 3, 0, 1] };
const table = floats([4, 2], [0, 0, 10, 11, 20, 21, 30, 31]);

/** Row sums of the table's gradient where each token's row has weight 1, 2, … 6. */
async function gradientOf(look: (table: Value, ids: Value) => Value): Promise<readonly number[]> {
  const graph = createGraph();
  const inputs = {
    table: graph.input('table', 'float32', [4, 2]),
    ids: graph.input('ids', 'int64', ['batch', 'length']),
  };
  const weights = graph.input('weights', 'float32', ['batch', 'length', 1]);
  const [grad] = gradients(sumAll(mul(look(inputs.table, inputs.ids), weights)), [inputs.table]);
  const feeds = { table, ids, weights: floats([2, 3, 1], [1, 2, 3, 4, 5, 6]) };
  const { grad: found } = await runGraph(graph, { grad: grad! }, feeds);
  return found!.data;
}

describe('embeddingLookup', () => {
  it('reads the rows of the ids', async () => {
    const graph = createGraph();
    const rows = embeddingLookup(
      graph.input('table', 'float32', [4, 2]),
      graph.input('ids', 'int64', ['batch', 'length']),
    );
    expect(rows.dims).toEqual(['batch', 'length', 2]);
    const results = await runGraph(graph, { rows }, { table, ids });
    expect(results.rows).toEqual(floats([2, 3, 2], [10, 11, 0, 0, 30, 31, 30, 31, 0, 0, 10, 11]));
  });

  it('adds up the gradients of a row that is read several times', async () => {
    const expected = [2 + 5, 2 + 5, 1 + 6, 1 + 6, 0, 0, 3 + 4, 3 + 4];
    expect(await gradientOf((rows, at) => embeddingLookup(rows, at))).toEqual(expected);
    expect(await gradientOf((rows, at) => gather(rows, at))).toEqual(expected);
  });

  it('adds them up in a product, which loses none on several threads as ScatterND does, but for a very large table', () => {
    const opsOf = (rows: number) => {
      const graph = createGraph();
      const large = graph.input('table', 'float32', [rows, 2]);
      gradients(sumAll(embeddingLookup(large, graph.input('ids', 'int64', ['batch', 'length']))), [large]);
      return graph.nodes.map(({ op }) => op);
    };
    expect(opsOf(4096)).not.toContain('ScatterND');
    expect(opsOf(4097)).toContain('ScatterND');
  });

  it('gives the row of the padding id no gradient, as torch.nn.Embedding', async () => {
    expect(await gradientOf((rows, at) => embeddingLookup(rows, at, { paddingId: 0 }))).toEqual([
      0, 0, 7, 7, 0, 0, 7, 7,
    ]);
    expect(await gradientOf((rows, at) => embeddingLookup(rows, at, { paddingId: 3 }))).toEqual([
      7, 7, 7, 7, 0, 0, 0, 0,
    ]);
  });

  it('has the gradient of central differences', async () => {
    const specs = [{ dims: [4, 2] }, { dims: ['batch', 'length'], dtype: 'int64', values: ids.data } as const];
    await checkGradient(([rows, at]) => tanh(embeddingLookup(rows!, at!)), specs, { sizes: [{ batch: 2, length: 3 }] });
  });
});

describe('onlyLookupOf', () => {
  const setUp = () => {
    const graph = createGraph();
    const values = graph.input('table', 'float32', [4, 2]);
    return { values, at: graph.input('ids', 'int64', ['n']) };
  };

  it('is the look-up of a table that nothing else reads, gradients taken or not', () => {
    const { values, at } = setUp();
    const rows = embeddingLookup(values, at, { paddingId: 1 });
    expect(onlyLookupOf(values)).toEqual({ table: values, ids: at, rows, paddingId: 1 });
    gradients(sumAll(rows), [values]);
    expect(onlyLookupOf(values)?.rows).toBe(rows);
  });

  it('is null for a table read twice, read otherwise as well, or never looked up in', () => {
    const twice = setUp();
    embeddingLookup(twice.values, twice.at);
    embeddingLookup(twice.values, twice.at);
    expect(onlyLookupOf(twice.values)).toBeNull();

    const tied = setUp();
    embeddingLookup(tied.values, tied.at);
    mul(tied.values, 2);
    expect(onlyLookupOf(tied.values)).toBeNull();

    const gathered = setUp();
    gather(gathered.values, gathered.at);
    expect(onlyLookupOf(gathered.values)).toBeNull();
  });

  it('is null for a table read inside a checkpoint, which reads it again', () => {
    const { values, at } = setUp();
    const scale = values.graph.input('scale', 'float32', [2]);
    const loss = sumAll(checkpoint([scale], ([factor]) => mul(embeddingLookup(values, at), factor!)));
    gradients(loss, [values]);
    expect(onlyLookupOf(values)).toBeNull();
  });
});
