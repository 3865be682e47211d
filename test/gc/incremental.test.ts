import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Handle, Heap, type HeapEvent, InvalidArgumentError } from '../../src/gc/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { type Move, RandomMutator } from './random-mutator.js';
import { unreachableLoop } from './unreachable-loop.js';

const move = fc.tuple(fc.nat(19), fc.nat(1_000), fc.nat(1_000)) as fc.Arbitrary<Move>;
/** Moves of the mutator, each followed by a step with a budget of objects. */
const interleavings = fc.array(
  fc.tuple(fc.array(move, { maxLength: 6 }), fc.integer({ min: 1, max: 12 })),
  { maxLength: 60 },
);

test('steps free no reachable node, and a cycle frees each node that was unreachable at its start', () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 60 }), interleavings, (before, interleaving) => {
      const mutator = new RandomMutator({ collector: 'incremental' });
      for (const one of before) mutator.do(one);
      let lostAtStart = unreachable(mutator);
      for (const [program, objects] of interleaving) {
        for (const one of program) {
          mutator.do(one);
          mutator.heap.assertInvariants();
        }
        const state = mutator.heap.step({ objects });
        mutator.heap.assertInvariants();
        expect(mutator.damaged()).toEqual([]);
        if (state === 'more') continue;
        expect(lostAtStart.filter((node) => mutator.heap.isAlive(node))).toEqual([]);
        lostAtStart = unreachable(mutator);
      }
    }),
    { numRuns: 1_000 },
  );
});

test('an unreachable node that the mutator links or holds again is not freed', () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 60 }), interleavings, (before, interleaving) => {
      const mutator = new RandomMutator({ collector: 'incremental' }, true);
      for (const one of before) mutator.do(one);
      for (const [program, objects] of interleaving) {
        for (const one of program) mutator.do(one);
        mutator.heap.step({ objects });
        mutator.heap.assertInvariants();
        expect(mutator.held().filter((node) => !mutator.heap.isAlive(node))).toEqual([]);
      }
      mutator.heap.gc.collect();
      mutator.heap.assertInvariants();
    }),
    { numRuns: 1_000 },
  );
});

test('no edge leads from a black node to a white one, and no root is white once marking has begun', () => {
  fc.assert(
    fc.property(interleavings, (interleaving) => {
      const phases: string[] = [];
      const there = new Set<Handle>();
      const deadNodes: Handle[] = [];
      const mutator = new RandomMutator({
        collector: 'incremental',
        trace: (event) => {
          if (event.type === 'phase') phases.push(event.phase);
          if (event.type === 'alloc') there.add(event.node);
          if (event.type === 'free') there.delete(event.node);
          if (event.type === 'shade' && !there.has(event.node)) deadNodes.push(event.node);
        },
      });
      for (const [program, objects] of interleaving) {
        for (const one of program) mutator.do(one);
        mutator.heap.step({ objects });
        expect(deadNodes).toEqual([]);
        if (phases.at(-1) !== 'mark') continue;
        const nodes = new Map(mutator.heap.snapshot().nodes.map((node) => [node.handle, node]));
        for (const { colour, edges } of nodes.values()) {
          if (colour !== 'black' || edges.length > 2) continue;
          expect(edges.map((edge) => nodes.get(edge)?.colour)).not.toContain('white');
        }
      }
    }),
    { numRuns: 500 },
  );
});

test('a step stops at its budget of objects, even between two edges of a large node', () => {
  const heap = new Heap({ collector: 'incremental', thresholds: [0, 0, 0] });
  const hub = heap.alloc();
  for (let i = 0; i < 1_000; i++) {
    const spoke = heap.alloc();
    heap.link(hub, spoke);
    heap.drop(spoke);
  }
  let steps = 0;
  let black = 0;
  while (heap.step({ objects: 10 }) === 'more') {
    steps++;
    const nowBlack = heap.snapshot().nodes.filter(({ colour }) => colour === 'black').length;
    expect(nowBlack - black).toBeLessThanOrEqual(10);
    black = nowBlack;
  }
  expect(black).toBe(1_001);
  expect(steps).toBeGreaterThan(300);
  expect(heap.stats().collector.steps).toBe(steps + 1);
  expect(heap.stats().pauses.count).toBe(steps + 1);
  expect(heap.gc.getStats()[2].collections).toBe(1);
});

