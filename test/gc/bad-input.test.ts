import { expect, test, vi } from 'vitest';
import {
  DEBUG_SAVEALL,
  type Handle,
  Heap,
  HeapDisposedError,
  type HeapOptions,
  type HeapProgram,
  InvalidArgumentError,
  type NodeOptions,
  runHeapProgram,
  StaleHandleError,
} from '../../src/gc/index.js';

test.each([
  [{ colector: 'cpython' }, 'unknown option `colector`'],
  [{ collector: 'reference' }, "`collector` must be one of 'cpython'"],
  [{ thresholds: [700, 10] }, '`thresholds` must be three integers'],
  [{ trigger: 'never' }, "`trigger` must be one of 'allocation', 'safepoint'"],
  [{ onUnraisable: 'print' }, '`onUnraisable` must be a function'],
])('an unknown or malformed heap option throws an error that names it: %j', (options, message) => {
  expect(() => new Heap(options as HeapOptions)).toThrow(message);
});

test('every method refuses a stale handle and a handle of another heap, and changes nothing', () => {
  const heap = new Heap();
  const node = heap.alloc();
  const stale = heap.alloc();
  heap.drop(stale);
  const reused = heap.alloc();
  for (const bad of [stale, 7 as Handle, -1 as Handle, Number.NaN as Handle, (2 ** 52) as Handle]) {
    for (const use of [
      () => heap.hold(bad),
      () => heap.drop(bad),
      () => heap.refcount(bad),
      () => heap.link(node, bad),
      () => heap.link(bad, node),
      () => heap.set(bad, 0, node),
      () => heap.unlink(bad, 0),
      () => heap.edges(bad),
      () => heap.weakref(bad),
      () => heap.deref(bad),
      () => heap.pathFromRoot(bad),
      () => heap.generation(bad),
      () => heap.gc.isTracked(bad),
      () => heap.gc.getReferrers(bad),
    ]) {
      expect(use).toThrow(StaleHandleError);
    }
    expect(heap.isAlive(bad)).toBe(false);
  }
  expect(heap.isAlive(reused)).toBe(true);
  heap.assertInvariants();
});

test('a place without an edge throws, and changes nothing', () => {
  const heap = new Heap();
  const [node, other] = [heap.alloc(), heap.alloc()];
  heap.link(node, other);
  for (const place of [-1, 1, 0.5, Number.NaN]) {
    expect(() => heap.set(node, place, other)).toThrow('has 1 edges');
    expect(() => heap.unlink(node, place)).toThrow('has 1 edges');
    expect(() => heap.edgeAt(node, place)).toThrow('has 1 edges');
  }
  expect(heap.refcount(other)).toBe(2);
});

test('a weak reference has no edges and no weak references, and deref refuses other nodes', () => {
  const heap = new Heap();
  const node = heap.alloc();
  const weak = heap.weakref(node);
  expect(() => heap.link(weak, node)).toThrow('a weak reference has no edges');
  expect(() => heap.weakref(weak)).toThrow('a weak reference has no edges');
  expect(() => heap.deref(node)).toThrow('not a weak reference');
  expect(heap.edges(weak)).toEqual([]);
  heap.assertInvariants();
});

test('the unraisable hook receives what finalizers and callbacks throw, and the heap continues', () => {
  const heard: [unknown, string][] = [];
  const heap = new Heap({ onUnraisable: (error, where) => heard.push([error, where]) });
  const failure = new Error('from a callback');
  const fail = (): never => {
    throw failure;
  };
  const dying = heap.alloc({ finalizer: fail });
  heap.weakref(dying, fail);
  const cycle = heap.alloc({ finalizer: fail });
  heap.link(cycle, cycle);
  heap.drop(cycle);
  heap.drop(dying);
  heap.gc.callbacks.push(fail);
  expect(heap.gc.collect()).toBe(1);
  expect(heard.map(([error]) => error)).toEqual([failure, failure, failure, failure, failure]);
  expect(heard.map(([, where]) => where)).toEqual([
    'finalizer',
    'weakref callback',
    'gc callback',
    'finalizer',
    'gc callback',
  ]);
  expect(heap.stats().unraisable).toBe(5);
  heap.assertInvariants();
});

