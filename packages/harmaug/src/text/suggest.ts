/** "Did you mean": the closest of the names there are. */

/** The sentence about a name that does not exist. */
export function unknownName(what: string, got: string, available: readonly string[]): string {
  const close = closest(got, available);
  const hint = close === undefined ? '' : ` Did you mean "${close}"?`;
  return `Unknown ${what} "${got.slice(0, 80)}".${hint} Available: ${available.join(', ')}.`;
}

/** The name with the fewest edits, if they are few, or the one that begins or is begun by what was written. */
export function closest(got: string, names: readonly string[]): string | undefined {
  const limit = Math.max(2, Math.floor(got.length / 3));
  const ranked = names
    .map((name) => ({ name, edits: editDistance(got.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits);
  if (ranked[0] !== undefined && ranked[0].edits <= limit) return ranked[0].name;
  if (got.length < 3) return undefined;
  return (ranked.find(({ name }) => name.startsWith(got)) ?? ranked.find(({ name }) => got.startsWith(name)))?.name;
}

/** Insertions, deletions and replacements from `a` to `b` (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length]!;
}
