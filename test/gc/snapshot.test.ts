import { expect, test } from 'vitest';
import { Heap, HeapDisposedError } from '../../src/gc/index.js';

test('a snapshot describes every live node', () => {
  const heap = new Heap();
  const list = heap.alloc({ kind: 'list', size: 56 });
  const item = heap.alloc();
  heap.link(list, item);
  heap.link(list, item);
  heap.drop(item);
  heap.gc.collect(1);
  const weak = heap.weakref(item);
  expect(heap.snapshot()).toEqual({
    nodes: [
      {
        handle: list,
        kind: 'list',
        generation: 2,
        refcount: 1,
        size: 56,
        finalized: false,
        isRoot: true,
        edges: [item, item],
      },
      {
        handle: item,
        kind: 'node',
        generation: 2,
        refcount: 2,
        size: 0,
        finalized: false,
        isRoot: false,
        edges: [],
      },
      {
        handle: weak,
        kind: 'weakref',
        generation: 0,
        refcount: 1,
        size: 0,
        finalized: false,
        isRoot: true,
        edges: [],
        target: item,
      },
    ],
  });
});

test('a snapshot does not change with the heap, and JSON can carry it', () => {
  const heap = new Heap();
  const node = heap.alloc({ kind: 'a "kind"' });
  heap.weakref(node);
  const before = heap.snapshot();
  const copy: unknown = JSON.parse(JSON.stringify(before));
  heap.link(node, node);
  heap.clear(node);
  heap.drop(node);
  expect(before).toEqual(copy);
  expect(heap.snapshot().nodes).toMatchObject([{ kind: 'weakref', target: null }]);
});

test('a node in gc.garbage is a root, and a resurrected node is finalized', () => {
  const heap = new Heap();
  const phoenix = heap.alloc({ finalizer: (self) => heap.hold(self) });
  heap.drop(phoenix);
  const stuck = heap.alloc({ legacy: true, finalizer: () => {} });
  heap.link(stuck, stuck);
  heap.drop(stuck);
  heap.gc.collect();
  expect(heap.snapshot().nodes).toMatchObject([
    { handle: phoenix, finalized: true, isRoot: true },
    { handle: stuck, finalized: false, isRoot: true },
  ]);
});

test('a frozen node is permanent, a dying one untracked or back in generation 0', () => {
  const heap = new Heap();
  const frozen = heap.alloc();
  heap.gc.freeze();
  const seen: unknown[] = [];
  const dying = heap.alloc({
    legacy: true,
    finalizer: () => seen.push(heap.snapshot().nodes.map(({ generation }) => generation)),
  });
  heap.drop(dying);
  expect(seen).toEqual([['permanent', 0]]);
  expect(heap.snapshot().nodes).toMatchObject([{ handle: frozen, generation: 'permanent' }]);
});

test('a disposed heap refuses a snapshot', () => {
  const heap = new Heap();
  heap[Symbol.dispose]();
  expect(() => heap.snapshot()).toThrow(HeapDisposedError);
  expect(() => heap.dominators()).toThrow(HeapDisposedError);
});
