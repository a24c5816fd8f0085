/** Charts drawn without a browser, and the few points that stand for many. */
import { describe, expect, test } from 'vitest';
import { type Point, smooth, some, thinLine, thinNoise } from '../thin.ts';
import { chart, figure, Plot } from './plot.ts';

const HOSTILE = '</script><img src=x onerror=alert(1)>"\'&\u0000\u202e';

describe('chart', () => {
  test('escapes names wherever they stand', () => {
    const drawn = chart({
      label: HOSTILE,
      marks: [
        Plot.dot([[1, HOSTILE]], { x: '0', y: '1' }),
        Plot.text([[1, HOSTILE]], { x: '0', y: '1', text: '1', title: '1' }),
      ],
    });
    const { text } = figure(HOSTILE, drawn, HOSTILE);
    expect(text).not.toMatch(/<(?:img|script|\/script)/);
    expect(text).toContain('&lt;img');
    expect(text).not.toMatch(/[\0\u202e]/);
  });

  test('has no style, script or address of its own', () => {
    const { text } = chart({
      label: 'line',
      marks: [
        Plot.line([
          [0, 0],
          [1, 1],
        ] as Point[]),
      ],
    });
    expect(text).toMatch(/^<svg aria-label="line" [^>]*role="img"/);
    expect(text).not.toMatch(/<style|<script|style=|https?:/);
  });
});

describe('thinLine', () => {
  const staircase = Array.from({ length: 100_000 }, (_, at): Point => [at / 100_000, Math.floor(at / 7) / 14_300]);

  test('keeps ends and corners, and lies where the line lay', () => {
    const corner: Point[] = [
      ...Array.from({ length: 500 }, (_, at): Point => [at, 0]),
      ...Array.from({ length: 500 }, (_, at): Point => [500, at]),
    ];
    expect(thinLine(corner)).toEqual([
      [0, 0],
      [500, 0],
      [500, 499],
    ]);
    const wave = Array.from({ length: 5000 }, (_, at): Point => [at, Math.sin(at / 400)]);
    const thin = thinLine(wave);
    expect(thin.length).toBeLessThan(200);
    for (const [x, y] of wave) {
      const after = thin.findIndex(([other]) => other >= x);
      const [[ax, ay], [bx, by]] = [thin[Math.max(0, after - 1)]!, thin[after]!];
      const between = bx === ax ? by : ay + ((by - ay) * (x - ax)) / (bx - ax);
      expect(Math.abs(between - y)).toBeLessThan(0.004); // of 2: under half a pixel
    }
  });

  test('has at most as many points as asked for', () => {
    const noise = Array.from({ length: 20_000 }, (_, at): Point => [at, (Math.sin(at * 12.9898) * 43_758.5453) % 1]);
    for (const line of [staircase, noise]) expect(thinLine(line, 300).length).toBeLessThanOrEqual(300);
    expect(thinLine([[1, 2]])).toEqual([[1, 2]]);
    expect(thinLine([])).toEqual([]);
  });
});

test('thinNoise keeps the lowest and the highest of every part', () => {
  const noise = Array.from({ length: 3000 }, (_, at): Point => [at, at === 1234 ? 9 : at === 2001 ? -9 : at % 3]);
  const thin = thinNoise(noise, 100);
  expect(thin.length).toBeLessThanOrEqual(200);
  expect(thin).toContainEqual([1234, 9]);
  expect(thin).toContainEqual([2001, -9]);
  expect(thin.map(([x]) => x)).toEqual(thin.map(([x]) => x).sort((a, b) => a - b));
});

test('smooth gives the mean of what is constant, from the first point on', () => {
  expect(
    smooth(
      [
        [0, 4],
        [1, 4],
        [2, 4],
      ],
      9,
    ).map(([, y]) => y),
  ).toEqual([4, 4, 4].map((y) => expect.closeTo(y, 12)));
});

test('some are spread over the whole list', () => {
  expect(some([1, 2, 3], 9)).toEqual([1, 2, 3]);
  expect(
    some(
      Array.from({ length: 100 }, (_, at) => at),
      4,
    ),
  ).toEqual([0, 25, 50, 75]);
});
