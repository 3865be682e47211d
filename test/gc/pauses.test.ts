import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Heap } from '../../src/gc/index.js';

/** Builds a heap whose collections take these durations, one after the other. */
function heapWithPauses(pauses: readonly number[]): Heap {
  let now = 0;
  const heap = new Heap({ clock: { now: () => now } });
  let next = 0;
  heap.gc.callbacks.push((phase) => {
    if (phase === 'start') now += pauses[next++] as number;
  });
  for (const _ of pauses) heap.gc.collect();
  return heap;
}

test('a new heap has no pauses', () => {
  expect(new Heap().stats().pauses).toEqual({
    count: 0,
    totalMillis: 0,
    p50Millis: 0,
    p99Millis: 0,
    maxMillis: 0,
  });
});

test('percentiles are at least the true ones, and at most 9 % above', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.constant(0),
          fc.integer({ min: 1, max: 4_000_000 }).map((n) => n / 64),
        ),
        { minLength: 1, maxLength: 150 },
      ),
      (pauses) => {
        const sorted = [...pauses].sort((a, b) => a - b);
        const { pauses: figures } = heapWithPauses(pauses).stats();
        for (const [share, figure] of [
          [0.5, figures.p50Millis],
          [0.99, figures.p99Millis],
        ] as const) {
          const truth = sorted[Math.ceil(share * sorted.length) - 1] as number;
          expect(figure).toBeGreaterThanOrEqual(truth * (1 - 1e-9));
          expect(figure).toBeLessThanOrEqual(Math.max(truth * 1.0906, 0.001));
        }
        expect(figures.maxMillis).toBe(sorted.at(-1));
        expect(figures.count).toBe(pauses.length);
      },
    ),
  );
});

test('a pause of hours keeps its duration', () => {
  const hours = 48 * 3_600_000;
  expect(heapWithPauses([hours]).stats().pauses).toMatchObject({
    p50Millis: hours,
    p99Millis: hours,
  });
});

test('one slow collection in two hundred does not raise p99, and three do', () => {
  const fast = Array.from({ length: 197 }, () => 1);
  expect(heapWithPauses([...fast, 1, 1, 90]).stats().pauses.p99Millis).toBeLessThan(1.1);
  expect(heapWithPauses([90, 90, 90, ...fast]).stats().pauses.p99Millis).toBe(90);
});
