import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ShapeError } from '../errors.ts';
import type { Dim } from '../onnx/model.ts';
import {
  addDims,
  broadcastDim,
  broadcastShapes,
  ceilDivide,
  divideDims,
  evaluateDim,
  exceeds,
  expectSizes,
  formatShape,
  mulDims,
  normalizeAxis,
  productOf,
  sameShape,
  subDims,
  toDim,
  toPolynomial,
} from './dims.ts';

const plainLeaf: fc.Arbitrary<Dim> = fc.oneof(
  fc.integer({ min: -9, max: 9 }),
  fc.constantFrom('batch', 'length', 'a', 'a1', 'b_2'),
);
const functions = fc.constantFrom(ceilDivide('length', 3), exceeds('length', 4), exceeds('a', 2));

/** Any polynomial of low degree, built as programs build them. */
function polynomialOf(leaf: fc.Arbitrary<Dim>): fc.Arbitrary<Dim> {
  return fc.letrec<{ dim: Dim }>((tie) => ({
    dim: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      fc.tuple(tie('dim'), tie('dim')).map(([a, b]) => addDims(a, b)),
      fc.tuple(leaf, tie('dim')).map(([a, b]) => mulDims(a, b)),
    ),
  })).dim;
}
const plain = polynomialOf(plainLeaf);
const dim = polynomialOf(fc.oneof(plainLeaf, functions));

const sizes = fc.record({
  batch: fc.nat(9),
  length: fc.nat(9),
  a: fc.nat(9),
  a1: fc.nat(9),
  b_2: fc.nat(9),
});

/** 0 and -0 are the same size. */
function expectSame(a: Dim, b: Dim): void {
  expect(a === b ? 'same' : `${a} and ${b}`).toBe('same');
}

describe('sizes as polynomials', () => {
  it('form a commutative ring: equal sizes have equal text', () => {
    fc.assert(
      fc.property(dim, dim, dim, (a, b, c) => {
        expectSame(addDims(a, b), addDims(b, a));
        expectSame(mulDims(a, b), mulDims(b, a));
        expectSame(addDims(addDims(a, b), c), addDims(a, addDims(b, c)));
        expectSame(mulDims(mulDims(a, b), c), mulDims(a, mulDims(b, c)));
        expectSame(mulDims(a, addDims(b, c)), addDims(mulDims(a, b), mulDims(a, c)));
        expectSame(addDims(a, 0), a);
        expectSame(mulDims(a, 1), a);
        expectSame(mulDims(a, 0), 0);
        expectSame(subDims(a, a), 0);
        expectSame(addDims(subDims(a, b), b), a);
      }),
    );
  });

  it('have one text, which reads back as the same polynomial', () => {
    fc.assert(
      fc.property(dim, (a) => {
        expectSame(toDim(toPolynomial(a)), a);
      }),
    );
  });

  it('are sums, differences and products of the numbers they stand for', () => {
    fc.assert(
      fc.property(dim, dim, sizes, (a, b, known) => {
        const [x, y] = [evaluateDim(a, known), evaluateDim(b, known)];
        expect(evaluateDim(addDims(a, b), known)).toBe(x + y);
        expect(evaluateDim(subDims(a, b), known)).toBe(x - y);
        expect(evaluateDim(mulDims(a, b), known) + 0).toBe(x * y + 0);
      }),
    );
  });

  it('divide when, and only when, one is a multiple of the other', () => {
    fc.assert(
      fc.property(plain, plain, (a, b) => {
        fc.pre(b !== 0);
        expectSame(divideDims(mulDims(a, b), b)!, a);
        const quotient = divideDims(a, b);
        if (quotient !== null) expectSame(mulDims(quotient, b), a);
      }),
    );
    fc.assert(
      fc.property(dim, dim, (a, b) => {
        const quotient = divideDims(a, b);
        if (quotient !== null) expectSame(mulDims(quotient, b), a);
      }),
    );
    expect(divideDims('batch*length', 'batch')).toBe('length');
    expect(divideDims('2*a*b+4*b', 'a+2')).toBe('2*b');
    expect(divideDims('batch', 'length')).toBeNull();
    expect(divideDims('batch', 2)).toBeNull();
    expect(divideDims('2*length-1', 'length')).toBeNull();
    expect(divideDims(7, 'length')).toBeNull();
    expect(divideDims(6, 4)).toBeNull();
    expect(divideDims(6, 0)).toBeNull();
  });

  it.each<[Dim, string]>([
    [subDims(mulDims(2, 'length'), 1), '2*length-1'],
    [mulDims('length', 'batch'), 'batch*length'],
    [subDims(1, 'length'), '-length+1'],
    [mulDims(subDims('a', 1), addDims('a', 1)), 'a*a-1'],
    [addDims('b', addDims('a', 3)), 'a+b+3'],
  ])('print as people write them: %s', (size, text) => {
    expect(size).toBe(text);
  });

  it('may be functions of a name: a quotient rounded up, or whether it exceeds a number', () => {
    expect(ceilDivide('length', 64)).toBe('ceil(length/64)');
    expect(ceilDivide(65, 64)).toBe(2);
    expect(exceeds('length', 64)).toBe('(length>64)');
    expect(exceeds(64, 64)).toBe(0);
    expect(() => ceilDivide('length+1', 64)).toThrow(
      new ShapeError('A function of a size takes a number or a name, got length+1.'),
    );
    expect(mulDims('(length>64)', '(length>64)')).toBe('(length>64)'); // 0 or 1
    const padded = mulDims(ceilDivide('length', 64), 64);
    expect([1, 64, 65, 128].map((length) => evaluateDim(padded, { length }))).toEqual([64, 64, 128, 128]);
    expect([64, 65].map((length) => evaluateDim('(length>64)', { length }))).toEqual([0, 1]);
    expect(() => evaluateDim(padded, {})).toThrow(
      new ShapeError('The size "length" of 64*ceil(length/64) is not known.'),
    );
  });

  it('cannot be evaluated without each name', () => {
    expect(() => evaluateDim('batch*length', { batch: 2 })).toThrow(
      new ShapeError('The size "length" of batch*length is not known.'),
    );
  });
});