test('a finalizer can allocate, link and collect', () => {
  const heap = new Heap({ thresholds: [2, 1, 1] });
  const fresh: Handle[] = [];
  for (let i = 0; i < 20; i++) {
    const node = heap.alloc({
      finalizer: (self, within) => {
        const child = within.alloc();
        within.link(child, self);
        expect(within.gc.collect()).toBe(0);
        fresh.push(child);
      },
    });
    heap.link(node, node);
    heap.drop(node);
  }
  heap.gc.collect();
  heap.assertInvariants();
  for (const child of fresh) heap.drop(child);
  heap.gc.collect();
  expect(heap.stats().live).toBe(0);
  heap.assertInvariants();
});

test('after disposal every method throws, and a root can be disposed of later', () => {
  const heap = new Heap();
  const node = heap.alloc();
  const root = heap.addRoot(node);
  heap[Symbol.dispose]();
  expect(heap.isAlive(node)).toBe(false);
  expect(() => heap.alloc()).toThrow(HeapDisposedError);
  expect(() => heap.refcount(node)).toThrow(HeapDisposedError);
  root[Symbol.dispose]();
});

test('a collection ends in order when a finalizer disposes of the heap', () => {
  const heap = new Heap();
  const finalized: number[] = [];
  for (let i = 0; i < 3; i++) {
    const node = heap.alloc({
      finalizer: (_self, within) => {
        finalized.push(i);
        within[Symbol.dispose]();
      },
    });
    heap.link(node, node);
    heap.drop(node);
  }
  expect(heap.gc.collect()).toBe(3);
  expect(finalized).toEqual([0]);
});

test('the gc module refuses malformed generations, thresholds and flags', () => {
  const { gc } = new Heap();
  expect(() => gc.collect(3 as 2)).toThrow('`generation` must be an integer from 0 to 2');
  expect(() => gc.getObjects(-1 as 0)).toThrow('`generation` must be an integer from 0 to 2');
  expect(() => gc.setThreshold(-1)).toThrow('`threshold0` must be an integer ≥ 0');
  expect(() => gc.setDebug(0.5)).toThrow('`flags` must be an integer ≥ 0');
});

test.each([
  [{ ops: [['explode', 1]] }, 'unknown op "explode"'],
  [{ ops: [['constructor']] }, 'unknown op "constructor"'],
  [{ ops: [['new']] }, '"new" takes 1 operands'],
  [{ ops: [['new', 16]] }, 'operand 1 must be a register, an integer from 0 to 15'],
  [{ ops: [['newf', 0, 0]] }, 'operand 2 must be an action, or -1 for none'],
  [
    {
      ops: [
        ['new', 0],
        ['weak', 1, 0, -3],
      ],
    },
    'ops[1] ["weak",1,0,-3]: operand 3 must be an action',
  ],
  [{ ops: [['collect', 3]] }, 'operand 1 must be a generation, an integer from 0 to 2'],
  [{ ops: [['unlink', 0, 0.5]] }, 'operand 2 must be a number'],
  [{ ops: [], actions: [[['drop', 99]]] }, 'actions[0][0] ["drop",99]'],
  [{ ops: [17] }, 'unknown op'],
  [{ ops: 'new' }, '`ops` must be an array of operations'],
])('a malformed heap program throws before it runs: %j', (program, message) => {
  const run = (): unknown => runHeapProgram({ name: 'p', ...program } as unknown as HeapProgram);
  expect(run).toThrow(InvalidArgumentError);
  expect(run).toThrow(message);
});

