/** What counts say of a trend. */
import { expect, test } from 'vitest';
import { followsComponents, latest, keepsRising as risesBy } from '../../src/watchdog/trend.js';

const keepsRising = (counted: Parameters<typeof risesBy>[0]): boolean => risesBy(counted, 0.1);

/** Counts at these minutes. */
const counts = (...pairs: readonly (readonly [minute: number, live: number])[]) =>
  pairs.map(([minute, live]) => ({ at: minute * 60_000, live, freed: 0 }));

test('the pace is that by time, not by count', () => {
  const sparse = counts(
    [0, 0],
    [1, 10],
    [2, 20],
    [3, 30],
    [4, 40],
    [14, 140],
    [24, 240],
    [34, 340],
  );
  expect(keepsRising(sparse)).toBe(true);
  const slower = sparse.map((count, i) => (i < 5 ? count : { ...count, live: 40 + 10 * (i - 4) }));
  expect(keepsRising(slower)).toBe(false);
});

test('the last counts may come closer together than the others', () => {
  const dense = counts([0, 0], [10, 100], [20, 200], [30, 300], [31, 310], [32, 320], [33, 330]);
  expect(keepsRising(dense)).toBe(true);
});

test('two counts at one time are no halt', () => {
  expect(keepsRising(counts([0, 0], [5, 50], [10, 100], [15, 150], [20, 200], [20, 200]))).toBe(
    true,
  );
});

test('the latest counts are those of the time before the last one', () => {
  const counted = counts([0, 1], [5, 2], [10, 3], [15, 4]);
  expect(latest(counted, 10 * 60_000).map(({ live }) => live)).toEqual([2, 3, 4]);
});

test('a cache that fills up with known keys slows down by a third', () => {
  const filling = [201, 227, 253, 274, 290, 305, 320, 334, 348, 362, 376, 385];
  expect(keepsRising(counts(...filling.map((live, minute) => [minute, live] as const)))).toBe(
    false,
  );
});

test('members follow their components if each has as many as before', () => {
  const caches = counts([0, 10], [10, 110]);
  expect(followsComponents(counts([0, 30], [10, 330]), caches)).toBe(true);
  expect(followsComponents(counts([0, 30], [10, 1_000]), caches)).toBe(false);
});

test('members do not follow components whose number is stable, or not known', () => {
  const members = counts([0, 30], [10, 330]);
  expect(followsComponents(members, counts([0, 10], [10, 10]))).toBe(false);
  expect(followsComponents(members, [])).toBe(false);
});