describe('expectSizes', () => {
  it('takes any polynomial we build, unless it is a negative number', () => {
    fc.assert(
      fc.property(dim, (a) => {
        fc.pre(typeof a === 'string' || a >= 0);
        expectSizes('x', [a]);
      }),
    );
  });

  it.each<[Dim, string]>([
    [-1, 'a whole number or a name'],
    [1.5, 'a whole number or a name'],
    [Number.NaN, 'a whole number or a name'],
    ['', 'a whole number or a name'],
    ['batch size', 'a whole number or a name'],
    ['2length', 'a whole number or a name'],
    ['length/2', 'a whole number or a name'],
    ['ceil(length/2)/3', 'a whole number or a name'],
    ['(length*2>3)', 'a whole number or a name'],
    ['(a>3)*(a>3)', '"(a>3)"'],
    ['a++b', 'a whole number or a name'],
    ['seq-len', '"-len+seq"'],
    ['length*batch', '"batch*length"'],
    ['12', '12'],
  ])('refuses %j', (size, expected) => {
    const message = `x: ${JSON.stringify(size)} in (2, ${size}) is not a size, expected ${expected}.`;
    expect(() => expectSizes('x', [2, size])).toThrow(new ShapeError(message));
  });
});

describe('shapes', () => {
  it('broadcast by the rules of ONNX, whatever is named', () => {
    expect(broadcastShapes('Add', ['batch', 1, 3], ['length', 1], [])).toEqual(['batch', 'length', 3]);
    expect(broadcastShapes('Add')).toEqual([]);
    expect(broadcastDim('batch', 1)).toBe('batch');
    expect(broadcastDim('batch', 2)).toBeNull();
    expect(broadcastDim(0, 1)).toBe(0);
    expect(() => broadcastShapes('Add', ['batch'], ['length'])).toThrow(
      new ShapeError('Add: (batch) and (length) do not broadcast.'),
    );
  });

  it('multiply, compare and print', () => {
    expect(productOf([])).toBe(1);
    expect(productOf(['length', 2, 'batch'])).toBe('2*batch*length');
    expect(sameShape(['batch', 2], ['batch', 2])).toBe(true);
    expect(sameShape(['batch', 2], ['batch'])).toBe(false);
    expect(formatShape(['batch', 2])).toBe('(batch, 2)');
  });

  it('count negative axes from the end', () => {
    expect(normalizeAxis('Softmax', -1, 3)).toBe(2);
    for (const axis of [3, -4, 0.5]) {
      expect(() => normalizeAxis('Softmax', axis, 3)).toThrow(
        new ShapeError(`Softmax: axis ${axis} is outside a tensor of rank 3.`),
      );
    }
  });
});
