import { expect, it } from 'vitest';
import * as ops from './ops.ts';
import { elementwise } from './rules/elementwise.ts';
import { fused } from './rules/fused.ts';
import { indexing } from './rules/indexing.ts';
import { int8 } from './rules/int8.ts';
import { layout } from './rules/layout.ts';
import { products } from './rules/products.ts';
import { reductions } from './rules/reductions.ts';
import { rotary } from './rules/rotary.ts';
import { opTable } from './table.ts';

it('has every operation in one of the tables whose rows are tested', () => {
  // fused: in fuse-attention.test.ts; int8: in lower-int8.test.ts
  const tables = [elementwise, products, reductions, rotary, layout, indexing, fused, int8];
  const names = tables.flatMap((table) => Object.keys(table));
  expect(names.toSorted()).toEqual(Object.keys(opTable).toSorted());
});

it('has an operation for every function named after one', () => {
  const known = new Set(Object.keys(opTable).map((op) => op.toLowerCase()));
  const own = ['flatten2d', 'orderAfter', 'scatterElementsAdd', 'scatterNDAdd', 'shapeOf', 'zeros'];
  const named = Object.keys(ops).filter((name) => !own.includes(name));
  expect(named.filter((name) => !known.has(name.toLowerCase()))).toEqual([]);
});
