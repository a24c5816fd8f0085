/**
 * Rows of a table that are looked up and multiplied with a weight at every run, as DeBERTa's relative positions are in every
 * layer: all rows multiplied once, and the products looked up. Weights that contents and positions share are then read by
 * one product only, which `quantizeModel` can make smaller.
 */
import type { GraphRecord, ModelRecord, NodeRecord, TensorRecord } from '../onnx/model.ts';

const MOST_ROWS = 1024; // of a table: more would take more memory than the weights do

export interface ProjectedTables {
  /** A model without inputs whose outputs are the products. */
  readonly products: ModelRecord;
  /** @param values of these outputs @returns the model that looks them up */
  readonly applyProducts: (values: ReadonlyMap<string, Float32Array>) => ModelRecord;
}

/** @returns `null` for a model that has none */
export function projectTables(model: ModelRecord): ProjectedTables | null {
  const { graph } = model;
  const constants = constantsOf(graph);
  const producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  const tensors = new Map(graph.initializers.map((tensor) => [tensor.name, tensor]));
  const found = new Map<NodeRecord, { readonly product: NodeRecord; readonly lookUp: NodeRecord; rows: number }>();
  for (const node of graph.nodes) {
    const gather = producers.get(node.inputs[0] ?? '');
    if (!gather || !isProduct(node) || !isRowLookUp(gather)) continue;
    const [table, ids] = gather.inputs as [string, string];
    const rest = node.inputs.slice(1);
    const rows = rowsOf(table, producers, tensors);
    if (constants.has(ids) || ![table, ...rest].every((name) => constants.has(name))) continue;
    if (rows === null || rows > MOST_ROWS) continue;
    const [output] = node.outputs as [string];
    const name = `${node.inputs[1]!.replace(/\.weight$/, '')}.table${found.size}`;
    found.set(node, {
      product: { ...node, name, inputs: [table, ...rest], outputs: [name] },
      lookUp: { ...gather, name: output, inputs: [name, ids], outputs: [output] },
      rows,
    });
  }
  if (found.size === 0) return null;
  const products = [...found.values()].map(({ product }) => product);
  const outputs = products.map(({ name }) => ({ name, dtype: 'float32' as const }));
  const ofConstants = graph.nodes.filter(({ outputs }) => constants.has(outputs[0]!));
  const all = { ...graph, inputs: [], outputs, nodes: [...ofConstants, ...products] };
  return {
    products: { ...model, graph: onlyUsed(all) },
    applyProducts: (values) => {
      const made = [...found.values()].map(({ product: { name }, rows }): TensorRecord => {
        const { buffer, byteOffset, byteLength, length } = values.get(name)!;
        const data = new Uint8Array(buffer, byteOffset, byteLength);
        return { name, dtype: 'float32', dims: [rows, length / rows], data };
      });
      const nodes = graph.nodes.map((node) => found.get(node)?.lookUp ?? node);
      return { ...model, graph: onlyUsed({ ...graph, nodes, initializers: [...graph.initializers, ...made] }) };
    },
  };
}

function isProduct({ opType, attributes: { transA } }: NodeRecord): boolean {
  return opType === 'MatMul' || (opType === 'Gemm' && !(transA?.type === 'int' && transA.value !== 0));
}

function isRowLookUp({ opType, attributes: { axis } }: NodeRecord): boolean {
  return opType === 'Gather' && (axis?.type !== 'int' || axis.value === 0);
}

/** Names of values that do not depend on the model's inputs. */
function constantsOf({ initializers, nodes }: GraphRecord): Set<string> {
  const constants = new Set(['', ...initializers.map(({ name }) => name)]);
  for (const { inputs, outputs } of nodes) {
    if (inputs.length > 0 && inputs.every((name) => constants.has(name)))
      for (const name of outputs) constants.add(name);
  }
  return constants;
}

/** Rows of a matrix that is stored, or normed. */
function rowsOf(
  name: string,
  producers: ReadonlyMap<string, NodeRecord>,
  tensors: ReadonlyMap<string, TensorRecord>,
): number | null {
  const tensor = tensors.get(name);
  if (tensor) return tensor.dims.length === 2 ? tensor.dims[0]! : null;
  const producer = producers.get(name);
  return producer?.opType === 'LayerNormalization' ? rowsOf(producer.inputs[0]!, producers, tensors) : null;
}

/** Without nodes and initializers that no output needs. */
function onlyUsed(graph: GraphRecord): GraphRecord {
  const used = new Set(graph.outputs.map(({ name }) => name));
  const nodes = graph.nodes
    .toReversed()
    .filter(({ inputs, outputs }) => {
      if (!outputs.some((name) => used.has(name))) return false;
      for (const name of inputs) used.add(name);
      return true;
    })
    .reverse();
  return { ...graph, nodes, initializers: graph.initializers.filter(({ name }) => used.has(name)) };
}