test('the scan follows edges that move up while it is in their node', () => {
  const heap = new Heap({ collector: 'incremental' });
  const hub = heap.alloc();
  const spokes = Array.from({ length: 40 }, () => heap.alloc());
  for (const spoke of spokes) {
    heap.link(hub, spoke);
    heap.link(spoke, hub);
  }
  for (const spoke of spokes) heap.drop(spoke);
  while (heap.colour(spokes[10] as Handle) !== 'grey') heap.step({ objects: 1 });
  for (let i = 0; i < 10; i++) heap.unlink(hub, 0);
  while (heap.step({ objects: 1 }) === 'more') heap.assertInvariants();
  expect(spokes.slice(10).map((spoke) => heap.edges(spoke))).toEqual(Array(30).fill([hub]));
  expect(spokes.slice(0, 10).some((spoke) => heap.isAlive(spoke))).toBe(false);
});

test('a heap that grows during a collection keeps its colours', () => {
  const heap = new Heap({ collector: 'incremental', thresholds: [0, 0, 0] });
  const parents = Array.from({ length: 450 }, () => heap.alloc());
  const children = parents.map((parent) => {
    const child = heap.alloc();
    heap.link(parent, child);
    heap.drop(child);
    return child;
  });
  const lost = Array.from({ length: 20 }, () => unreachableLoop(heap));
  while (heap.colour(parents[0] as Handle) !== 'black') heap.step({ objects: 1 });
  const after = Array.from({ length: 5_000 }, () => heap.alloc());
  while (heap.step({ objects: 50 }) === 'more') heap.assertInvariants();
  expect([...parents, ...children, ...after].every((node) => heap.isAlive(node))).toBe(true);
  expect(lost.some((node) => heap.isAlive(node))).toBe(false);
});

test('an unreachable node that is held before its deletion survives', () => {
  for (const finalizer of [undefined, () => {}]) {
    const heap = new Heap({ collector: 'incremental' });
    const loops = Array.from({ length: 6 }, () => {
      const node = heap.alloc(finalizer === undefined ? {} : { finalizer });
      heap.link(node, node);
      heap.drop(node);
      return node;
    });
    while (loops.every((node) => heap.isAlive(node))) heap.step({ objects: 1 });
    const last = loops.findLast((node) => heap.isAlive(node)) as Handle;
    heap.hold(last);
    expect(heap.step()).toBe('done');
    heap.assertInvariants();
    expect(loops.filter((node) => heap.isAlive(node))).toEqual([last]);
    expect([heap.refcount(last), heap.generation(last)]).toEqual([2, 2]);
  }
});

test('the scan follows each of several large nodes from its first edge', () => {
  const heap = new Heap({ collector: 'incremental' });
  const children = [10, 5, 8].flatMap((edges) => {
    const hub = heap.alloc();
    return Array.from({ length: edges }, () => {
      const child = heap.alloc();
      heap.link(child, hub);
      heap.link(hub, child);
      heap.drop(child);
      return child;
    });
  });
  while (heap.step({ objects: 3 }) === 'more') heap.assertInvariants();
  expect(children.map((child) => heap.edgeCount(child))).toEqual(Array(23).fill(1));
});

