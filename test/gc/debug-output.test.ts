import { expect, test } from 'vitest';
import {
  DEBUG_COLLECTABLE,
  DEBUG_LEAK,
  DEBUG_STATS,
  DEBUG_UNCOLLECTABLE,
  type Handle,
  Heap,
} from '../../src/gc/index.js';

function heapThatPrints(): { heap: Heap; lines: string[] } {
  const lines: string[] = [];
  let now = 0;
  const clock = { now: () => now++ };
  return { heap: new Heap({ onDebug: (line) => lines.push(line), clock }), lines };
}

function loop(heap: Heap, kind: string, legacy = false): Handle {
  const node = heap.alloc(legacy ? { kind, legacy, finalizer: () => {} } : { kind });
  heap.link(node, node);
  heap.drop(node);
  return node;
}

test("DEBUG_STATS prints each collection in CPython's words", () => {
  const { heap, lines } = heapThatPrints();
  heap.alloc();
  heap.gc.freeze();
  heap.alloc();
  heap.gc.collect(0);
  loop(heap, 'list');
  loop(heap, 'list', true);
  heap.gc.setDebug(DEBUG_STATS);
  heap.gc.collect();
  expect(lines).toEqual([
    'gc: collecting generation 2...',
    'gc: objects in each generation: 2 1 0',
    'gc: objects in permanent generation: 1',
    'gc: done, 2 unreachable, 1 uncollectable, 0.0010s elapsed',
  ]);
});

test('DEBUG_COLLECTABLE and DEBUG_UNCOLLECTABLE print the kind and the handle of each node', () => {
  const { heap, lines } = heapThatPrints();
  heap.gc.setDebug(DEBUG_COLLECTABLE | DEBUG_UNCOLLECTABLE);
  const [plain, legacy] = [loop(heap, 'list'), loop(heap, 'socket', true)];
  heap.gc.collect();
  expect(lines).toEqual([
    `gc: collectable <list 0x${plain.toString(16)}>`,
    `gc: uncollectable <socket 0x${legacy.toString(16)}>`,
  ]);
});

test('DEBUG_LEAK prints and keeps nodes, and no flag prints nothing', () => {
  const { heap, lines } = heapThatPrints();
  loop(heap, 'list');
  heap.gc.collect();
  expect(lines).toEqual([]);
  heap.gc.setDebug(DEBUG_LEAK);
  loop(heap, 'dict');
  heap.gc.collect();
  expect(lines).toEqual([expect.stringContaining('gc: collectable <dict ')]);
  expect(heap.gc.garbage.length).toBe(1);
});

test('the unraisable hook receives what a debug hook throws, and the collection continues', () => {
  const errors: unknown[] = [];
  const failure = new Error('the log is full');
  const heap = new Heap({
    onDebug: () => {
      throw failure;
    },
    onUnraisable: (error, where) => errors.push([where, error]),
  });
  heap.gc.setDebug(DEBUG_COLLECTABLE);
  const node = loop(heap, 'list');
  expect(heap.gc.collect()).toBe(1);
  expect(heap.isAlive(node)).toBe(false);
  expect(errors).toEqual([['debug output', failure]]);
});
