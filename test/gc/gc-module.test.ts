/** Checks of CPython's own tests of `gc` that a heap program cannot express. Tests bear the names of CPython's. */
import { expect, test } from 'vitest';
import {
  type CollectionInfo,
  DEBUG_COLLECTABLE,
  DEBUG_LEAK,
  DEBUG_SAVEALL,
  DEBUG_STATS,
  DEBUG_UNCOLLECTABLE,
  type Handle,
  Heap,
  HeapDisposedError,
} from '../../src/gc/index.js';

function selfLoop(heap: Heap): Handle {
  const node = heap.alloc();
  heap.link(node, node);
  return node;
}

test('test_get_objects_arguments: a malformed generation throws', () => {
  const { gc } = new Heap();
  expect(gc.getObjects()).toEqual(gc.getObjects(undefined));
  for (const bad of [-1, 3, 1.5, '1', null]) {
    expect(() => gc.getObjects(bad as 0)).toThrow('`generation` must be an integer from 0 to 2');
  }
});

test('test_get_objects: a node moves through the generations as they are collected', () => {
  const heap = new Heap();
  const node = selfLoop(heap);
  for (const generation of [0, 1, 2] as const) {
    expect(heap.generation(node)).toBe(generation);
    expect(heap.gc.getObjects(generation)).toEqual([node]);
    heap.gc.collect(generation);
  }
  expect(heap.gc.getObjects(2)).toEqual([node]);
  expect(heap.gc.getObjects()).toEqual([node]);
});

test('test_collect_generation: callbacks receive the generation and the result', () => {
  const heap = new Heap();
  const told: [string, CollectionInfo][] = [];
  heap.gc.callbacks.push((phase, info) => void told.push([phase, info]));
  heap.drop(selfLoop(heap));
  heap.gc.collect(1);
  expect(told).toEqual([
    ['start', { generation: 1, collected: 0, uncollectable: 0 }],
    ['stop', { generation: 1, collected: 1, uncollectable: 0 }],
  ]);
});

type Callbacks = Heap['gc']['callbacks'];

/** What CPython 3.11 calls when the callback `x` changes the list `[x, b, c]` at its first call. */
test.each<[string, (callbacks: Callbacks, added: Callbacks[number]) => unknown, string[]]>([
  [
    'appends',
    (callbacks, added) => callbacks.push(added),
    ['x start', 'b start', 'c start', 'added start', 'x stop', 'b stop', 'c stop', 'added stop'],
  ],
  ['removes itself', (callbacks) => callbacks.shift(), ['x start', 'c start', 'b stop', 'c stop']],
  ['empties the list', (callbacks) => callbacks.splice(0), ['x start']],
  [
    'inserts before itself',
    (callbacks, added) => callbacks.unshift(added),
    ['x start', 'x start', 'b start', 'c start', 'added stop', 'x stop', 'b stop', 'c stop'],
  ],
])('gc.callbacks is a live list, as in CPython: a callback that %s', (_, change, told) => {
  const { gc } = new Heap();
  const calls: string[] = [];
  const named = (name: string) => (phase: string) => void calls.push(`${name} ${phase}`);
  const x = (phase: string): void => {
    if (calls.push(`x ${phase}`) === 1) change(gc.callbacks, named('added'));
  };
  gc.callbacks.push(x, named('b'), named('c'));
  gc.collect(0);
  expect(calls).toEqual(told);
});

test('test_freeze: frozen nodes are not collected, and getObjects leaves them out', () => {
  const heap = new Heap();
  const node = selfLoop(heap);
  heap.drop(node);
  heap.gc.freeze();
  expect(heap.gc.getFreezeCount()).toBe(1);
  expect(heap.generation(node)).toBe('permanent');
  expect(heap.gc.isTracked(node)).toBe(true);
  expect(heap.gc.getObjects()).toEqual([]);
  expect(heap.gc.getReferrers(node)).toEqual([]);
  expect(heap.gc.collect()).toBe(0);
  heap.gc.unfreeze();
  expect(heap.gc.getFreezeCount()).toBe(0);
  expect(heap.generation(node)).toBe(2);
  expect(heap.gc.collect()).toBe(1);
});

test('test_get_referrers, test_get_referents: by edges, for several nodes at once', () => {
  const heap = new Heap();
  const [a, b, c] = [heap.alloc(), heap.alloc(), heap.alloc()];
  const weak = heap.weakref(c);
  heap.link(a, b);
  heap.link(a, c);
  heap.link(a, c);
  heap.link(b, c);
  expect(heap.gc.getReferents(a, b, weak)).toEqual([c, c, b, c]);
  expect(heap.gc.getReferrers(c)).toEqual([a, b]);
  expect(heap.gc.getReferrers(b, c)).toEqual([a, b]);
  expect(heap.gc.getReferrers(a)).toEqual([]);
});

test('thresholds that are left out stay, and a malformed one changes none', () => {
  const { gc } = new Heap();
  gc.setThreshold(5);
  expect(gc.getThreshold()).toEqual([5, 10, 10]);
  gc.setThreshold(6, 7, 8);
  expect(gc.getThreshold()).toEqual([6, 7, 8]);
  expect(() => gc.setThreshold(1, 2, -1)).toThrow('`threshold2` must be an integer ≥ 0');
  expect(gc.getThreshold()).toEqual([6, 7, 8]);
});

