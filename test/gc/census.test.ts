import { expect, test } from 'vitest';
import { Heap } from '../../src/gc/index.js';

function counted(heap: Heap, kind: string) {
  return heap.census().find((entry) => entry.kind === kind);
}

test('a node counts by kind and site, in the generation that it has reached', () => {
  const heap = new Heap({ census: true });
  const kept = heap.alloc({ kind: 'loan', site: 'a.ts:1' });
  heap.gc.collect(0);
  const second = heap.alloc({ kind: 'loan', site: 'a.ts:1' });
  heap.alloc({ kind: 'loan', site: 'b.ts:2' });
  expect(heap.census()).toEqual([
    {
      kind: 'loan',
      site: 'a.ts:1',
      born: 2,
      live: [1, 1, 0],
      freed: [0, 0, 0],
      promoted: [1, 0, 0],
    },
    {
      kind: 'loan',
      site: 'b.ts:2',
      born: 1,
      live: [1, 0, 0],
      freed: [0, 0, 0],
      promoted: [0, 0, 0],
    },
  ]);
  heap.gc.collect(1);
  heap.drop(kept);
  heap.drop(second);
  expect(heap.census()[0]).toMatchObject({ live: [0, 0, 0], freed: [0, 0, 2], born: 2 });
  expect(heap.site(heap.alloc())).toBe('');
  expect(heap.stats().liveByKind.get('loan')).toBe(1);
});

test('a cycle that a collection frees counts as freed, one by one and in bulk', () => {
  for (const finalizer of [undefined, () => {}]) {
    const heap = new Heap({ census: true });
    for (let i = 0; i < 10; i++) {
      const node = heap.alloc({ kind: 'ring', ...(finalizer && { finalizer }) });
      heap.link(node, node);
      heap.drop(node);
    }
    expect(counted(heap, 'ring')).toMatchObject({ born: 10, live: [10, 0, 0] });
    heap.gc.collect();
    const rings = counted(heap, 'ring');
    expect([rings?.live, rings?.freed.reduce((sum, n) => sum + n)]).toEqual([[0, 0, 0], 10]);
  }
});

test('a node that a finalizer resurrects counts as alive', () => {
  const heap = new Heap({ census: true });
  const root = heap.alloc({ kind: 'root' });
  const node = heap.alloc({ kind: 'phoenix', finalizer: (self) => void heap.link(root, self) });
  heap.gc.collect(1);
  heap.drop(node);
  const phoenix = counted(heap, 'phoenix');
  expect([phoenix?.live, phoenix?.freed]).toEqual([
    [1, 0, 0],
    [0, 0, 0],
  ]);
  expect(heap.stats().liveByGeneration).toEqual([1, 0, 1]);
});

test('a heap without the option counts no classes', () => {
  const heap = new Heap();
  heap.alloc({ kind: 'loan', site: 'a.ts:1' });
  expect(heap.census()).toEqual([]);
});

test('a reclassified node counts under its new kind and site only', () => {
  const heap = new Heap({ census: true });
  const node = heap.alloc({ kind: 'component' });
  heap.reclassify(node, 'pool', 'db');
  expect([heap.kind(node), heap.site(node)]).toEqual(['pool', 'db']);
  expect(heap.census()).toMatchObject([{ kind: 'pool', site: 'db', born: 1, live: [1, 0, 0] }]);
  expect(heap.stats().liveByKind).toEqual(new Map([['pool', 1]]));
});
