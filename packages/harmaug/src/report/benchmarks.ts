/**
 * What stands in one column: results on the very same rows. Sets of one name that differ in version, rows or their hash are
 * columns of their own.
 */
import type { From } from './findings.ts';
import type { EvaluatedGuard, SavedEvaluation } from './read/evaluation.ts';

type Identity = Pick<SavedEvaluation, 'set' | 'version' | 'rows' | 'unsafe' | 'hash'>;

const keyOf = ({ set, version, rows, unsafe, hash }: Identity): string =>
  JSON.stringify([set, version, rows, unsafe, hash]);

export interface Benchmark {
  readonly key: string;
  readonly set: string;
  /** The set's name; with what tells it apart where another has the same. */
  readonly label: string;
  readonly rows: number;
  readonly unsafe: number;
  readonly version: SavedEvaluation['version'];
  readonly isOneOfSeveral: boolean;
}

/** In the order they are first met. */
export function benchmarksOf(guards: readonly Pick<EvaluatedGuard, 'sets'>[]): Benchmark[] {
  const byKey = new Map<string, Identity>();
  for (const { sets } of guards) for (const one of sets) if (!byKey.has(keyOf(one))) byKey.set(keyOf(one), one);
  const all = [...byKey];
  return all.map(([key, { set, version, rows, unsafe, hash }]) => {
    const namesakes = all.filter(([, other]) => other.set === set);
    const differ = (field: keyof Identity) => namesakes.some(([, other]) => other[field] !== namesakes[0]![1][field]);
    const apart = [
      ...(differ('version') ? [version === null ? 'no version' : `v${version}`] : []),
      ...(differ('rows') || differ('unsafe') ? [`${rows} rows, ${unsafe} unsafe`] : []),
      ...(differ('hash') ? [hash === null ? 'no hash' : `rows ${hash.slice(0, 8)}`] : []),
    ];
    const label = apart.length === 0 ? set : `${set} (${apart.join(', ')})`;
    return { key, set, label, rows, unsafe, version, isOneOfSeveral: namesakes.length > 1 };
  });
}

/** A guard's figures on the rows of a column; `null` where it was not measured there. */
export function evaluationOn(guard: Pick<EvaluatedGuard, 'sets'>, { key }: Benchmark): SavedEvaluation | null {
  return guard.sets.find((one) => keyOf(one) === key) ?? null;
}

/** Guards by a name that tells them apart; the same results given twice count once. */
export function namedGuards(guards: readonly From<EvaluatedGuard>[], nameOf: (place: string) => string) {
  const distinct = new Map(guards.map((guard) => [JSON.stringify([guard.guard, guard.about, guard.sets]), guard]));
  const names = [...distinct.values()].map(({ guard }) => nameOf(guard));
  return [...distinct.values()].map((guard, index) => {
    const isAlone = names.filter((other) => other === names[index]).length === 1;
    return { ...guard, name: isAlone ? names[index]! : `${names[index]} · ${nameOf(guard.from)}` };
  });
}

export type NamedGuard = ReturnType<typeof namedGuards>[number];
