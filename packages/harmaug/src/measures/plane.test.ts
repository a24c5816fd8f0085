/** The plane of most variance. */
import { expect, test } from 'vitest';
import { project } from './plane.ts';

/** Points on an ellipse in three of five dimensions, turned: its axes have standard deviations of 3, 1 and 0.1. */
function ellipsoid(count: number): Float32Array[] {
  const [u, v, w] = [
    [0.6, 0.8, 0, 0, 0],
    [-0.8, 0.6, 0, 0, 0],
    [0, 0, 0, 1, 0],
  ] as const;
  return Array.from({ length: count }, (_, at) => {
    const [a, b, c] = [Math.sin(at), Math.sin(at * 1.7 + 1), Math.sin(at * 2.9 + 2)];
    return Float32Array.from({ length: 5 }, (_, axis) => 3 * a * u[axis]! + b * v[axis]! + 0.1 * c * w[axis]! + 7);
  });
}

test('finds the two broadest directions and their share of the variance', () => {
  const vectors = ellipsoid(2000);
  const { explained, points } = project(vectors);
  expect(explained[0]).toBeCloseTo(9 / 10.01, 2);
  expect(explained[1]).toBeCloseTo(1 / 10.01, 2);
  const along = vectors.map((vector) => 0.6 * (vector[0]! - 7) + 0.8 * (vector[1]! - 7));
  const mean = along.reduce((a, b) => a + b) / along.length;
  const off = points.map(([x], row) => Math.abs(x - (along[row]! - mean)));
  expect(Math.max(...off)).toBeLessThan(0.05);
  const product = points.reduce((sum, [x, y]) => sum + x * y, 0) / points.length;
  expect(Math.abs(product)).toBeLessThan(1e-3); // at right angles
});

test('gives the same plane every time, and 0 where nothing differs', () => {
  expect(project(ellipsoid(50))).toEqual(project(ellipsoid(50)));
  const same = [1, 2, 3].map(() => Float32Array.of(1, 2));
  expect(project(same)).toEqual({
    explained: [0, 0],
    points: [
      [0, 0],
      [0, 0],
      [0, 0],
    ],
  });
  expect(project([])).toEqual({ explained: [0, 0], points: [] });
});