test.each([
  ['a first threshold of 0', (heap: Heap): void => heap.gc.setThreshold(0)],
  ['disable', (heap: Heap): void => heap.gc.disable()],
])('%s turns automatic collection off, and collect still works', (_name, switchOff) => {
  const heap = new Heap({ thresholds: [1, 1, 1] });
  switchOff(heap);
  for (let i = 0; i < 50; i++) heap.drop(selfLoop(heap));
  expect(heap.stats()).toMatchObject({ live: 50, lastTrigger: 'none' });
  expect(heap.gc.collect()).toBe(50);
  expect(heap.stats()).toMatchObject({ freedByCycle: 50, lastTrigger: 'explicit' });
});

test('a collection within a collection does nothing', () => {
  const heap = new Heap();
  const inner: number[] = [];
  heap.gc.callbacks.push(() => void inner.push(heap.gc.collect()));
  heap.drop(selfLoop(heap));
  expect(heap.gc.collect()).toBe(1);
  expect(inner).toEqual([0, 0]);
  expect(heap.stats().pauses.count).toBe(1);
});

test('an allocation during a collection starts no other', () => {
  const heap = new Heap({ thresholds: [1, 1, 1] });
  const told: string[] = [];
  heap.gc.disable();
  const cycle = heap.alloc({
    finalizer: (_self, within) => {
      for (let i = 0; i < 20; i++) within.alloc();
    },
  });
  heap.link(cycle, cycle);
  heap.drop(cycle);
  heap.gc.callbacks.push((phase) => void told.push(phase));
  heap.gc.enable();
  heap.gc.collect();
  expect(told).toEqual(['start', 'stop']);
  heap.alloc();
  expect(told).toEqual(['start', 'stop', 'start', 'stop']);
  heap.assertInvariants();
});

test('in its finalizer, a node of a cycle is finalized, and a node that dies by count is not yet', () => {
  const heap = new Heap();
  const seen: boolean[] = [];
  const finalizer = (self: Handle): void => void seen.push(heap.gc.isFinalized(self));
  heap.drop(heap.alloc({ finalizer }));
  const cycle = heap.alloc({ finalizer });
  heap.link(cycle, cycle);
  heap.drop(cycle);
  heap.gc.collect();
  expect(seen).toEqual([false, true]);
});

test('clearing gc.garbage ends its references last to first', () => {
  const heap = new Heap();
  const cycle = selfLoop(heap);
  const names = new Map(['first', 'second', 'third'].map((name) => [heap.alloc(), name]));
  for (const node of names.keys()) {
    heap.link(cycle, node);
    heap.drop(node);
  }
  heap.drop(cycle);
  heap.gc.setDebug(DEBUG_SAVEALL);
  heap.gc.collect();
  const kept = [...heap.gc.garbage].flatMap((node) => names.get(node) ?? []);
  const died: (string | undefined)[] = [];
  for (const [node, name] of names) heap.weakref(node, () => died.push(name));
  heap.clear(cycle);
  expect(died).toEqual([]);
  heap.gc.garbage.clear();
  expect(kept).toHaveLength(3);
  expect(died).toEqual(kept.reverse());
  heap.assertInvariants();
});

test("the debug flags have CPython's values", () => {
  expect([DEBUG_STATS, DEBUG_COLLECTABLE, DEBUG_UNCOLLECTABLE, DEBUG_SAVEALL, DEBUG_LEAK]).toEqual([
    1, 2, 4, 32, 38,
  ]);
  const { gc } = new Heap();
  gc.setDebug(DEBUG_LEAK);
  expect(gc.getDebug()).toBe(38);
});

test('two lists in a cycle with DEBUG_SAVEALL give the figures of CPython 3.11', () => {
  const heap = new Heap();
  const { gc } = heap;
  const [a, b] = [heap.alloc({ kind: 'list' }), heap.alloc({ kind: 'list' })];
  heap.link(a, b);
  heap.link(b, a);
  expect(gc.getCount()).toEqual([2, 0, 0]);
  gc.setDebug(DEBUG_SAVEALL);
  heap.drop(a);
  heap.drop(b);
  expect(gc.collect()).toBe(2);
  expect([...gc.garbage]).toEqual([a, b]);
  expect(gc.getCount()).toEqual([0, 0, 0]);
  expect(gc.getStats()[2]).toEqual({ collections: 1, collected: 2, uncollectable: 0 });
  expect(heap.stats()).toMatchObject({ live: 2, freedByCycle: 0, garbageLength: 2 });
});

test('a disposed heap refuses to collect, freeze and list objects', () => {
  const heap = new Heap();
  heap.alloc();
  heap[Symbol.dispose]();
  heap[Symbol.dispose]();
  for (const use of [
    () => heap.gc.collect(),
    () => heap.gc.freeze(),
    () => heap.gc.unfreeze(),
    () => heap.gc.getObjects(),
    () => heap.gc.garbage.clear(),
    () => heap.scope(() => heap.alloc()),
  ]) {
    expect(use).toThrow(HeapDisposedError);
  }
});
