import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BaseHeap } from '../../src/gc/base-heap.js';
import { makeSteppedCollector } from '../../src/gc/collectors/stepped-collector.js';
import type { HeapOptions } from '../../src/gc/index.js';
import { type Move, RandomMutator } from './random-mutator.js';

const stepped = (options: HeapOptions = {}): BaseHeap =>
  new BaseHeap(options, makeSteppedCollector);

const collections = (heap: BaseHeap): number[] =>
  heap.gc.getStats().map((generation) => generation.collections);

test('young collections, steps and full collections in any order free no reachable node', () => {
  const move = fc.tuple(fc.nat(19), fc.nat(1_000), fc.nat(1_000)) as fc.Arbitrary<Move>;
  const turn = fc.tuple(
    fc.array(move, { maxLength: 6 }),
    fc.nat(3),
    fc.integer({ min: 1, max: 9 }),
  );
  fc.assert(
    fc.property(fc.array(turn, { maxLength: 60 }), (turns) => {
      const mutator = new RandomMutator(stepped({ census: true }), true);
      for (const [moves, generation, objects] of turns) {
        for (const one of moves) mutator.do(one);
        if (generation === 3) mutator.heap.step({ objects });
        else mutator.heap.gc.collect(generation as 0 | 1 | 2);
        mutator.heap.assertInvariants();
        expect(mutator.damaged()).toEqual([]);
      }
      mutator.heap.gc.collect();
      expect(mutator.alive()).toEqual(mutator.reachable());
      expect(sumOfLive(mutator.heap)).toBe(mutator.heap.stats().live);
    }),
    { numRuns: 500 },
  );
});

test("a full collection is due by CPython's rule, and runs in steps", () => {
  const heap = stepped({ thresholds: [10, 2, 2], step: { objects: 200 } });
  const root = heap.alloc();
  let longest = 0;
  for (let i = 0; i < 1_000; i++) {
    const before = heap.stats().collector.steps;
    heap.link(root, heap.alloc());
    longest = Math.max(longest, heap.stats().collector.steps - before);
  }
  expect(longest).toBe(1);
  expect(collections(heap)[2]).toBeGreaterThan(2);
  expect(heap.stats().liveByGeneration[2]).toBeGreaterThan(500);
});

test('a young collection waits while a full one is under way, and continues it', () => {
  const heap = stepped({ step: { objects: 1 } });
  const nodes = Array.from({ length: 20 }, () => heap.alloc());
  expect(heap.step({ objects: 1 })).toBe('more');
  heap.gc.collect(0);
  expect(collections(heap)).toEqual([0, 0, 0]);
  while (heap.step({ objects: 5 }) === 'more');
  expect(collections(heap)).toEqual([0, 0, 1]);
  expect(heap.generation(nodes[0] as never)).toBe(2);
  heap.alloc();
  heap.gc.collect(0);
  expect(collections(heap)).toEqual([1, 0, 1]);
});

function sumOfLive(heap: BaseHeap): number {
  return heap.census().reduce((sum, { live }) => sum + live[0] + live[1] + live[2], 0);
}
