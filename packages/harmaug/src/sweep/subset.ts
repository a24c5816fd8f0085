/** Parts of a set that lie within each other: what is drawn for 20,000 rows is among what is drawn for 40,000. */
import { mulberry32 } from '@harmaug/models';
import { ConfigError } from 'onnx-grad';

const SUBSET_SEED = 0; // the same parts whatever a run's seed, as with the held-out rows

/**
 * `count` of the rows, in the order they had.
 * @throws ConfigError where there are fewer
 */
export function nestedSubset<T>(rows: readonly T[], count: number, what: string): T[] {
  if (count > rows.length)
    throw new ConfigError(`${what}: expected at most the ${rows.length} rows there are, got ${count}.`);
  const uniform = mulberry32(SUBSET_SEED);
  const drawn = rows.map((_, row) => ({ row, key: uniform() })).sort((a, b) => a.key - b.key || a.row - b.row);
  const chosen = new Set(drawn.slice(0, count).map(({ row }) => row));
  return rows.filter((_, row) => chosen.has(row));
}
