import { expect, test } from 'vitest';
import { type Handle, Heap } from '../../src/gc/index.js';

test('a reference without a callback is shared, one with a callback is not', () => {
  const heap = new Heap();
  const node = heap.alloc();
  const [first, second] = [heap.weakref(node), heap.weakref(node)];
  expect(second).toBe(first);
  expect(heap.refcount(first)).toBe(2);
  const withCallback = heap.weakref(node, () => {});
  expect(withCallback).not.toBe(first);
  expect(heap.weakrefs(node)).toHaveLength(2);
  heap.assertInvariants();
});

test('a dead shared reference is not returned again', () => {
  const heap = new Heap();
  const node = heap.alloc();
  const first = heap.weakref(node);
  heap.drop(first);
  const second = heap.weakref(node);
  expect(second).not.toBe(first);
  expect(heap.deref(second)).toBe(node);
  expect(heap.weakrefs(node)).toEqual([second]);
});

test('callbacks run once, newest first, after all references to the target are cleared', () => {
  const heap = new Heap();
  const node = heap.alloc();
  const log: string[] = [];
  const weaks = new Map<string, Handle>();
  for (const name of ['oldest', 'middle', 'newest']) {
    const weak = heap.weakref(node, () => {
      const dead = [...weaks.values()].every((other) => heap.deref(other) === null);
      log.push(`${name} ${dead}`);
    });
    weaks.set(name, weak);
  }
  heap.drop(node);
  expect(log).toEqual(['newest true', 'middle true', 'oldest true']);
  heap.assertInvariants();
});

test('the callback of a reference that dies before its target does not run', () => {
  const heap = new Heap();
  const node = heap.alloc();
  let called = 0;
  heap.drop(heap.weakref(node, () => called++));
  heap.drop(node);
  expect(called).toBe(0);
  expect(heap.stats().live).toBe(0);
});

test('in a death by count, a finalizer can reach its node by a weak reference and resurrect it', () => {
  const heap = new Heap();
  let weak!: Handle;
  const node = heap.alloc({
    finalizer: (_self, within) => within.hold(within.deref(weak) as Handle),
  });
  weak = heap.weakref(node);
  heap.drop(node);
  expect(heap.isAlive(node)).toBe(true);
  expect(heap.gc.isFinalized(node)).toBe(true);
  expect(heap.stats().resurrections).toBe(1);
  heap.drop(node);
  expect(heap.isAlive(node)).toBe(false);
  expect(heap.stats().finalizersRun).toBe(1);
});

test('in a cycle, weak references are cleared before finalizers run', () => {
  const heap = new Heap();
  const seen: (Handle | null)[] = [];
  let weak!: Handle;
  const node = heap.alloc({ finalizer: () => seen.push(heap.deref(weak)) });
  weak = heap.weakref(node);
  heap.link(node, node);
  heap.drop(node);
  expect(heap.gc.collect()).toBe(1);
  expect(seen).toEqual([null]);
});

// Checks of CPython's own tests of `weakref` that a heap program cannot express. Tests bear the names of CPython's.

test('test_subclass_refs_dont_replace_standard_refs: the shared reference stays first and shared', () => {
  const heap = new Heap();
  const node = heap.alloc();
  const special = heap.unsharedWeakref(node);
  const standard = heap.weakref(node);
  expect(standard).not.toBe(special);
  const another = heap.unsharedWeakref(node);
  expect(heap.weakrefs(node)).toEqual([standard, another, special]);
  expect(heap.weakref(node)).toBe(standard);
  heap.assertInvariants();
});

test('test_getweakrefcount: dead references do not count', () => {
  const heap = new Heap();
  const node = heap.alloc();
  const weaks = [1, 2, 3].map(() => heap.weakref(node, () => {}));
  expect(heap.weakrefs(node)).toHaveLength(3);
  heap.drop(weaks[1] as Handle);
  expect(heap.weakrefs(node)).toEqual([weaks[2], weaks[0]]);
  expect(heap.weakrefs(weaks[0] as Handle)).toEqual([]);
  heap.assertInvariants();
});

