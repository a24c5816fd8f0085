/** Letters with something between every two: "h o w", "h.o.w", "h-o-w t-o". */
import { bitsOf, countPairs } from './fluency.ts';
import { type Decode, decodeMatches, join } from './view.ts';

const RUN = /(?<![\p{L}\p{N}])[\p{L}\p{N}](?:[\s.,_*|~-]{1,6}[^\s.,_*|~-](?![\p{L}\p{N}])){5,}/gu;
const MOST_BITS = 4.8; // a list of letters, "A B C D E F", has more

export const decodeSpaced: Decode = (text) => join(decodeMatches(text, RUN, ofSpaced), ' ');

function ofSpaced(match: string): string | null {
  const parts = [...match.matchAll(/([^\s.,_*|~-])([\s.,_*|~-]*)/gu)].map(([, letter, gap]) => ({ letter, gap: gap! }));
  const usual = mostCommon(parts.slice(0, -1).map(({ gap }) => gap));
  const isWordGap = (gap: string) => gap.length > usual.length || (gap.trim() === '' && usual.trim() !== '');
  const text = parts.map(({ letter, gap }) => letter + (isWordGap(gap) ? ' ' : '')).join('');
  const pairs = countPairs(text);
  return pairs.letters >= 0.7 * parts.length && bitsOf(pairs) <= MOST_BITS ? text.trim() : null;
}

function mostCommon(gaps: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const gap of gaps) counts.set(gap, (counts.get(gap) ?? 0) + 1);
  return [...counts].reduce((best, one) => (one[1] > best[1] ? one : best))[0];
}
