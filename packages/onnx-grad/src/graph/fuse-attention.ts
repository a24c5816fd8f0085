/**
 * For use alone: attention, which for its gradient is spelled out product by product, as onnxruntime's one operation. Of
 * the passes over queries, keys, values and scores that leaves the ones that are needed.
 */
import type { Dim } from '../onnx/model.ts';
import { type Copied, Copier } from './copier.ts';
import { reachable } from './emit.ts';
import type { Graph, Macro, Node, Value } from './graph.ts';
import type { OpAttributes } from './op-types.ts';
import { expand, reshape } from './ops.ts';

/** A value (B, H, T, D) and the matrix (B·T, H·D) that it was split from. */
interface Split {
  readonly matrix: Value;
  readonly dims: readonly [batch: Dim, heads: number, length: Dim, headSize: number];
}

/** The same outputs in a new graph. Attention whose inputs were no matrices split into heads stays as it is. */
export function fuseAttention(graph: Graph, outputs: ReadonlyMap<string, Value>): Copied {
  const copier = new Copier(graph);
  const macros = new Map(graph.macros.filter(isAttention).map((macro) => [macro.outputs[0]!, macro]));
  const fused = new Map<Value, Value>(); // (B, H, T, D) of the old graph -> (B, T, H·D) of the new
  const biases = new Map<string, Value>(); // layers share them
  for (const node of reachable(graph, [...outputs.values()])) {
    const [output] = node.outputs as [Value];
    const macro = macros.get(output);
    const merged = macro && oneOperation(macro, copier, biases);
    if (merged) fused.set(output, merged);
    const source = isHeadSwap(node) ? fused.get(node.inputs[0]!) : undefined;
    if (source) copier.set(output, reshape(source, output.dims));
    else copier.copy(node);
  }
  return copier.finish(outputs);
}

const isAttention = ({ name, nodes }: Macro) => name === 'attention' && nodes[0]?.op === 'FusedMatMul';

function isHeadSwap({ op, attributes }: Node): boolean {
  return op === 'Transpose' && (attributes as OpAttributes['Transpose']).perm.join() === '0,2,1,3';
}

/** `null` where an input was no matrix split into heads. */
function oneOperation({ inputs, nodes }: Macro, copier: Copier, biases: Map<string, Value>): Value | null {
  const [query, key, value, ...terms] = inputs as [Value, Value, Value, ...Value[]];
  const [q, k, v] = [splitOf(query), splitOf(key), splitOf(value)];
  if (!q || !k || !v || terms.length > 1) return null;
  const [batch, heads, length] = q.dims;
  const keyLength = k.dims[2];
  const rows = ({ matrix, dims }: Split) => reshape(copier.of(matrix), [batch, dims[2], heads * dims[3]]);
  const { alpha = 1 } = nodes[0]!.attributes as OpAttributes['FusedMatMul'];
  const factors = [rows(q), rows(k), rows(v)];
  const [term] = terms;
  if (!term) return copier.graph.node('MultiHeadAttention', factors, { heads, scale: alpha })[0]!;
  const dims = [...term.dims.slice(0, 2), length, keyLength];
  const place = `${term.name} ${dims.join()}`;
  const bias = biases.get(place) ?? expand(copier.of(term), dims);
  biases.set(place, bias);
  return copier.graph.node('MultiHeadAttention', [...factors, null, null, bias], { heads, scale: alpha })[0]!;
}

/** What `splitHeads` makes: Transpose(Reshape(matrix)). */
function splitOf(value: Value): Split | null {
  const swap = value.producer;
  if (!swap || !isHeadSwap(swap)) return null;
  const parted = swap.inputs[0]!.producer;
  const matrix = parted?.op === 'Reshape' ? parted.inputs[0]! : null;
  return matrix?.dims.length === 2 ? { matrix, dims: value.dims as Split['dims'] } : null;
}
