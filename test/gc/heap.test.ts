import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Handle, Heap } from '../../src/gc/index.js';

test('a node dies when its last reference ends, and what only it held dies with it', () => {
  const heap = new Heap();
  const [parent, child] = [heap.alloc(), heap.alloc()];
  heap.link(parent, child);
  heap.drop(child);
  expect(heap.isAlive(child)).toBe(true);
  heap.drop(parent);
  expect([heap.isAlive(parent), heap.isAlive(child)]).toEqual([false, false]);
  expect(heap.stats()).toMatchObject({
    allocated: 2,
    freedByRefcount: 2,
    freedByCycle: 0,
    live: 0,
  });
});

test('a cycle without outside references lives until a collection', () => {
  const heap = new Heap();
  const [a, b] = [heap.alloc(), heap.alloc()];
  heap.link(a, b);
  heap.link(b, a);
  heap.drop(a);
  heap.drop(b);
  expect([heap.isAlive(a), heap.isAlive(b)]).toEqual([true, true]);
  expect(heap.pathFromRoot(a)).toEqual([]);
  expect(heap.gc.collect()).toBe(2);
  expect(heap.stats()).toMatchObject({ freedByRefcount: 0, freedByCycle: 2, live: 0 });
});

test('a chain of a million nodes is freed without overflowing the stack', () => {
  const heap = new Heap();
  heap.gc.disable();
  let head = heap.alloc();
  for (let i = 1; i < 1_000_000; i++) {
    const next = heap.alloc();
    heap.link(next, head);
    heap.drop(head);
    head = next;
  }
  heap.drop(head);
  expect(heap.stats().live).toBe(0);
});

test('a node has any number of edges, in order, and any of them can be replaced or removed', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.record({ op: fc.constant('link' as const), target: fc.nat(4) }),
          fc.record({ op: fc.constant('set' as const), place: fc.nat(), target: fc.nat(4) }),
          fc.record({ op: fc.constant('unlink' as const), place: fc.nat() }),
          fc.record({ op: fc.constant('clear' as const) }),
        ),
        { maxLength: 120 },
      ),
      (steps) => {
        const heap = new Heap();
        const source = heap.alloc();
        const targets = Array.from({ length: 5 }, () => heap.alloc());
        let model: Handle[] = [];
        for (const step of steps) {
          if (step.op === 'link') {
            const target = targets[step.target] as Handle;
            expect(heap.link(source, target)).toBe(model.length);
            model.push(target);
          } else if (step.op === 'clear') {
            heap.clear(source);
            model = [];
          } else if (model.length > 0) {
            const place = step.place % model.length;
            if (step.op === 'set') {
              model[place] = targets[step.target] as Handle;
              heap.set(source, place, targets[step.target] as Handle);
            } else {
              model.splice(place, 1);
              heap.unlink(source, place);
            }
          }
          expect(heap.edges(source)).toEqual(model);
          expect(heap.edgeCount(source)).toBe(model.length);
          for (const target of targets) {
            const edges = model.filter((other) => other === target).length;
            expect(heap.refcount(target)).toBe(edges + 1);
          }
        }
        heap.assertInvariants();
      },
    ),
  );
});

test('pathFromRoot is the shortest path from a node that is held from outside', () => {
  const heap = new Heap();
  const [root, long, longer, target] = [1, 2, 3, 4].map(() => heap.alloc()) as [
    Handle,
    Handle,
    Handle,
    Handle,
  ];
  heap.link(root, long);
  heap.link(long, longer);
  heap.link(longer, target);
  for (const node of [long, longer, target]) heap.drop(node);
  expect(heap.pathFromRoot(target)).toEqual([root, long, longer, target]);
  heap.link(root, target);
  expect(heap.pathFromRoot(target)).toEqual([root, target]);
  const handle = heap.addRoot(target);
  expect(heap.pathFromRoot(target)).toEqual([target]);
  handle[Symbol.dispose]();
  handle[Symbol.dispose]();
  expect(heap.pathFromRoot(target)).toEqual([root, target]);
  heap.assertInvariants();
});

