/** A model whose tables of positions are multiplied with their weights once, before it is used. */
import { type ModelRecord, projectTables } from 'onnx-grad';
import { createSession } from 'onnx-grad/node';

/** @returns the model itself where it has no such tables */
export async function withProjectedTables(model: ModelRecord, options: { readonly threads?: number }) {
  const tables = projectTables(model);
  if (tables === null) return model;
  const session = await createSession(
    tables.products,
    options.threads === undefined ? {} : { threads: options.threads },
  );
  try {
    const results = await session.run({});
    const values = Object.entries(results).map(([name, { data }]) => [name, data as Float32Array] as const);
    return tables.applyProducts(new Map(values));
  } finally {
    await session.release();
  }
}
