import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEBUG_SAVEALL, type Handle, Heap } from '../../src/gc/index.js';
import { type Move, RandomMutator } from './random-mutator.js';
import { unreachableLoop } from './unreachable-loop.js';

const COLLECTORS = ['cpython', 'mark-sweep', 'incremental', 'parallel'] as const;
const moves = fc.array(fc.tuple(fc.nat(19), fc.nat(1_000), fc.nat(1_000)) as fc.Arbitrary<Move>, {
  maxLength: 120,
});

describe.each(COLLECTORS)('%s', (collector) => {
  test('the survivors of a full collection are the nodes that roots reach', () => {
    fc.assert(
      fc.property(moves, fc.integer({ min: 1, max: 40 }), (program, threshold) => {
        const mutator = new RandomMutator({ collector, thresholds: [threshold, 2, 2] });
        for (const move of program) {
          mutator.do(move);
          mutator.heap.assertInvariants();
          expect(mutator.damaged()).toEqual([]);
        }
        mutator.heap.gc.collect();
        expect(mutator.alive()).toEqual(mutator.reachable());
        expect(mutator.damaged()).toEqual([]);
        expect(mutator.heap.stats().live).toBe(mutator.reachable().size);
        const { counted, edgesAndHolds } = mutator.references();
        expect(counted).toBe(edgesAndHolds);
      }),
      { numRuns: 300 },
    );
  });

  test('collect returns the number of unreachable nodes, and counts them as freed by cycle', () => {
    const heap = new Heap({ collector });
    const told: unknown[] = [];
    heap.gc.callbacks.push((phase, info) => told.push([phase, info]));
    const kept = heap.alloc();
    for (let i = 0; i < 3; i++) unreachableLoop(heap);
    expect(heap.gc.collect()).toBe(3);
    expect(heap.isAlive(kept)).toBe(true);
    expect(heap.stats()).toMatchObject({
      allocated: 4,
      live: 1,
      freedByCycle: 3,
      freedByRefcount: 0,
    });
    expect(heap.gc.getStats()[2]).toEqual({ collections: 1, collected: 3, uncollectable: 0 });
    expect(heap.stats().liveByGeneration).toEqual([0, 0, 1]);
    expect(heap.gc.getCount()).toEqual([0, 0, 0]);
    expect(told).toEqual([
      ['start', { generation: 2, collected: 0, uncollectable: 0 }],
      ['stop', { generation: 2, collected: 3, uncollectable: 0 }],
    ]);
    expect(heap.stats().lastTrigger).toBe('explicit');
    expect(heap.stats().collector.name).toBe(collector);
  });

  test('finalizers run once, and a resurrected node stays with all that it reaches', () => {
    const heap = new Heap({ collector });
    const root = heap.alloc();
    let finalized = 0;
    const lazarus = heap.alloc({
      finalizer: (self) => {
        finalized++;
        heap.link(root, self);
      },
    });
    const cargo = heap.alloc();
    heap.link(lazarus, lazarus);
    heap.link(lazarus, cargo);
    heap.drop(cargo);
    heap.drop(lazarus);
    const other = unreachableLoop(heap);
    expect(heap.gc.collect()).toBe(1);
    expect([lazarus, cargo, other].map((node) => heap.isAlive(node))).toEqual([true, true, false]);
    heap.assertInvariants();
    heap.unlink(root, 0);
    expect(heap.gc.collect()).toBe(2);
    expect(finalized).toBe(1);
    expect(heap.stats().resurrections).toBe(2);
    expect(heap.stats().live).toBe(1);
  });

  test('weak references to unreachable nodes are cleared before any finalizer runs, and callbacks of live references run', () => {
    const heap = new Heap({ collector });
    const seen: string[] = [];
    const node = heap.alloc({
      finalizer: () => seen.push(`finalizer sees ${String(heap.deref(weak))}`),
    });
    heap.link(node, node);
    const weak: Handle = heap.weakref(node, (self) => {
      seen.push(`callback sees ${String(heap.deref(self))}`);
    });
    heap.drop(node);
    heap.gc.collect();
    expect(seen).toEqual(['callback sees null', 'finalizer sees null']);
    expect(heap.isAlive(node)).toBe(false);
    expect(heap.isAlive(weak)).toBe(true);
    heap.assertInvariants();
  });

  test('nodes that a legacy finalizer reaches are uncollectable, and DEBUG_SAVEALL keeps unreachable nodes', () => {
    const heap = new Heap({ collector });
    const legacy = heap.alloc({ legacy: true, finalizer: () => {} });
    const item = heap.alloc();
    heap.link(legacy, legacy);
    heap.link(legacy, item);
    heap.drop(item);
    heap.drop(legacy);
    heap.gc.collect();
    expect([...heap.gc.garbage]).toEqual([legacy]);
    expect(heap.stats().uncollectable).toBe(2);
    heap.gc.setDebug(DEBUG_SAVEALL);
    const saved = unreachableLoop(heap);
    heap.gc.collect();
    expect([...heap.gc.garbage]).toEqual([legacy, saved]);
    heap.assertInvariants();
    heap.gc.setDebug(0);
    heap.clear(legacy);
    heap.gc.garbage.clear();
    heap.gc.collect();
    expect(heap.stats().live).toBe(0);
  });

  test('allocations collect automatically, at intervals that grow with the heap', () => {
    const heap = new Heap({ collector, thresholds: [100, 5, 5] });
    for (let i = 0; i < 20_000; i++) unreachableLoop(heap);
    expect(heap.stats().lastTrigger).toBe('threshold');
    expect(heap.stats().peakLive).toBeLessThan(1_000);
    heap.gc.disable();
    for (let i = 0; i < 2_000; i++) unreachableLoop(heap);
    expect(heap.stats().live).toBeGreaterThanOrEqual(2_000);
  });

  test('the number of collections of a growing heap is logarithmic', () => {
    const heap = new Heap({ collector, thresholds: [100, 5, 5] });
    let full = 0;
    heap.gc.callbacks.push((phase, { generation }) => {
      if (phase === 'stop' && generation === 2) full++;
    });
    for (let i = 0; i < 100_000; i++) heap.alloc();
    expect(full).toBeGreaterThan(5);
    expect(full).toBeLessThan(60);
  });

  test('a frozen node is not collected, and keeps what it reaches alive', () => {
    const heap = new Heap({ collector });
    const frozen = unreachableLoop(heap);
    heap.gc.freeze();
    const young = heap.alloc();
    heap.link(frozen, young);
    heap.drop(young);
    expect(heap.gc.collect()).toBe(0);
    expect([frozen, young].map((node) => heap.isAlive(node))).toEqual([true, true]);
    heap.gc.unfreeze();
    expect(heap.gc.collect()).toBe(2);
  });

  test('a collection in a finalizer keeps the nodes that the heap works on', () => {
    const heap = new Heap({ collector });
    const item = heap.alloc();
    let seen: boolean[] = [];
    const node = heap.alloc({
      finalizer: (self) => {
        unreachableLoop(heap);
        expect(heap.gc.collect()).toBe(1);
        seen = [self, item].map((one) => heap.isAlive(one));
      },
    });
    heap.link(node, item);
    heap.drop(item);
    heap.drop(node);
    expect(seen).toEqual([true, true]);
    expect(heap.stats().live).toBe(0);
    heap.assertInvariants();
  });

  test('a collection during the creation of a weak reference keeps the target', () => {
    const heap = new Heap({ collector, thresholds: [1, 0, 0] });
    const target = unreachableLoop(heap);
    const weak = heap.weakref(target);
    expect(heap.deref(weak)).toBe(target);
    expect(heap.gc.collect()).toBe(1);
    expect(heap.deref(weak)).toBe(null);
    heap.assertInvariants();
  });

  test('a heap that is disposed of during a collection runs no more code', () => {
    const called: string[] = [];
    const heap = new Heap({ collector });
    for (const name of ['first', 'second']) {
      const node = heap.alloc({
        finalizer: () => {
          called.push(name);
          heap[Symbol.dispose]();
        },
      });
      heap.link(node, node);
      heap.drop(node);
    }
    heap.gc.collect();
    expect(called).toEqual(['first']);
    expect(() => heap.alloc()).toThrow('disposed');
  });

  test('step does a whole collection without a budget, and for collectors without steps', () => {
    const heap = new Heap({ collector });
    const lost = unreachableLoop(heap);
    expect(heap.step()).toBe('done');
    expect(heap.isAlive(lost)).toBe(false);
  });
});
