import { expect, test } from 'vitest';
import { WeakReferences } from '../../src/gc/deallocation/weak-references.js';
import { HeapState } from '../../src/gc/heap-state.js';
import type { HeapOp } from '../../src/gc/index.js';
import { GENERATION_0 } from '../../src/gc/memory/generation-lists.js';
import type { Handle } from '../../src/gc/memory/handle.js';
import { NodeStore, PLAIN } from '../../src/gc/memory/node-store.js';
import { ProgramMachine } from '../../src/gc/program/program-machine.js';
import { operationNamed } from '../../src/gc/program/program-operations.js';
import { assertHeapInvariants } from '../../src/gc/views/invariants.js';
import { generateProgram, PROFILES } from './program-generator.js';

function execute(machine: ProgramMachine, op: HeapOp, self: Handle | null): void {
  const [name, a = 0, b = 0, c = 0] = op;
  operationNamed(name)?.run(machine, a, b, c, self);
}

test.each(Object.keys(PROFILES))(
  'the invariants hold after every operation of %s programs, and no node is left at the end',
  (profile) => {
    for (let seed = 90_001; seed <= 90_010; seed++) {
      const program = generateProgram(seed, profile);
      const machine = new ProgramMachine(program, execute);
      const { heap } = machine;
      for (const op of program.ops) {
        execute(machine, op, null);
        heap.assertInvariants();
      }
      heap.gc.setDebug(0);
      heap.gc.unfreeze();
      for (let round = 0; round < 10; round++) {
        heap.gc.garbage.clear();
        for (let register = 0; register < machine.registers.length; register++) {
          machine.bind(register, null);
        }
        heap.gc.collect();
        heap.assertInvariants();
      }
      if (PROFILES[profile]?.legacy === undefined) expect(heap.stats().live).toBe(0);
    }
  },
);

test('a node with two edges takes at most 48 bytes, sizes included', () => {
  const store = new NodeStore();
  store.setSize(store.allocateSlot(0, 0), 1);
  const columns = [
    store.refcount,
    store.holds,
    store.gcWord,
    store.tag,
    store.meta,
    store.sizes,
    store.edges.pair,
    store.lists.links,
    store.lists.listOf,
  ];
  const bytes = columns.reduce((sum, column) => sum + column.byteLength, 0);
  expect(bytes / store.capacity).toBeLessThanOrEqual(48);
});

test('growth copies each node an amortised constant number of times', () => {
  const store = new NodeStore();
  let copied = 0;
  for (let taken = 0; taken < 100_000; taken++) {
    const before = store.capacity;
    store.allocateSlot(0, 0);
    if (store.capacity > before) copied += before;
  }
  expect(copied).toBeLessThan(3 * 100_000);
});

test('slabs of removed edges and outgrown slabs are reused', () => {
  const store = new NodeStore();
  const node = store.allocateSlot(PLAIN, 0);
  for (let round = 0; round < 10_000; round++) {
    for (let edge = 0; edge < 20; edge++) store.edges.push(node, node);
    if (round % 2 === 0) store.edges.take(node);
    else for (let edge = 20; edge > 0; edge--) store.edges.remove(node, edge - 1);
    if (store.edges.count(node) !== 0) throw new Error(`round ${round} left edges`);
  }
  expect(store.edges.slab.length).toBe(1_024);
});

test('the check finds wrong counts, marks and lists', () => {
  const breakages: [breakIt: (store: NodeStore, a: number, b: number) => void, RegExp][] = [
    [(store, a) => store.refcount.fill(7, a, a + 1), /neither edges nor holds/],
    [(store, _a, b) => store.refcount.fill(0, b, b + 1), /more edges and holds/],
    [(store, a) => store.gcWord.fill(1, a, a + 1), /marked by a collection/],
    [(store, a) => store.lists.listOf.fill(2, a, a + 1), /does not know its generation/],
    [(store) => store.lists.lengths.fill(9, 1, 2), /9 counted/],
    [(store, _a, b) => store.lists.links.fill(0, 2 * b + 1, 2 * b + 2), /does not point back/],
    [(store, _a, b) => store.lists.remove(b), /edge to the dead node/],
    [(store, a) => store.lists.remove(a), /in no generation/],
    [(store) => store.allocateSlot(PLAIN, 0), /in no generation/],
  ];
  for (const [breakIt, complaint] of breakages) {
    const state = new HeapState(undefined, {
      clock: { now: () => 0 },
      thresholds: [700, 10, 10],
      trigger: 'allocation',
      onUnraisable: () => {},
      onDebug: () => {},
      shared: false,
      trace: undefined,
    });
    const { store } = state;
    const [a, b] = [0, 1].map(() => {
      const index = store.allocateSlot(PLAIN, 0);
      state.counters.recordAllocation(0, 0);
      store.lists.append(GENERATION_0, index);
      return index;
    }) as [number, number];
    store.edges.push(a, b);
    store.refcount[b] = 2;
    const weak = new WeakReferences(state);
    assertHeapInvariants(state, weak);
    breakIt(store, a, b);
    expect(() => assertHeapInvariants(state, weak)).toThrow(complaint);
  }
});
