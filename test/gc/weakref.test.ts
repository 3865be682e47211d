import { expect, test } from 'vitest';
import { type Handle, Heap } from '../../src/gc/index.js';

test('a reference without a callback is shared, one with a callback is not', () => {
  const heap = new Heap();
  const node = heap.alloc();
  const [first, second] = [heap.weakref(node), heap.weakref(node)];
  expect(second).toBe(first);
  expect(heap.refcount(first)).toBe(2);
  const withCallback = heap.weakref(node, () => {});
  expect(withCallback).not.toBe(first);
  expect(heap.weakrefs(node)).toHaveLength(2);
  heap.assertInvariants();
});

test('a shared reference that has died is not handed out again', () => {
  const heap = new Heap();
  const node = heap.alloc();
  const first = heap.weakref(node);
  heap.drop(first);
  const second = heap.weakref(node);
  expect(second).not.toBe(first);
  expect(heap.deref(second)).toBe(node);
  expect(heap.weakrefs(node)).toEqual([second]);
});

test('callbacks run once, newest first, after every reference to the target is dead', () => {
  const heap = new Heap();
  const node = heap.alloc();
  const log: string[] = [];
  const weaks = new Map<string, Handle>();
  for (const name of ['oldest', 'middle', 'newest']) {
    const weak = heap.weakref(node, () => {
      const dead = [...weaks.values()].every((other) => heap.deref(other) === null);
      log.push(`${name} ${dead}`);
    });
    weaks.set(name, weak);
  }
  heap.drop(node);
  expect(log).toEqual(['newest true', 'middle true', 'oldest true']);
  heap.assertInvariants();
});

test('a reference that dies before its target calls nobody', () => {
  const heap = new Heap();
  const node = heap.alloc();
  let called = 0;
  heap.drop(heap.weakref(node, () => called++));
  heap.drop(node);
  expect(called).toBe(0);
  expect(heap.stats.live).toBe(0);
});

test('by reference count, a finalizer still reaches its node through a weak reference and can save it', () => {
  const heap = new Heap();
  let weak!: Handle;
  const node = heap.alloc({
    finalizer: (_self, within) => within.hold(within.deref(weak) as Handle),
  });
  weak = heap.weakref(node);
  heap.drop(node);
  expect(heap.isAlive(node)).toBe(true);
  expect(heap.gc.isFinalized(node)).toBe(true);
  expect(heap.stats.resurrections).toBe(1);
  heap.drop(node);
  expect(heap.isAlive(node)).toBe(false);
  expect(heap.stats.finalizersRun).toBe(1);
});

test('in a cycle, weak references are dead before finalizers run', () => {
  const heap = new Heap();
  const seen: (Handle | null)[] = [];
  let weak!: Handle;
  const node = heap.alloc({ finalizer: () => seen.push(heap.deref(weak)) });
  weak = heap.weakref(node);
  heap.link(node, node);
  heap.drop(node);
  expect(heap.gc.collect()).toBe(1);
  expect(seen).toEqual([null]);
});
