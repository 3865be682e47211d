/** A number that is counted each minute, and its earlier peak. */
import { expect, test } from 'vitest';
import { HighWater } from '../../src/watchdog/high-water.js';

/** Gives for each count, one a minute, whether it is below an earlier peak. */
function below(counts: readonly number[], minutes = 1): boolean[] {
  const highWater = new HighWater();
  return counts.map((count, i) => {
    highWater.note(count, i * minutes * 60_000);
    return highWater.isBelow;
  });
}

test('a number that rises is at its peak', () => {
  expect(below([0, 1, 5, 100])).toEqual([false, false, false, false]);
});

test('a fall by less than a tenth does not count', () => {
  expect(below([100, 91, 95])).toEqual([false, false, false]);
  expect(below([100, 89, 95])).toEqual([false, true, true]);
});

test('a rise passes the peak by a fifth of the fall before it', () => {
  expect(below([100, 50, 100, 109, 110])).toEqual([false, true, true, true, false]);
});

test('the deepest fall since the peak counts, however often the number rises meanwhile', () => {
  expect(below([100, 50, 100, 80, 109])).toEqual([false, true, true, true, true]);
});

test('a peak is forgotten after more than a day, not after a day', () => {
  const hours = (count: number): number[] => Array.from({ length: count }, () => 50);
  expect(below([100, ...hours(26)], 60).at(-1)).toBe(true);
  expect(below([100, ...hours(27)], 60).at(-1)).toBe(false);
});