test('the survivors of a full collection are the nodes that can be reached from outside', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(29), fc.nat(29)), { maxLength: 90 }),
      fc.uniqueArray(fc.nat(29), { maxLength: 6 }),
      (edges, roots) => {
        const heap = new Heap();
        const nodes = Array.from({ length: 30 }, () => heap.alloc());
        for (const [from, to] of edges) heap.link(nodes[from] as Handle, nodes[to] as Handle);
        for (const [i, node] of nodes.entries()) if (!roots.includes(i)) heap.drop(node);
        heap.gc.collect();
        const reachable = new Set(roots);
        for (const from of reachable) {
          for (const [source, to] of edges) if (source === from) reachable.add(to);
        }
        for (const [i, node] of nodes.entries()) expect(heap.isAlive(node)).toBe(reachable.has(i));
        heap.assertInvariants();
      },
    ),
  );
});

test('statistics count kinds, generations, promotions, survival and pauses', () => {
  let now = 0;
  const heap = new Heap({ clock: { now: () => (now += 3) } });
  const keep = [heap.alloc({ kind: 'lease' }), heap.alloc({ kind: 'lease' })];
  const cycle = heap.alloc({ kind: 'scope' });
  heap.link(cycle, cycle);
  heap.drop(cycle);
  heap.gc.collect(0);
  expect(heap.stats()).toMatchObject({
    liveByKind: new Map([['lease', 2]]),
    liveByGeneration: [0, 2, 0],
    promoted: [2, 0],
    pauses: { count: 1, totalMillis: 3, maxMillis: 3 },
    lastTrigger: 'explicit',
    peakLive: 3,
  });
  expect(heap.stats().survivalRate[0]).toBeCloseTo(2 / 3);
  heap.gc.collect(1);
  expect(heap.stats()).toMatchObject({ promoted: [2, 2], liveByGeneration: [0, 0, 2] });
  expect(heap.stats().longLived).toEqual({ total: 0, pending: 2 });
  for (const node of keep) expect(heap.generation(node)).toBe(2);
});

test('sizes add up to the live bytes, and a reused slot starts without a size', () => {
  const heap = new Heap();
  const small = heap.alloc();
  const large = heap.alloc({ size: 4_000_000_000 });
  const cycle = heap.alloc({ size: 24 });
  heap.link(cycle, cycle);
  heap.drop(cycle);
  expect([small, large, cycle].map((node) => heap.size(node))).toEqual([0, 4_000_000_000, 24]);
  expect(heap.stats().bytesLive).toBe(4_000_000_024);
  heap.gc.collect();
  expect(heap.stats().bytesLive).toBe(4_000_000_000);
  heap.drop(large);
  expect(heap.stats().bytesLive).toBe(0);
  const reused = [heap.alloc(), heap.alloc()];
  expect(reused.map((node) => heap.size(node))).toEqual([0, 0]);
  expect(heap.stats().bytesLive).toBe(0);
});

test('an allocation above the threshold collects before or after the new node is tracked', () => {
  for (const [trigger, promoted] of [
    ['allocation', 2],
    ['safepoint', 3],
  ] as const) {
    const heap = new Heap({ thresholds: [2, 10, 10], trigger });
    for (let i = 0; i < 3; i++) heap.alloc();
    expect(heap.stats().promoted[0]).toBe(promoted);
    expect(heap.stats().lastTrigger).toBe('threshold');
  }
});

test('slots are reused, and handles of their former nodes stay stale', () => {
  const heap = new Heap();
  const old: Handle[] = [];
  for (let round = 0; round < 50; round++) {
    const node = heap.alloc();
    expect(old.some((handle) => heap.isAlive(handle))).toBe(false);
    expect(new Set(old).has(node)).toBe(false);
    old.push(node);
    heap.drop(node);
  }
  expect(heap.stats().peakLive).toBe(1);
});
