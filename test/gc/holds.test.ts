import { expect, test } from 'vitest';
import {
  DEBUG_SAVEALL,
  type Handle,
  Heap,
  type HeapScope,
  InvalidArgumentError,
  NotHeldError,
} from '../../src/gc/index.js';

test('a node cannot be dropped more often than it was held, whatever edges lead to it', () => {
  const heap = new Heap();
  const [parent, child] = [heap.alloc(), heap.alloc()];
  heap.link(parent, child);
  heap.drop(child);
  expect(() => heap.drop(child)).toThrow(NotHeldError);
  expect(heap.refcount(child)).toBe(1);
  heap.hold(child);
  heap.drop(child);
  expect(() => heap.drop(child)).toThrow('unlink');
  heap.assertInvariants();
});

test('a caller cannot drop the references of gc.garbage or of a running finalizer', () => {
  const errors: unknown[] = [];
  const heap = new Heap({ onUnraisable: (error) => errors.push(error) });
  const cycle = heap.alloc();
  heap.link(cycle, cycle);
  heap.drop(cycle);
  heap.gc.setDebug(DEBUG_SAVEALL);
  heap.gc.collect();
  expect(() => heap.drop(cycle)).toThrow(NotHeldError);
  expect(heap.pathFromRoot(cycle)).toEqual([cycle]);
  const node = heap.alloc({ finalizer: (self, within) => within.drop(self) });
  heap.drop(node);
  expect(errors).toEqual([expect.any(NotHeldError)]);
  expect(heap.isAlive(node)).toBe(false);
  heap.assertInvariants();
});

test('each root is a reference, and disposing of it twice has no effect', () => {
  const heap = new Heap();
  const node = heap.alloc();
  const roots = [heap.addRoot(node), heap.addRoot(node)] as const;
  expect(roots[0].node).toBe(node);
  heap.drop(node);
  expect(heap.refcount(node)).toBe(2);
  for (const root of [roots[0], roots[0], roots[0]]) root[Symbol.dispose]();
  expect(heap.refcount(node)).toBe(1);
  roots[1][Symbol.dispose]();
  expect(heap.isAlive(node)).toBe(false);
});

test('a scope holds its locals until it ends, and drops them in the order of their binding', () => {
  const heap = new Heap();
  const died: string[] = [];
  const finalizer = (name: string) => (): void => void died.push(name);
  const outside = heap.alloc();
  const kept = heap.scope((locals) => {
    locals.adopt(heap.alloc({ finalizer: finalizer('first') }));
    locals.adopt(heap.alloc({ finalizer: finalizer('second') }));
    expect(heap.refcount(locals.hold(outside))).toBe(2);
    const linked = locals.adopt(heap.alloc({ finalizer: finalizer('linked') }));
    heap.link(outside, linked);
    expect(died).toEqual([]);
    return linked;
  });
  expect(died).toEqual(['first', 'second']);
  expect(heap.refcount(outside)).toBe(1);
  expect(heap.refcount(kept)).toBe(1);
  heap.assertInvariants();
});

test('a scope ends when its body throws, and rethrows the error', () => {
  const heap = new Heap();
  let local!: Handle;
  let escaped: HeapScope | undefined;
  const failure = new Error('from the body');
  expect(() =>
    heap.scope((locals) => {
      escaped = locals;
      local = locals.adopt(heap.alloc());
      throw failure;
    }),
  ).toThrow(failure);
  expect(heap.isAlive(local)).toBe(false);
  const node = heap.alloc();
  expect(() => escaped?.hold(node)).toThrow('the scope has ended');
  expect(heap.refcount(node)).toBe(1);
});

test('a local that the caller dropped is reported, and the others are still dropped', () => {
  const heap = new Heap();
  const nodes = [heap.alloc(), heap.alloc(), heap.alloc()] as const;
  heap.link(nodes[2], nodes[0]);
  const run = (): void =>
    heap.scope((locals) => {
      locals.adopt(nodes[0]);
      locals.adopt(nodes[1]);
      heap.drop(nodes[0]);
    });
  expect(run).toThrow(NotHeldError);
  expect(heap.isAlive(nodes[1])).toBe(false);
  heap.assertInvariants();
});

test('a scope refuses an asynchronous body, whose locals it would drop too early', async () => {
  const heap = new Heap();
  expect(() => heap.scope(async () => Promise.reject(new Error('later')))).toThrow(
    InvalidArgumentError,
  );
  await Promise.resolve();
});