test('test_ref_created_during_del: the reference is cleared afterwards, and its callback runs', () => {
  const heap = new Heap();
  let created!: Handle;
  let called = 0;
  const node = heap.alloc({
    finalizer: (self, within) => {
      created = within.weakref(self, () => called++);
      expect(within.deref(created)).toBe(self);
    },
  });
  heap.drop(node);
  expect(heap.isAlive(node)).toBe(false);
  expect(heap.deref(created)).toBeNull();
  expect(called).toBe(1);
  heap.assertInvariants();
});

test('test_finalize: the callback of a dropped reference does not run', () => {
  const heap = new Heap();
  const node = heap.alloc();
  const ran: string[] = [];
  const kept = heap.weakref(node, () => ran.push('kept'));
  heap.drop(heap.weakref(node, () => ran.push('taken back')));
  heap.drop(node);
  heap.drop(kept);
  expect(ran).toEqual(['kept']);
});

test('test_weak_values: the entries of a table are removed with their values', () => {
  const heap = new Heap();
  const table = new Map<string, Handle>();
  const values = ['a', 'b', 'c'].map((key) => {
    const value = heap.alloc();
    const entry = heap.weakref(value, (weak, within) => {
      table.delete(key);
      within.drop(weak);
    });
    table.set(key, entry);
    return value;
  });
  heap.link(values[1] as Handle, values[1] as Handle);
  for (const value of values.slice(0, 2)) heap.drop(value);
  expect([...table.keys()]).toEqual(['b', 'c']);
  heap.gc.collect();
  expect([...table.keys()]).toEqual(['c']);
  expect(heap.stats().live).toBe(2);
  heap.assertInvariants();
});

test('test_weak_keyed_cascading_deletes: each death causes the next', () => {
  const heap = new Heap();
  const table = new Map<Handle, Handle>();
  let previous: Handle | undefined;
  for (let i = 0; i < 200; i++) {
    const key = heap.alloc();
    if (previous !== undefined) {
      const target = previous;
      const weak = heap.weakref(target, (self, within) => {
        const value = table.get(self) as Handle;
        table.delete(self);
        within.drop(value);
        within.drop(self);
      });
      table.set(weak, key);
    }
    previous = key;
  }
  const first = heap.gc.getObjects()[0] as Handle;
  heap.drop(first);
  expect(table.size).toBe(0);
  expect(heap.stats().live).toBe(0);
  heap.assertInvariants();
});

test('an old node dies with the young garbage that holds it, and its finalizer finds that garbage dead', () => {
  const heap = new Heap();
  const seen: (Handle | null)[] = [];
  let weak!: Handle;
  const old = heap.alloc({ finalizer: () => seen.push(heap.deref(weak)) });
  heap.gc.collect();
  const [young, watched] = [heap.alloc(), heap.alloc()];
  weak = heap.weakref(watched);
  heap.link(young, old);
  heap.link(young, watched);
  heap.link(watched, young);
  for (const node of [young, watched, old]) heap.drop(node);
  expect(heap.generation(old)).toBe(2);
  expect(heap.gc.collect(0)).toBe(2);
  expect(seen).toEqual([null]);
  expect(heap.gc.getObjects()).toEqual([weak]);
  heap.assertInvariants();
});

test('of the references before the first callback, two are dropped at once and the others kept', () => {
  const heap = new Heap();
  const node = heap.alloc();
  let during: number[] = [];
  const plain: Handle[] = [];
  heap.unsharedWeakref(node, () => {
    during = plain.map((weak) => heap.refcount(weak));
  });
  for (let i = 0; i < 3; i++) plain.push(heap.unsharedWeakref(node));
  heap.drop(node);
  expect(during).toEqual([2, 1, 1]);
  expect(plain.map((weak) => heap.refcount(weak))).toEqual([1, 1, 1]);
  heap.assertInvariants();
});

