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

test('a phantom reference does not count or keep alive, and reports collected cycles', () => {
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

test('a phantom reference is not enqueued while a finalizer resurrects its node', () => {
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

test('phantom references of a resurrected cycle are enqueued when it finally dies', () => {
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

test('callbacks of weak references run before phantom references are enqueued', () => {
  const heap = new Heap();
  const queue = new ReferenceQueue();
  const seen: number[] = [];
  const node = heap.alloc();
  heap.weakref(node, () => seen.push(queue.length));
  heap.phantom(node, queue);
  heap.drop(node);
  expect([seen, queue.length]).toEqual([[0], 1]);
});

test('references to one node are enqueued oldest first, and a later node in its slot has none', () => {
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

test('a cleared reference is neither enqueued nor counted', () => {
  const heap = new Heap();
  const queue = new ReferenceQueue();
  const node = heap.alloc();
  const reference = heap.phantom(node, queue);
  reference.clear();
  heap.drop(node);
  expect([reference.isEnqueued, queue.length, heap.stats().phantomQueued]).toEqual([false, 0, 0]);
});

test('disposing of the heap enqueues nothing, even during a collection', () => {
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

test('a phantom reference can have a weak reference as its target', () => {
  const heap = new Heap();
  const queue = new ReferenceQueue();
  const weak = heap.weakref(heap.alloc());
  heap.phantom(weak, queue);
  heap.drop(weak);
  expect(queue.length).toBe(1);
});

test('the tag has the type of the queue, and malformed arguments throw', () => {
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
