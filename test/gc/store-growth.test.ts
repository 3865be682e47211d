/** The memory of a heap grows in steps: a program must not stop for the copy of all columns at once. */
import { expect, test } from 'vitest';
import { firstTagOfNextHeap } from '../../src/gc/memory/handle.js';
import { NodeStore, PLAIN } from '../../src/gc/memory/node-store.js';

const NODES = 70_000;

function columnsOf(store: NodeStore): readonly { readonly length: number }[] {
  const { refcount, holds, gcWord, tag, meta, sizes, edges, lists, census } = store;
  return [
    refcount,
    holds,
    gcWord,
    tag,
    meta,
    sizes,
    edges.pair,
    lists.links,
    lists.listOf,
    ...(census === null ? [] : [census.places]),
  ];
}

test('no node makes more than one column grow', () => {
  const store = new NodeStore(false, true);
  store.setSize(store.allocateSlot(PLAIN, 0), 1);
  let before = columnsOf(store);
  for (let taken = 0; taken < NODES; taken++) {
    store.allocateSlot(PLAIN, 0);
    const after = columnsOf(store);
    const grown = after.filter((column, i) => column !== before[i]).length;
    if (grown > 1) throw new Error(`${grown} columns grew at node ${taken}`);
    before = after;
  }
  for (const column of columnsOf(store))
    expect(column.length).toBeGreaterThanOrEqual(store.capacity);
});

test('what nodes have is kept while columns grow, and new slots are empty', () => {
  const store = new NodeStore(false, true);
  const firstTag = store.firstTag;
  expect(firstTagOfNextHeap()).not.toBe(firstTag);
  for (let taken = 0; taken < NODES; taken++) {
    const index = store.allocateSlot(PLAIN, 3);
    store.census?.recordBirth(index, 3);
    store.refcount[index] = index;
    store.edges.push(index, index);
    store.lists.append(1, index);
    if (taken === 900) store.setSize(index, 5); // Columns are growing: sizes come to be in the middle of it.
  }
  const wrong: number[] = [];
  store.visit((index) => {
    const isRight =
      store.refcount[index] === index &&
      store.tag[index] === firstTag &&
      store.kindId(index) === 3 &&
      store.edges.at(index, 0) === index &&
      store.lists.listOf[index] === 1;
    if (!isRight) wrong.push(index);
  });
  expect(wrong).toEqual([]);
  expect(store.census?.countsOf(3).live).toEqual([NODES, 0, 0]);
  let sized = 0;
  store.visit((index) => {
    sized += store.size(index);
  });
  expect(sized).toBe(5);
});

test('a node with many edges keeps them while the slabs grow', () => {
  const store = new NodeStore();
  const [hub, other] = [store.allocateSlot(PLAIN, 0), store.allocateSlot(PLAIN, 0)];
  for (let edge = 0; edge < 200_000; edge++) {
    store.edges.push(hub, edge + 1);
    if (edge % 50_000 === 0) for (let i = 0; i < 40_000; i++) store.edges.push(other, i + 1);
  }
  expect(store.edges.count(hub)).toBe(200_000);
  for (let edge = 0; edge < 200_000; edge++) {
    if (store.edges.at(hub, edge) !== edge + 1) throw new Error(`edge ${edge} is lost`);
  }
  expect(store.edges.targets(other).slice(40_000, 40_002)).toEqual([1, 2]);
});
