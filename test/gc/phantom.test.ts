import { expect, test } from 'vitest';
import {
  type Handle,
  Heap,
  HeapDisposedError,
  InvalidArgumentError,
  type PhantomReference,
  ReferenceQueue,
  StaleHandleError,
} from '../../src/gc/index.js';

test('a reference is enqueued once, when its target has been freed', () => {
  const heap = new Heap();
  const queue = new ReferenceQueue<string>();
  const node = heap.alloc();
  const reference = heap.phantom(node, queue, 'node');
  expect([reference.isEnqueued, queue.length, queue.poll()]).toEqual([false, 0, undefined]);
  heap.drop(node);
  expect([reference.isEnqueued, queue.length]).toEqual([true, 1]);
  expect([...queue]).toEqual([reference]);
  expect(queue.poll()).toBe(reference);
  expect([reference.isEnqueued, queue.length, queue.poll()]).toEqual([true, 0, undefined]);
  expect(heap.stats().phantomQueued).toBe(1);
});

test('it neither counts nor keeps alive, and tells of collected cycles too', () => {
  const heap = new Heap();
  const queue = new ReferenceQueue<string>();
  const [a, b] = [heap.alloc(), heap.alloc()];
  heap.phantom(a, queue, 'a');
  heap.phantom(b, queue, 'b');
  expect(heap.refcount(a)).toBe(1);
  heap.link(a, b);
  heap.link(b, a);
  heap.drop(a);
  heap.drop(b);
  expect(queue.length).toBe(0);
  expect(heap.gc.collect()).toBe(2);
  expect([...queue].map(({ tag }) => tag).sort()).toEqual(['a', 'b']);
  heap.assertInvariants();
});

test('a node that its finalizer brings back has not been freed', () => {
  const heap = new Heap();
  const queue = new ReferenceQueue();
  const waiting: number[] = [];
  const node = heap.alloc({
    finalizer: (self) => {
      waiting.push(queue.length);
      heap.hold(self);
    },
  });
  const weak = heap.weakref(node);
  heap.phantom(node, queue);
  heap.drop(node);
  expect([heap.deref(weak), queue.length]).toEqual([node, 0]);
  heap.drop(node);
  expect([heap.deref(weak), queue.length, waiting]).toEqual([null, 1, [0]]);
});

test('a resurrected cycle neither, until it dies for good', () => {
  const heap = new Heap();
  const queue = new ReferenceQueue();
  const node = heap.alloc({ finalizer: (self) => heap.hold(self) });
  heap.link(node, node);
  heap.phantom(node, queue);
  heap.drop(node);
  heap.gc.collect();
  expect(queue.length).toBe(0);
  heap.drop(node);
  heap.gc.collect();
  expect(queue.length).toBe(1);
});

test('callbacks of weak references run before, while the target is still being freed', () => {
  const heap = new Heap();
  const queue = new ReferenceQueue();
  const seen: number[] = [];
  const node = heap.alloc();
  heap.weakref(node, () => seen.push(queue.length));
  heap.phantom(node, queue);
  heap.drop(node);
  expect([seen, queue.length]).toEqual([[0], 1]);
});

test('references to one node are enqueued oldest first, and a later node at its place has none', () => {
  const heap = new Heap();
  const [one, other] = [new ReferenceQueue<number>(), new ReferenceQueue<number>()];
  const node = heap.alloc();
  heap.phantom(node, one, 1);
  heap.phantom(node, other, 2);
  heap.phantom(node, one, 3);
  heap.drop(node);
  expect([...one].map(({ tag }) => tag)).toEqual([1, 3]);
  expect([...other].map(({ tag }) => tag)).toEqual([2]);
  const next = heap.alloc();
  heap.drop(next);
  expect(one.length + other.length).toBe(3);
});

test('nodes are enqueued in the order in which they are freed', () => {
  const heap = new Heap();
  const queue = new ReferenceQueue<string>();
  const nodes = ['parent', 'left', 'right'].map((tag) => {
    const node = heap.alloc();
    heap.phantom(node, queue, tag);
    return node;
  });
  const [parent, left, right] = nodes as [Handle, Handle, Handle];
  heap.link(parent, left);
  heap.link(parent, right);
  heap.drop(left);
  heap.drop(right);
  heap.drop(parent);
  expect([...queue].map(({ tag }) => tag)).toEqual(['right', 'left', 'parent']);
});

test('a reference that was cleared is not enqueued, nor is it counted', () => {
  const heap = new Heap();
  const queue = new ReferenceQueue();
  const node = heap.alloc();
  const reference = heap.phantom(node, queue);
  reference.clear();
  heap.drop(node);
  expect([reference.isEnqueued, queue.length, heap.stats().phantomQueued]).toEqual([false, 0, 0]);
});

test('nothing is enqueued when the heap is disposed of, not even by a collection that is running', () => {
  const heap = new Heap();
  const queue = new ReferenceQueue();
  const node = heap.alloc({ finalizer: () => heap[Symbol.dispose]() });
  heap.link(node, node);
  const reference = heap.phantom(node, queue);
  const other = heap.phantom(heap.alloc(), queue);
  heap.drop(node);
  heap.gc.collect();
  expect([queue.length, reference.isEnqueued, other.isEnqueued]).toEqual([0, false, false]);
  expect(() => heap.phantom(node, queue)).toThrow(HeapDisposedError);
});

test('a weak reference is a node as well', () => {
  const heap = new Heap();
  const queue = new ReferenceQueue();
  const weak = heap.weakref(heap.alloc());
  heap.phantom(weak, queue);
  heap.drop(weak);
  expect(queue.length).toBe(1);
});

test('it tells the type of its tag, and bad arguments are refused', () => {
  const heap = new Heap();
  const node = heap.alloc();
  const numbers = new ReferenceQueue<number>();
  const reference: PhantomReference<number> = heap.phantom(node, numbers, 7);
  expect(reference.tag).toBe(7);
  // @ts-expect-error -- a tag is missing.
  heap.phantom(node, numbers);
  expect(() => heap.phantom(node, [] as unknown as ReferenceQueue)).toThrow(InvalidArgumentError);
  heap.drop(node);
  expect(() => heap.phantom(node, new ReferenceQueue())).toThrow(StaleHandleError);
});
