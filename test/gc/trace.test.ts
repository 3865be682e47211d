import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Handle,
  Heap,
  HeapBusyError,
  type HeapEvent,
  ReferenceQueue,
} from '../../src/gc/index.js';

/** Builds a heap with a trace. `told` returns the events since its last call, in short words. */
function traced(): { heap: Heap; told: () => string[]; names: Map<Handle, string> } {
  const names = new Map<Handle, string>();
  const events: HeapEvent[] = [];
  const name = (node: Handle): string => names.get(node) ?? '?';
  const told = (): string[] => events.splice(0).map((event) => describe(event, name));
  return { heap: new Heap({ trace: (event) => events.push(event) }), told, names };
}

function describe(event: HeapEvent, name: (node: Handle) => string): string {
  switch (event.type) {
    case 'alloc':
      return `alloc ${event.kind} ${event.size}`;
    case 'free':
    case 'finalize':
    case 'resurrect':
      return `${event.type} ${name(event.node)}`;
    case 'promote':
      return `promote ${event.nodes.map(name).join(',')} to ${event.to}`;
    case 'edge+':
    case 'edge-':
      return `${event.type} ${name(event.from)} ${name(event.to)}`;
    case 'weak-clear':
      return `weak-clear ${name(event.weak)} ${name(event.target)}`;
    case 'shade':
      return `shade ${name(event.node)} ${event.colour}`;
    case 'weak-callback':
      return `weak-callback ${name(event.weak)}`;
    case 'phase':
      return `${event.phase} ${event.generation}`;
  }
}

test('the trace reports allocations, edges and frees as they happen', () => {
  const { heap, told, names } = traced();
  const [a, b] = [heap.alloc({ kind: 'list', size: 56 }), heap.alloc()];
  names.set(a, 'a').set(b, 'b');
  heap.link(a, b);
  heap.set(a, 0, a);
  heap.link(a, b);
  heap.unlink(a, 0);
  heap.drop(b);
  expect(told()).toEqual([
    'alloc list 56',
    'alloc node 0',
    'edge+ a b',
    'edge- a b',
    'edge+ a a',
    'edge+ a b',
    'edge- a a',
  ]);
  heap.drop(a);
  expect(told()).toEqual(['edge- a b', 'free b', 'free a']);
});

test('the trace reports a collection phase by phase', () => {
  const { heap, told, names } = traced();
  const node = heap.alloc({ finalizer: (self) => heap.hold(self) });
  const other = heap.alloc();
  heap.link(node, node);
  heap.link(node, other);
  const weak = heap.weakref(node, () => {});
  names.set(node, 'node').set(other, 'other').set(weak, 'weak');
  heap.drop(node);
  heap.drop(other);
  told();
  heap.gc.collect(1);
  expect(told()).toEqual([
    'start 1',
    'find-unreachable 1',
    'promote weak to 2',
    'clear-weak-references 1',
    'weak-clear weak node',
    'weak-callback weak',
    'finalize 1',
    'finalize node',
    'find-resurrected 1',
    'resurrect node',
    'resurrect other',
    'delete 1',
    'stop 1',
  ]);
  heap.drop(node);
  heap.gc.collect();
  expect(told()).toEqual([
    'start 2',
    'find-unreachable 2',
    'promote weak to 2',
    'clear-weak-references 2',
    'finalize 2',
    'delete 2',
    'edge- node other',
    'free other',
    'edge- node node',
    'free node',
    'stop 2',
  ]);
});

test('the trace reports a resurrection by count after its finalizer', () => {
  const { heap, told, names } = traced();
  const node = heap.alloc({ finalizer: (self) => heap.hold(self) });
  names.set(node, 'node');
  heap.drop(node);
  expect(told()).toEqual(['alloc node 0', 'finalize node', 'resurrect node']);
});

