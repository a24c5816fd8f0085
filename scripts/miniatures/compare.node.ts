/** Whether two builds are the same: byte by byte, or by their weights where a processor adds up in another order. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { toFloat32 } from '@harmaug/models';
import { readFolder, readGguf } from '@harmaug/models/node';
import type { BuildName } from './build.node.ts';

/** Root mean square of the difference, as a share of the weights' own. Other sums drift apart over a thousand steps. */
export const TOLERANCE = 0.25;

export interface Comparison {
  readonly name: BuildName;
  readonly isSame: boolean;
  /** 0 where the bytes are the same. */
  readonly difference: number;
}

export async function compareBuilds(name: BuildName, kept: string, rebuilt: string): Promise<Comparison> {
  const file = name === 'student' ? 'student/model.safetensors' : `${name}.gguf`;
  const [before, after] = await Promise.all([kept, rebuilt].map((folder) => readFile(path.join(folder, file))));
  if (before!.equals(after!)) return { name, isSame: true, difference: 0 };
  const [a, b] = await Promise.all([kept, rebuilt].map((folder) => weightsOf(name, folder)));
  const difference = relativeDifference(a!, b!);
  return { name, isSame: difference <= TOLERANCE, difference };
}

async function weightsOf(name: BuildName, folder: string): Promise<ReadonlyMap<string, Float32Array>> {
  if (name !== 'student') return (await readGguf(path.join(folder, `${name}.gguf`))).weights;
  const { weights } = await readFolder(path.join(folder, 'student'));
  return new Map([...weights].map(([key, tensor]) => [key, toFloat32(tensor)]));
}

/** Infinite where names or shapes differ. */
function relativeDifference(a: ReadonlyMap<string, Float32Array>, b: ReadonlyMap<string, Float32Array>): number {
  let [squares, of] = [0, 0];
  for (const [key, values] of a) {
    const others = b.get(key);
    if (others?.length !== values.length) return Number.POSITIVE_INFINITY;
    for (const [at, value] of values.entries()) {
      squares += (value - others[at]!) ** 2;
      of += value ** 2;
    }
  }
  return a.size === b.size ? Math.sqrt(squares / of) : Number.POSITIVE_INFINITY;
}
