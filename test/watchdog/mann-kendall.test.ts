import { expect, test } from 'vitest';
import { mannKendall } from '../../src/watchdog/mann-kendall.js';

test('the z of a rise, a fall, a plateau and a sawtooth', () => {
  const rise = Array.from({ length: 12 }, (_, i) => i);
  expect(mannKendall(rise)).toBeCloseTo(4.457, 3); // (66 − 1) / √(12 · 11 · 29 / 18)
  expect(mannKendall(rise.toReversed())).toBeCloseTo(-4.457, 3);
  expect(mannKendall(rise.map(() => 5))).toBe(0);
  expect(Math.abs(mannKendall(rise.map((i) => i % 3)))).toBeLessThan(2.33);
  expect(mannKendall([])).toBe(0);
});

test('ties make the variance less, as in Kendall 1975', () => {
  expect(mannKendall([1, 1, 2, 2])).toBeCloseTo(1.162, 3); // S = 4, variance (4·3·13 − 2·(2·1·9)) / 18
});
