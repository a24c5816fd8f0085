/** Lines of many points drawn with few, looking the same. */

export type Point = readonly [x: number, y: number];

/**
 * Douglas and Peucker's: points are left out that lie nearer to the line than can be seen. The ends stay.
 * @param most points; the distance grows until they are no more
 */
export function thinLine(points: readonly Point[], most = 300): Point[] {
  if (points.length <= 2) return [...points];
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const [width, height] = [rangeOf(xs) || 1, rangeOf(ys) || 1];
  for (let distance = 0.0005; ; distance *= 2) {
    const kept = keep(points, width, height, distance);
    if (kept.length <= most) return kept;
  }
}

function rangeOf(values: readonly number[]): number {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return high - low;
}

function keep(points: readonly Point[], width: number, height: number, distance: number): Point[] {
  const isKept = new Uint8Array(points.length);
  isKept[0] = isKept[points.length - 1] = 1;
  const pending: [number, number][] = [[0, points.length - 1]];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [from, to] = next;
    const [ax, ay] = points[from]!;
    const [dx, dy] = [(points[to]![0] - ax) / width, (points[to]![1] - ay) / height];
    const length = Math.hypot(dx, dy);
    let [farthest, at] = [distance, -1];
    for (let index = from + 1; index < to; index++) {
      const [px, py] = [(points[index]![0] - ax) / width, (points[index]![1] - ay) / height];
      const away = length === 0 ? Math.hypot(px, py) : Math.abs(dx * py - dy * px) / length;
      if (away > farthest) [farthest, at] = [away, index];
    }
    if (at < 0) continue;
    isKept[at] = 1;
    pending.push([from, at], [at, to]);
  }
  return points.filter((_, index) => isKept[index] === 1);
}

/** The lowest and the highest point of each of `buckets` equal parts, in order: noise keeps its width. */
export function thinNoise(points: readonly Point[], buckets = 150): Point[] {
  if (points.length <= 2 * buckets) return [...points];
  const size = points.length / buckets;
  return Array.from({ length: buckets }, (_, bucket) => {
    const part = points.slice(Math.floor(bucket * size), Math.floor((bucket + 1) * size));
    const low = part.reduce((a, b) => (b[1] < a[1] ? b : a));
    const high = part.reduce((a, b) => (b[1] > a[1] ? b : a));
    return low === high ? [low] : low[0] < high[0] ? [low, high] : [high, low];
  }).flat();
}

/** Exponential average over about `window` points. */
export function smooth(points: readonly Point[], window: number): Point[] {
  const weight = 2 / (Math.max(1, window) + 1);
  let [sum, total] = [0, 0]; // so that the first points count as much as others
  return points.map(([x, y]) => {
    sum = (1 - weight) * sum + weight * y;
    total = (1 - weight) * total + weight;
    return [x, sum / total];
  });
}

/** About `most` of the list, evenly spaced. */
export function some<Value>(values: readonly Value[], most: number): Value[] {
  if (values.length <= most) return [...values];
  return Array.from({ length: most }, (_, at) => values[Math.floor((at * values.length) / most)]!);
}