test.each([
  [{ kind: '' }, '`kind` must be a non-empty string'],
  [{ size: -1 }, '`size` must be an integer from 0 to 4294967295'],
  [{ finalizer: 'me' }, '`finalizer` must be a function'],
  [{ legacy: 1 }, '`legacy` must be true or false'],
  [{ finaliser: () => {} }, 'unknown option `finaliser`'],
  [null, 'options must be a plain object'],
])(
  'a malformed node option throws an error that names it, and allocates nothing: %j',
  (options, message) => {
    const heap = new Heap();
    expect(() => heap.alloc(options as NodeOptions)).toThrow(message);
    expect(heap.stats().allocated).toBe(0);
  },
);

test('a hook that throws does not leave a collection unfinished', () => {
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
  const heap = new Heap({
    onUnraisable: () => {
      throw new Error('from the hook');
    },
  });
  for (let i = 0; i < 3; i++) {
    const node = heap.alloc({
      finalizer: () => {
        throw new Error(`from finalizer ${i}`);
      },
    });
    heap.link(node, node);
    heap.drop(node);
  }
  expect(heap.gc.collect()).toBe(3);
  expect(heap.stats()).toMatchObject({ live: 0, unraisable: 3 });
  const messages = printed.mock.calls.map(([, error]) => (error as Error).message);
  expect(messages.slice(0, 2)).toEqual(['from finalizer 0', 'from the hook']);
  expect(messages).toHaveLength(6);
  printed.mockRestore();
  heap.assertInvariants();
});

test('without a hook, the heap prints what a finalizer throws', () => {
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
  const heap = new Heap();
  const failure = new Error('from a finalizer');
  heap.drop(
    heap.alloc({
      finalizer: () => {
        throw failure;
      },
    }),
  );
  expect(printed.mock.calls).toEqual([
    ['tenure: error ignored in a finalizer of a simulated heap:', failure],
  ]);
  printed.mockRestore();
});

test('a collection ends in order when a callback disposes of the heap', () => {
  for (const arrange of [
    (heap: Heap, node: Handle): void =>
      void heap.weakref(node, (_weak, it) => it[Symbol.dispose]()),
    (heap: Heap): void => void heap.gc.callbacks.push(() => heap[Symbol.dispose]()),
  ]) {
    const heap = new Heap();
    let finalized = 0;
    const node = heap.alloc({ finalizer: () => finalized++ });
    arrange(heap, node);
    heap.link(node, node);
    heap.drop(node);
    expect(heap.gc.collect()).toBe(1);
    expect(finalized).toBe(0);
    expect(() => heap.gc.collect()).toThrow(HeapDisposedError);
  }
});

test('a callback that disposes of the heap is the last of its target that runs', () => {
  const heap = new Heap();
  const node = heap.alloc();
  let ran = 0;
  for (let i = 0; i < 3; i++) {
    heap.weakref(node, (_weak, within) => {
      ran++;
      within[Symbol.dispose]();
    });
  }
  heap.drop(node);
  expect(ran).toBe(1);
});

test('a node is dead if a finalizer disposes of the heap during its allocation', () => {
  const heap = new Heap({ thresholds: [1, 10, 10] });
  const node = heap.alloc({ finalizer: (_self, within) => within[Symbol.dispose]() });
  heap.link(node, node);
  heap.drop(node);
  const fresh = heap.alloc();
  expect(heap.isAlive(fresh)).toBe(false);
  expect(() => heap.alloc()).toThrow(HeapDisposedError);
});

test('DEBUG_SAVEALL keeps unreachable nodes until the garbage is cleared', () => {
  const heap = new Heap();
  const node = heap.alloc();
  heap.link(node, node);
  heap.drop(node);
  heap.gc.setDebug(DEBUG_SAVEALL);
  expect(heap.gc.collect()).toBe(1);
  expect([...heap.gc.garbage]).toEqual([node]);
  expect(heap.edges(node)).toEqual([node]);
  heap.gc.setDebug(0);
  heap.gc.garbage.clear();
  expect(heap.gc.garbage.length).toBe(0);
  expect(heap.gc.collect()).toBe(1);
  heap.assertInvariants();
});