test('the scan follows a changed edge of a black node', () => {
  const heap = new Heap({ collector: 'incremental' });
  const [item, hidden, early, late] = [heap.alloc(), heap.alloc(), heap.alloc(), heap.alloc()];
  heap.link(hidden, item);
  heap.link(late, hidden);
  heap.link(early, early);
  heap.drop(item);
  heap.drop(hidden);
  while (heap.colour(early) !== 'black') heap.step({ objects: 1 });
  expect([hidden, late].map((node) => heap.colour(node))).toEqual(['white', 'white']);
  heap.set(early, 0, hidden);
  heap.unlink(late, 0);
  while (heap.step({ objects: 1 }) === 'more') heap.assertInvariants();
  expect(heap.edges(hidden)).toEqual([item]);
});

test('steps delete an unreachable ring node by node', () => {
  const heap = new Heap({ collector: 'incremental', thresholds: [0, 0, 0] });
  const ring = Array.from({ length: 1_000 }, () => heap.alloc());
  for (const [i, node] of ring.entries()) heap.link(node, ring[(i + 1) % 1_000] as Handle);
  for (const node of ring) heap.drop(node);
  let live = 1_000;
  for (let state = ''; state !== 'done'; live = heap.stats().live) {
    state = heap.step({ objects: 10 });
    expect(live - heap.stats().live).toBeLessThanOrEqual(11);
  }
  expect(live).toBe(0);
});

test('a collection that ends in a finalizer keeps the dying node', () => {
  const heap = new Heap({ collector: 'incremental' });
  const item = heap.alloc();
  let edges: readonly Handle[] = [];
  const node = heap.alloc({
    finalizer: (self) => {
      while (heap.step({ objects: 1 }) === 'more') heap.assertInvariants();
      edges = heap.edges(self);
    },
  });
  heap.link(node, item);
  heap.drop(item);
  heap.step({ objects: 1 });
  heap.drop(node);
  expect(edges).toEqual([item]);
  expect(heap.stats().live).toBe(0);
});

test('a step stops when its time is used up', () => {
  let now = 0;
  const clock = { now: () => now++ };
  const heap = new Heap({ collector: 'incremental', clock, thresholds: [0, 0, 0] });
  for (let i = 0; i < 10_000; i++) heap.alloc();
  let steps = 1;
  while (heap.step({ millis: 2 }) === 'more') steps++;
  expect(steps).toBeGreaterThan(40);
});

test('allocations run the steps, and nodes allocated meanwhile survive', () => {
  const clock = new FakeClock();
  const heap = new Heap({ collector: 'incremental', clock, step: { objects: 3_000 } });
  const held: Handle[] = [];
  const colours = new Set<string | null>();
  for (let i = 0; i < 30_000; i++) {
    const [keep, lose] = [heap.alloc(), heap.alloc()];
    if (i % 10 === 0) held.push(keep);
    else heap.drop(keep);
    heap.link(lose, lose);
    heap.drop(lose);
    colours.add(heap.colour(held[0] as Handle));
  }
  expect([...colours]).toEqual(expect.arrayContaining([null, 'black']));
  expect(held.every((node) => heap.isAlive(node))).toBe(true);
  expect(heap.stats().collector.steps).toBeGreaterThan(20);
  expect(heap.gc.getStats()[2].collections).toBeGreaterThan(2);
  expect(heap.stats().freedByCycle).toBeGreaterThan(10_000);
  heap.gc.collect();
  expect(heap.stats().live).toBe(held.length);
});

test('a deref during the sweep restores the target with all that it reaches', () => {
  const heap = new Heap({ collector: 'incremental' });
  const root = heap.alloc();
  const [target, item] = [heap.alloc(), heap.alloc()];
  heap.link(target, target);
  heap.link(target, item);
  const weak = heap.weakref(target);
  heap.drop(item);
  heap.drop(target);
  for (let phase = ''; phase !== 'swept'; ) {
    heap.step({ objects: 1 });
    if (heap.generation(target) === 'untracked') phase = 'swept';
  }
  heap.link(root, heap.deref(weak) as Handle);
  expect(heap.step()).toBe('done');
  expect([target, item].map((node) => heap.isAlive(node))).toEqual([true, true]);
  expect(heap.generation(target)).toBe(2);
  heap.assertInvariants();
});