test('the events are enough to know every node, edge and target at any time', () => {
  const step = fc.record({
    op: fc.constantFrom('alloc', 'link', 'unlink', 'set', 'clear', 'drop', 'weakref', 'collect'),
    from: fc.nat(),
    to: fc.nat(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
      const edges = new Map<Handle, Handle[]>();
      const errors: unknown[] = [];
      const heap = new Heap({
        thresholds: [5, 2, 2],
        onUnraisable: (error) => errors.push(error),
        trace: (event) => {
          if (event.type === 'alloc') edges.set(event.node, []);
          else if (event.type === 'free') {
            expect(edges.get(event.node)).toEqual([]);
            edges.delete(event.node);
          } else if (event.type === 'edge+') edges.get(event.from)?.push(event.to);
          else if (event.type === 'edge-') {
            const targets = edges.get(event.from) as Handle[];
            targets.splice(targets.indexOf(event.to), 1);
          }
        },
      });
      const held: Handle[] = [];
      for (const { op, from, to } of steps) {
        const source = held[from % held.length];
        const target = held[to % held.length];
        if (op === 'collect') heap.gc.collect();
        if (op === 'alloc') held.push(heap.alloc());
        if (source === undefined || target === undefined) continue;
        if (op === 'drop') heap.drop(held.splice(from % held.length, 1)[0] as Handle);
        if (heap.isAlive(source) && !heap.isWeak(source)) {
          const count = heap.edgeCount(source);
          if (op === 'link') heap.link(source, target);
          if (op === 'clear') heap.clear(source);
          if (op === 'unlink' && count > 0) heap.unlink(source, to % count);
          if (op === 'set' && count > 0) heap.set(source, from % count, target);
          if (op === 'weakref') held.push(heap.weakref(source));
        }
        const book = [...edges].map(([node, targets]) => [node, [...targets].sort()]);
        const truth = heap.snapshot().nodes.map((node) => [node.handle, [...node.edges].sort()]);
        expect(errors).toEqual([]);
        expect(new Map(book as never)).toEqual(new Map(truth as never));
      }
    }),
    { numRuns: 200 },
  );
});

test('the unraisable hook receives what a trace throws, and the heap continues', () => {
  const errors: unknown[] = [];
  const heap = new Heap({
    trace: ({ type }) => {
      throw new Error(type);
    },
    onUnraisable: (error, where) => errors.push([(error as Error).message, where]),
  });
  const node = heap.alloc();
  heap.link(node, node);
  heap.drop(node);
  expect(heap.gc.collect()).toBe(1);
  expect(errors[0]).toEqual(['alloc', 'trace']);
  expect(heap.stats()).toMatchObject({ live: 0, unraisable: errors.length });
  heap.assertInvariants();
});

test('the heap refuses to be used from its trace, and stays consistent', () => {
  const refused: unknown[] = [];
  const uses: (() => unknown)[] = [];
  const heap = new Heap({
    trace: () => {
      for (const use of uses.splice(0)) {
        try {
          use();
          refused.push(undefined);
        } catch (error) {
          refused.push(error);
        }
      }
    },
  });
  const node = heap.alloc();
  const root = heap.addRoot(node);
  uses.push(
    () => heap.alloc(),
    () => heap.hold(node),
    () => heap.drop(node),
    () => root[Symbol.dispose](),
    () => heap.link(node, node),
    () => heap.isAlive(node),
    () => heap.snapshot(),
    () => heap.gc.collect(),
    () => heap.gc.garbage.clear(),
    () => heap.phantom(node, new ReferenceQueue()),
  );
  heap.weakref(node);
  expect(refused).toHaveLength(10);
  for (const error of refused) expect(error).toBeInstanceOf(HeapBusyError);
  expect(refused[0]).toMatchObject({ code: 'TENURE_HEAP_BUSY' });
  heap.assertInvariants();
  root[Symbol.dispose]();
  expect(heap.refcount(node)).toBe(1);
});

test('a trace can dispose of its heap, and then receives no more events', () => {
  const told: string[] = [];
  const heap = new Heap({
    trace: ({ type }) => {
      told.push(type);
      if (type === 'free') heap[Symbol.dispose]();
    },
  });
  const [a, b, other] = [heap.alloc(), heap.alloc(), heap.alloc()];
  heap.link(a, b);
  heap.drop(b);
  heap.drop(a);
  expect(told).toEqual(['alloc', 'alloc', 'alloc', 'edge+', 'edge-', 'free']);
  expect(heap.isAlive(other)).toBe(false);
  expect(() => heap.alloc()).toThrow('disposed');
});
