import { expect, test } from 'vitest';
import { PagedArray } from '../../src/core/paged-array.js';

test('gives each record back, across pages and gaps', () => {
  const array = new PagedArray<string>();
  expect([array.length, array.get(0)]).toEqual([0, undefined]);
  for (const index of [0, 4_095, 4_096, 20_000]) array.set(index, `record ${index}`);
  expect(array.length).toBe(20_001);
  expect([0, 4_095, 4_096, 20_000].map((index) => array.get(index))).toEqual([
    'record 0',
    'record 4095',
    'record 4096',
    'record 20000',
  ]);
  expect([array.get(1), array.get(10_000), array.get(20_001), array.get(1_000_000)]).toEqual(
    Array(4).fill(undefined),
  );
  expect([...array].filter((record) => record !== undefined)).toHaveLength(4);
});

test('is empty after a clear, and can be used again', () => {
  const array = new PagedArray<number>();
  for (let index = 0; index < 10_000; index++) array.set(index, index);
  array.clear();
  expect([array.length, array.get(0), array.get(9_999), [...array]]).toEqual([
    0,
    undefined,
    undefined,
    [],
  ]);
  array.set(5_000, 1);
  expect([array.length, array.get(5_000)]).toEqual([5_001, 1]);
});

test('keeps no removed record alive in a page', () => {
  const array = new PagedArray<object>();
  array.set(5_000, {});
  array.set(5_000, undefined);
  expect([...array].every((record) => record === undefined)).toBe(true);
});