test('collect ends the current cycle, and frees its floating garbage', () => {
  const heap = new Heap({ collector: 'incremental' });
  const [early, late] = [unreachableLoop(heap), heap.alloc()];
  heap.link(late, late);
  while (heap.colour(late) !== 'black') heap.step({ objects: 1 });
  heap.drop(late);
  expect(heap.gc.collect()).toBe(2);
  expect([early, late].map((node) => heap.isAlive(node))).toEqual([false, false]);
  expect(heap.gc.getStats()[2]).toEqual({ collections: 2, collected: 2, uncollectable: 0 });
});

test('freeze gives up the current cycle in any phase', () => {
  for (let steps = 0; steps < 60; steps++) {
    const heap = new Heap({ collector: 'incremental' });
    const root = heap.alloc();
    const loops = Array.from({ length: 5 }, () => unreachableLoop(heap));
    for (let i = 0; i < steps; i++) if (heap.step({ objects: 1 }) === 'done') break;
    heap.gc.freeze();
    heap.assertInvariants();
    expect(heap.colour(root)).toBe(null);
    heap.gc.unfreeze();
    heap.gc.collect();
    expect(loops.some((node) => heap.isAlive(node))).toBe(false);
    expect(heap.isAlive(root)).toBe(true);
  }
});

test('disposing of the heap between two steps ends the cycle', () => {
  const heap = new Heap({ collector: 'incremental' });
  for (let i = 0; i < 10; i++) unreachableLoop(heap);
  heap.step({ objects: 3 });
  heap[Symbol.dispose]();
  expect(() => heap.step()).toThrow('disposed');
});

test('a finalizer can call step, and can dispose of the heap', () => {
  const heap = new Heap({ collector: 'incremental' });
  const told: string[] = [];
  const node = heap.alloc({
    finalizer: () => {
      told.push(heap.step());
      heap[Symbol.dispose]();
    },
  });
  heap.link(node, node);
  heap.drop(node);
  heap.step();
  expect(told).toEqual(['more']);
  expect(() => heap.step()).toThrow('disposed');
});

test('the trace reports every change of colour, and the phases in order', () => {
  const events: HeapEvent[] = [];
  const heap = new Heap({ collector: 'incremental', trace: (event) => events.push(event) });
  const [root, child] = [heap.alloc(), heap.alloc()];
  heap.link(root, child);
  heap.drop(child);
  unreachableLoop(heap);
  events.length = 0;
  while (heap.step({ objects: 1 }) === 'more');
  const told = events.flatMap((event) => {
    if (event.type === 'shade') return `${event.node === root ? 'root' : 'child'} ${event.colour}`;
    return event.type === 'phase' ? event.phase : event.type;
  });
  expect(told).toEqual([
    'start',
    'mark',
    'root grey',
    'root black',
    'child grey',
    'child black',
    'sweep',
    'clear-weak-references',
    'finalize',
    'delete',
    'edge-',
    'free',
    'stop',
  ]);
  events.length = 0;
  heap.alloc();
  expect(events.map(({ type }) => type)).toEqual(['alloc']);
});

test.each([
  [{ objects: 0 }, /`objects` must be an integer ≥ 1/],
  [{ millis: -1 }, /`millis` must be a number of milliseconds/],
  [{ seconds: 1 }, /unknown option `seconds`/],
])('a malformed budget throws: %j', (budget, message) => {
  const heap = new Heap({ collector: 'incremental' });
  expect(() => heap.step(budget as never)).toThrow(InvalidArgumentError);
  expect(() => heap.step(budget as never)).toThrow(message);
  expect(() => new Heap({ step: budget as never })).toThrow(message);
});

function unreachable(mutator: RandomMutator): Handle[] {
  const reachable = mutator.reachable();
  return [...mutator.alive()].filter((node) => !reachable.has(node));
}
