import { expect, test } from 'vitest';
import { type Handle, Heap, StaleHandleError } from '../../src/gc/index.js';

test('a heap refuses handles of another heap', () => {
  const [heap, other] = [new Heap(), new Heap()];
  const [ours, theirs] = [heap.alloc(), other.alloc()];
  expect(ours).not.toBe(theirs);
  expect(heap.isAlive(theirs)).toBe(false);
  expect(() => heap.drop(theirs)).toThrow(StaleHandleError);
  expect(() => heap.link(ours, theirs)).toThrow(StaleHandleError);
  expect(heap.refcount(ours)).toBe(1);
  heap.assertInvariants();
});

test('a heap refuses numbers and values that are not its handles', () => {
  const heap = new Heap();
  for (let i = 0; i < 2_000; i++) heap.alloc();
  const forged: unknown[] = [
    0,
    1,
    16,
    17,
    100,
    1_500,
    16.5,
    -17,
    2 ** 31,
    2 ** 53,
    Number.NaN,
    Infinity,
  ];
  const others: unknown[] = ['17', 17n, Symbol('17'), null, undefined, {}, [17]];
  for (const value of [...forged, ...others]) {
    expect(heap.isAlive(value as Handle)).toBe(false);
    expect(() => heap.refcount(value as Handle)).toThrow(StaleHandleError);
  }
});

test('a slot whose tags are used up is retired', () => {
  const heap = new Heap();
  const first = heap.alloc();
  heap.drop(first);
  let last = first;
  for (let i = 0; i < 200_000; i++) {
    const node = heap.alloc();
    if (!Number.isSafeInteger(node) || node === first || node === last || heap.isAlive(last)) {
      throw new Error(`after ${i} nodes, ${node} follows ${last}`);
    }
    last = node;
    heap.drop(node);
  }
  expect(heap.isAlive(first)).toBe(false);
  expect(heap.stats()).toMatchObject({ allocated: 200_001, live: 0, peakLive: 1 });
  heap.assertInvariants();
});

test('handles of a reused slot never equal those of the next heap', () => {
  const [heap, next] = [new Heap(), new Heap()];
  const theirs = next.alloc();
  for (let i = 0; i < 2 ** 16; i++) heap.drop(heap.alloc());
  const ours = heap.alloc();
  expect(ours).not.toBe(theirs);
  expect(heap.isAlive(theirs)).toBe(false);
});

test('a heap grows, and all its handles stay valid', () => {
  const heap = new Heap();
  heap.gc.disable();
  const nodes = Array.from({ length: 5_000 }, (_, i) => heap.alloc({ kind: `kind ${i % 7}` }));
  expect(new Set(nodes).size).toBe(5_000);
  for (const [i, node] of nodes.entries()) expect(heap.kind(node)).toBe(`kind ${i % 7}`);
  expect(heap.stats().peakLive).toBe(5_000);
});
