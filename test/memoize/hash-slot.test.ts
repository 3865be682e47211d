/** The hash slots of names. The expected ones were given by `CLUSTER KEYSLOT` of Redis 7.0. */
import { expect, test } from 'vitest';
import { hashSlotOf, namesAcross } from '../../src/memoize/shared/hash-slot.js';

test.each([
  ['123456789', 12739],
  ['', 0],
  ['price:key:{["tea"]}', 10592],
  ['price:entry:{["tea"]}', 10592],
  ['{}tea', 1562],
  ['{tea', 4346],
  ['a{b:key:{["tea"]}', 7762],
  ['tëa ☕', 15280],
])('of %s', (name, slot) => {
  expect(hashSlotOf(name)).toBe(slot);
});

test('names across the slots have the start of a name, and one slot in each 128th', () => {
  const names = namesAcross('price:key:{["tea"]}');
  expect(names.every((name) => /^price:key:\{\d+\}$/.test(name))).toBe(true);
  const parts = names.map((name) => Math.floor(hashSlotOf(name) / 128));
  expect([...parts].sort((a, b) => a - b)).toEqual(Array.from({ length: 128 }, (_, at) => at));
});