test('the shared reference is dropped before any callback runs', () => {
  const heap = new Heap();
  const node = heap.alloc();
  const shared = heap.weakref(node);
  let during = 0;
  heap.weakref(node, () => {
    during = heap.refcount(shared);
  });
  heap.drop(node);
  expect(during).toBe(1);
});

test('a reference that a legacy finalizer makes is cleared afterwards, without a callback', () => {
  const heap = new Heap();
  let created!: Handle;
  let called = 0;
  const node = heap.alloc({
    legacy: true,
    finalizer: (self, within) => {
      created = within.weakref(self, () => called++);
    },
  });
  heap.drop(node);
  heap.alloc();
  expect(heap.deref(created)).toBeNull();
  expect(called).toBe(0);
  heap.assertInvariants();
});

/** Drops a deep chain. Its end, `deep`, is in the trashcan while the finalizer of its sibling `leaf` runs. */
function dropWithDeepEndInTrashcan(heap: Heap, deep: Handle, whileInTrashcan: () => void): void {
  const leaf = heap.alloc({ finalizer: whileInTrashcan });
  const last = heap.alloc();
  heap.link(last, leaf);
  heap.link(last, deep);
  let head = last;
  for (let level = 1; level < 50; level++) {
    const next = heap.alloc();
    heap.link(next, head);
    heap.drop(head);
    head = next;
  }
  heap.drop(leaf);
  heap.drop(deep);
  heap.drop(head);
}

test('deref returns null for a target in the trashcan', () => {
  const heap = new Heap();
  const deep = heap.alloc();
  const weak = heap.weakref(deep);
  const seen: (Handle | null)[] = [];
  dropWithDeepEndInTrashcan(heap, deep, () => seen.push(heap.deref(weak)));
  expect(seen).toEqual([null]);
  expect(heap.stats().live).toBe(1);
});

test('a shared reference in the trashcan is not returned again', () => {
  const heap = new Heap();
  const target = heap.alloc();
  const dying = heap.weakref(target);
  let fresh!: Handle;
  dropWithDeepEndInTrashcan(heap, dying, () => {
    fresh = heap.weakref(target);
  });
  expect(fresh).not.toBe(dying);
  expect(heap.deref(fresh)).toBe(target);
  expect(heap.weakref(target)).toBe(fresh);
  heap.assertInvariants();
});

/** A heap, and the nodes that it has freed so far. */
function heapWithFreed(): { heap: Heap; freed: Handle[] } {
  const freed: Handle[] = [];
  const heap = new Heap({ trace: (event) => event.type === 'free' && freed.push(event.node) });
  return { heap, freed };
}

/** Three references to a node, oldest first. The callback of each drops it. */
function droppedByCallbacks(heap: Heap, node: Handle): Handle[] {
  return [1, 2, 3].map(() => {
    const weak: Handle = heap.weakref(node, () => heap.drop(weak));
    return weak;
  });
}

test('references that their callbacks drop die after the last callback, oldest first', () => {
  const { heap, freed } = heapWithFreed();
  const node = heap.alloc();
  const weaks = droppedByCallbacks(heap, node);
  heap.drop(node);
  expect(freed).toEqual([...weaks, node]);
  heap.assertInvariants();
});

test('references that their callbacks drop deep in a chain die after the chain', () => {
  const { heap, freed } = heapWithFreed();
  const last = heap.alloc();
  const weaks = droppedByCallbacks(heap, last);
  let head = last;
  for (let level = 1; level < 50; level++) {
    const next = heap.alloc();
    heap.link(next, head);
    heap.drop(head);
    head = next;
  }
  heap.drop(head);
  expect(freed.slice(-4)).toEqual([head, ...weaks]);
  heap.assertInvariants();
});
