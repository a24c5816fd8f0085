/**
 * Sizes known only when the graph runs, as polynomials over named dimensions: `'batch'`, `'batch*length'`, `'2*length-1'`.
 * Equal sizes have equal text, so shapes are compared as text and print as people write them.
 *
 * Two functions of a name count as names too: `'ceil(length/64)'`, and `'(length>64)'`, which is 1 or 0 and therefore its
 * own square. With them a size can depend on the length by pieces, and the algebra still shows that shapes fit.
 */
import { ShapeError } from '../errors.ts';
import type { Dim } from '../onnx/model.ts';

/** Coefficient by product of names; the constant term's product is ''. No coefficient is 0. */
export type Polynomial = ReadonlyMap<string, number>;

export function toPolynomial(dim: Dim): Polynomial {
  if (typeof dim === 'number') return dim === 0 ? new Map() : new Map([['', dim]]);
  const terms = new Map<string, number>();
  for (const term of dim.replaceAll('-', '+-').split('+')) {
    if (term === '') continue;
    let coefficient = 1;
    const names: string[] = [];
    for (const factor of term.split('*')) {
      const sign = factor.startsWith('-') ? -1 : 1;
      const text = sign < 0 ? factor.slice(1) : factor;
      const isNumber = /^\d+$/.test(text);
      coefficient *= sign * (isNumber ? Number(text) : 1);
      if (!isNumber) names.push(text);
    }
    accumulate(terms, productOfNames(names), coefficient);
  }
  return terms;
}

export function toDim(polynomial: Polynomial): Dim {
  const terms = [...polynomial].sort(([a], [b]) => (a === '' ? 1 : b === '' ? -1 : a < b ? -1 : 1));
  if (terms.length === 0) return 0;
  if (terms.length === 1 && terms[0]![0] === '') return terms[0]![1];
  const texts = terms.map(([names, coefficient]) => {
    if (names === '') return String(coefficient);
    if (coefficient === 1) return names;
    return coefficient === -1 ? `-${names}` : `${coefficient}*${names}`;
  });
  return texts.join('+').replaceAll('+-', '-');
}

export function addDims(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  const sum = new Map(toPolynomial(a));
  for (const [names, coefficient] of toPolynomial(b)) accumulate(sum, names, coefficient);
  return toDim(sum);
}

export function mulDims(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a * b;
  const product = new Map<string, number>();
  for (const [namesA, x] of toPolynomial(a)) {
    for (const [namesB, y] of toPolynomial(b)) {
      accumulate(product, productOfNames([...factorsOf(namesA), ...factorsOf(namesB)]), x * y);
    }
  }
  return toDim(product);
}

/** `a - b`. */
export function subDims(a: Dim, b: Dim): Dim {
  return addDims(a, mulDims(-1, b));
}

/** The quotient when `total` is a whole multiple of `part`, else `null`; also where it takes `(a>n)` to see it. */
export function divideDims(total: Dim, part: Dim): Dim | null {
  if (part === 0) return null;
  const divisor = leadingTerm(part);
  let quotient: Dim = 0;
  for (let rest = total; rest !== 0; ) {
    const leading = leadingTerm(rest);
    const term = divideTerms(leading, divisor);
    if (term === null) return null;
    quotient = addDims(quotient, term);
    rest = subDims(rest, mulDims(term, part));
    if (toPolynomial(rest).has(leading[0])) return null; // a square that is no square: the term did not cancel
  }
  return quotient;
}

/** ⌈dim / divisor⌉ of a number or a name. @throws ShapeError for any other size */
export function ceilDivide(dim: Dim, divisor: number): Dim {
  return typeof dim === 'number' ? Math.ceil(dim / divisor) : `ceil(${plainName(dim)}/${divisor})`;
}

/** 1 where a number or a name is greater than `limit`, else 0. @throws ShapeError for any other size */
export function exceeds(dim: Dim, limit: number): Dim {
  return typeof dim === 'number' ? Number(dim > limit) : `(${plainName(dim)}>${limit})`;
}

function plainName(dim: string): string {
  if (/^[A-Za-z_]\w*$/.test(dim)) return dim;
  throw new ShapeError(`A function of a size takes a number or a name, got ${dim}.`);
}

/** A name that is a function of another. */
export interface SizeFunction {
  readonly kind: 'ceil' | 'exceeds';
  readonly of: string;
  /** The divisor, or the limit. */
  readonly by: number;
}

const FUNCTION = /^(?:ceil\((\w+)\/(\d+)\)|\((\w+)>(\d+)\))$/;

/** What a name stands for where it is a function, or `null` for a plain name. */
export function functionOf(name: string): SizeFunction | null {
  const [, divided, divisor, compared, limit] = FUNCTION.exec(name) ?? [];
  if (divided !== undefined) return { kind: 'ceil', of: divided, by: Number(divisor) };
  return compared === undefined ? null : { kind: 'exceeds', of: compared, by: Number(limit) };
}

/** The size once the names have values. @throws ShapeError when one is missing. */
export function evaluateDim(dim: Dim, sizes: Readonly<Record<string, number>>): number {
  let sum = 0;
  for (const [names, coefficient] of toPolynomial(dim)) {
    sum += factorsOf(names).reduce((product, name) => product * valueOfName(name, dim, sizes), coefficient);
  }
  return sum;
}

function valueOfName(name: string, dim: Dim, sizes: Readonly<Record<string, number>>): number {
  const rule = functionOf(name);
  const size = sizes[rule?.of ?? name];
  if (size === undefined) throw new ShapeError(`The size "${rule?.of ?? name}" of ${dim} is not known.`);
  if (rule === null) return size;
  return Number(rule.kind === 'ceil' ? ceilDivide(size, rule.by) : exceeds(size, rule.by));
}

export function productOf(dims: readonly Dim[]): Dim {
  return dims.reduce(mulDims, 1);
}

/** The size both have after broadcasting, by ONNX's rules. `null` when they do not fit or it cannot be told. */
export function broadcastDim(a: Dim, b: Dim): Dim | null {
  if (a === b || b === 1) return a;
  return a === 1 ? b : null;
}

/** @throws ShapeError naming the operation when the shapes do not broadcast. */
export function broadcastShapes(op: string, ...shapes: (readonly Dim[])[]): Dim[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    let size: Dim = 1;
    for (const shape of shapes) {
      const next = broadcastDim(size, shape[axis - rank + shape.length] ?? 1);
      if (next === null) throw new ShapeError(`${op}: ${shapes.map(formatShape).join(' and ')} do not broadcast.`);
      size = next;
    }
    return size;
  });
}

// a sum of products of whole numbers, names and functions of a name
const NAME = '[A-Za-z_]\\w*';
const FACTOR = `(\\d+|${NAME}|ceil\\(${NAME}/\\d+\\)|\\(${NAME}>\\d+\\))`;
const POLYNOMIAL = new RegExp(`^-?${FACTOR}([-+*]${FACTOR})*$`);

/** @throws ShapeError unless every size is a whole number from 0 up, a name, or a polynomial written as `toDim` does. */
export function expectSizes(what: string, dims: readonly Dim[]): void {
  for (const dim of dims) {
    if (
      typeof dim === 'number' ? Number.isSafeInteger(dim) && dim >= 0 : POLYNOMIAL.test(dim) && canonical(dim) === dim
    )
      continue;
    const remedy =
      typeof dim === 'string' && POLYNOMIAL.test(dim) ? JSON.stringify(canonical(dim)) : 'a whole number or a name';
    throw new ShapeError(`${what}: ${JSON.stringify(dim)} in ${formatShape(dims)} is not a size, expected ${remedy}.`);
  }
}

function canonical(text: string): Dim {
  return toDim(toPolynomial(text));
}

export function formatShape(dims: readonly Dim[]): string {
  return `(${dims.join(', ')})`;
}

export function sameShape(a: readonly Dim[], b: readonly Dim[]): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === b[axis]);
}

/** A negative axis counts from the end. @throws ShapeError outside the rank. */
export function normalizeAxis(op: string, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    throw new ShapeError(`${op}: axis ${axis} is outside a tensor of rank ${rank}.`);
  }
  return axis < 0 ? axis + rank : axis;
}

type Term = readonly [names: string, coefficient: number];

/** The greatest term by the order of exponents, name by name: an order that products keep. */
function leadingTerm(dim: Dim): Term {
  return [...toPolynomial(dim)].reduce((a, b) => (isGreater(factorsOf(a[0]), factorsOf(b[0])) ? a : b));
}

/** Names are sorted, so more of an earlier name is greater, and so is more of the same. */
function isGreater(a: readonly string[], b: readonly string[]): boolean {
  const at = a.findIndex((name, index) => name !== b[index]);
  return at >= 0 && (b[at] === undefined || a[at]! < b[at]);
}

function divideTerms([names, coefficient]: Term, [divisorNames, divisor]: Term): Dim | null {
  const rest = factorsOf(names);
  for (const name of factorsOf(divisorNames)) {
    const at = rest.indexOf(name);
    if (at < 0) return null;
    rest.splice(at, 1);
  }
  return coefficient % divisor === 0 ? toDim(new Map([[rest.join('*'), coefficient / divisor]])) : null;
}

/** The product of names as its key; of a name that is 0 or 1 once is enough. */
function productOfNames(names: readonly string[]): string {
  const sorted = [...names].sort();
  return sorted.filter((name, index) => !(name.startsWith('(') && name === sorted[index - 1])).join('*');
}

/** The names a product is of. */
export function factorsOf(names: string): string[] {
  return names === '' ? [] : names.split('*');
}

function accumulate(terms: Map<string, number>, names: string, coefficient: number): void {
  const sum = (terms.get(names) ?? 0) + coefficient;
  if (sum === 0) terms.delete(names);
  else terms.set(names, sum);
}
