/**
 * What CPython 3.11 promises in test_weakref and test_weakset, by behaviour: each test has the names of the cases that it stands for.
 * `docs/design/weak.md` says which cases do not carry over, and why.
 */
import { afterEach, expect, test, vi } from 'vitest';
import {
  finalize,
  IterableWeakMap,
  IterableWeakSet,
  type Ref,
  ref,
  refsOf,
  WeakValueMap,
  wasCollected,
  weakMethod,
} from '../../src/weak/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';
import { until } from '../kit/until.js';

afterEach(() => {
  vi.restoreAllMocks();
});

interface Thing {
  readonly id: number;
}

/** Objects that a test lets go one by one. */
class Things {
  #things: (Thing | undefined)[];

  constructor(count: number) {
    this.#things = Array.from({ length: count }, (_, id) => ({ id }));
  }

  at(index: number): Thing {
    const thing = this.#things[index];
    if (thing === undefined) throw new Error(`${index} was let go`);
    return thing;
  }

  all(): Thing[] {
    return this.#things.filter((thing) => thing !== undefined);
  }

  /** Lets objects go, and waits until `isOver`. */
  async drop(isOver: () => boolean, ...indices: number[]): Promise<void> {
    for (const index of indices) this.#things[index] = undefined;
    await until(async () => {
      await collectGarbage();
      return isOver();
    });
  }
}

test('test_basic_ref, test_create_ref, test_ref_reuse: one reference without callback for each object', async () => {
  const things = new Things(1);
  const weak = ref(things.at(0));
  expect([weak.deref()?.id, ref(things.at(0)) === weak]).toEqual([0, true]);
  expect(ref(things.at(0), () => {})).not.toBe(weak);
  await things.drop(() => weak.deref() === undefined, 0);
});

test('test_basic_callback, test_multiple_callbacks, test_callback_attribute: each is called once, newest first', async () => {
  const things = new Things(1);
  const calls: string[] = [];
  const callback = () => void calls.push('first');
  const first = ref(things.at(0), callback);
  const second = ref(things.at(0), () => void calls.push('second'));
  expect([first.onDeath, ref(things.at(0)).onDeath]).toEqual([callback, undefined]);
  await things.drop(() => calls.length === 2, 0);
  await collectGarbage();
  expect(calls).toEqual(['second', 'first']);
  expect([first.onDeath, second.deref()]).toEqual([undefined, undefined]); // test_callback_attribute_after_deletion
});

test('test_multiple_selfref_callbacks: the callback gets its own reference', async () => {
  const things = new Things(1);
  const got: unknown[] = [];
  const weak = ref(things.at(0), (dead) => void got.push(dead));
  await things.drop(() => got.length === 1, 0);
  expect(got).toEqual([weak]);
});

test('test_getweakrefcount, test_getweakrefs: the references to an object that live', async () => {
  const things = new Things(2);
  expect(refsOf(things.at(0))).toEqual([]);
  const plain = ref(things.at(0));
  const watched = ref(things.at(0), () => {});
  (() => ref(things.at(0), () => {}))();
  await until(async () => {
    await collectGarbage();
    return refsOf(things.at(0)).length === 2;
  });
  expect(refsOf(things.at(0))).toEqual([plain, watched]);
  expect(refsOf(things.at(1))).toEqual([]);
});

test('test_callbacks_protected: an error in one callback loses no other', async () => {
  const print = vi.spyOn(console, 'error').mockImplementation(() => {});
  const things = new Things(1);
  const calls: number[] = [];
  const refs = [0, 1, 2].map((number) =>
    ref(things.at(0), () => {
      calls.push(number);
      throw new Error(`callback ${number}`);
    }),
  );
  await things.drop(() => calls.length === 3, 0);
  expect([calls, print.mock.calls.length, refs.length]).toEqual([[2, 1, 0], 3, 3]);
});

test('test_callback_in_cycle_1 to _4: a reference that dies with its object is not called', async () => {
  const called = vi.fn();
  expect(
    await wasCollected(() => {
      const [a, b]: { other?: object; ref?: Ref<object> }[] = [{}, {}];
      Object.assign(a as object, { other: b, ref: ref(b as object, called) });
      Object.assign(b as object, { other: a, ref: ref(a as object, called) });
      return a as object;
    }),
  ).toBe(true);
  await collectGarbage();
  expect(called).not.toHaveBeenCalled();
});

test('test_ref_created_during_del: a callback may make references', async () => {
  const things = new Things(2);
  const made: Ref<Thing>[] = [];
  const weak = ref(things.at(0), () => void made.push(ref(things.at(1))));
  await things.drop(() => made.length === 1, 0);
  expect([made[0]?.deref(), weak.deref()]).toEqual([things.at(1), undefined]);
});

test('WeakMethodTestCase: test_alive, test_object_dead, test_callback_when_object_dead, test_no_cycles', async () => {
  class Counter {
    #count = 0;
    next() {
      return ++this.#count;
    }
  }
  const holder: { counter: Counter | undefined } = { counter: new Counter() };
  const called = vi.fn();
  const method = weakMethod(holder.counter as Counter, 'next', called);
  expect([method.deref()?.(), method.deref()?.()]).toEqual([1, 2]);
  holder.counter = undefined;
  await until(async () => {
    await collectGarbage();
    return called.mock.calls.length > 0;
  });
  expect([called.mock.calls, method.deref()]).toEqual([[[method]], undefined]);
});

test('test_weak_values, test_weak_valued_iters, test_weak_valued_dict_misc: a WeakValueMap is a map of what lives', async () => {
  const things = new Things(10);
  const map = new WeakValueMap(things.all().map((thing): [number, Thing] => [thing.id, thing]));
  expect([map.size, [...map].length, [...map.refs()].length]).toEqual([10, 10, 10]);
  await things.drop(() => map.stats().size === 7, 0, 4, 9);
  expect([...map.keys()]).toEqual([1, 2, 3, 5, 6, 7, 8]);
  map.clear();
  expect(map.size).toBe(0);
});

test('test_weak_valued_dict_init, _update, _union, test_make_weak_valued_dict_from_dict', () => {
  const things = new Things(3);
  const [a, b, c] = things.all() as [Thing, Thing, Thing];
  const from = { x: a, y: b };
  const map = new WeakValueMap<string, Thing>(Object.entries(from));
  const union = new WeakValueMap<string, Thing>([...map, ['y', c], ['z', c]]);
  expect([...union]).toEqual([
    ['x', a],
    ['y', c],
    ['z', c],
  ]);
  expect(() => new WeakValueMap(7 as never)).toThrow();
});

test('test_weak_valued_setdefault, _pop, _popitem, _delitem', () => {
  const [a, b] = new Things(2).all() as [Thing, Thing];
  const map = new WeakValueMap<string, Thing>();
  expect([map.getOrInsert('k', a), map.getOrInsert('k', b)]).toEqual([a, a]);
  expect([map.take('k'), map.take('k'), map.delete('k')]).toEqual([a, undefined, false]);
});

test('test_weak_keys, test_weak_keyed_iters, test_make_weak_keyed_dict_from_weak_keyed_dict', async () => {
  const things = new Things(10);
  const map = new IterableWeakMap(things.all().map((thing): [Thing, number] => [thing, thing.id]));
  expect([map.size, new IterableWeakMap(map).size]).toEqual([10, 10]);
  await things.drop(() => map.stats().size === 8, 2, 3);
  expect([...map.values()]).toEqual([0, 1, 4, 5, 6, 7, 8, 9]);
  expect([...map.refs()].map(([weak]) => weak.deref()?.id)).toEqual([0, 1, 4, 5, 6, 7, 8, 9]);
});

test('test_weak_keyed_bad_delitem, test_weak_keyed_cascading_deletes, test_weak_keyed_delitem', async () => {
  const map = new IterableWeakMap<object, object>();
  expect(map.delete({})).toBe(false);
  expect(
    await wasCollected(() => {
      const [head, tail] = [{}, {}];
      map.set(head, tail).set(tail, {}); // The death of the head lets the tail go.
      return head;
    }),
  ).toBe(true);
  await until(async () => {
    await collectGarbage();
    return map.stats().size === 0;
  });
});

test.each<
  [string, () => { readonly size: number; add(thing: Thing): void; loop(): Iterable<Thing> }]
>([
  [
    'WeakValueMap',
    () => {
      const map = new WeakValueMap<number, Thing>();
      return {
        get size() {
          return map.size;
        },
        add: (thing) => void map.set(thing.id, thing),
        loop: () => map.values(),
      };
    },
  ],
  [
    'IterableWeakMap',
    () => {
      const map = new IterableWeakMap<Thing, number>();
      return {
        get size() {
          return map.size;
        },
        add: (thing) => void map.set(thing, 1),
        loop: () => map.keys(),
      };
    },
  ],
  [
    'IterableWeakSet',
    () => {
      const set = new IterableWeakSet<Thing>();
      return {
        get size() {
          return set.size;
        },
        add: (thing) => void set.add(thing),
        loop: () => set,
      };
    },
  ],
])('test_weak_destroy_while_iterating, test_len_cycles, test_len_race: %s', async (_, make) => {
  const collection = make();
  const things = new Things(20);
  // A function of its own: a variable of an async function would keep the last object alive.
  (() => things.all().forEach((thing) => void collection.add(thing)))();
  const seen: number[] = [];
  for (const thing of collection.loop()) {
    seen.push(thing.id);
    if (seen.length === 5)
      await things.drop(() => collection.size === 10, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19);
    if (seen.length === 6) collection.add({ id: 99 });
  }
  expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 99]);
});

test('test_weakset: methods, operators and comparisons', () => {
  const [a, b, c] = new Things(3).all() as [Thing, Thing, Thing];
  const set = new IterableWeakSet([a, b]);
  const other = new IterableWeakSet([b, c]);
  const ids = (members: Iterable<Thing>) => [...members].map(({ id }) => id);
  expect(ids(set.union(other))).toEqual([0, 1, 2]); // test_union, test_or, test_ior, test_update
  expect(ids(set.intersection(other))).toEqual([1]); // test_intersection, test_and, test_iand
  expect(ids(set.difference(other))).toEqual([0]); // test_difference, test_sub, test_isub
  expect(ids(set.symmetricDifference(other))).toEqual([0, 2]); // test_symmetric_difference, test_xor
  expect([set.isSubsetOf(set.union(other)), set.isSupersetOf(other)]).toEqual([true, false]); // test_sub_and_super
  expect([set.isDisjointFrom(new Set([c])), set.has(7 as never)]).toEqual([true, false]); // test_isdisjoint, test_contains
  expect([set.delete(a), set.delete(a), ids(new IterableWeakSet(set))]).toEqual([true, false, [1]]); // test_remove, test_discard, test_copy
  set.clear();
  expect(set.size).toBe(0); // test_clear
});

test('test_weakset: test_weak_destroy_and_mutate_while_iterating, test_init, test_new_or_init', async () => {
  const things = new Things(4);
  const set = new IterableWeakSet<Thing>(things.all());
  const loop = set.values();
  expect(loop.next().value).toBe(things.at(0));
  set.delete(things.at(1));
  await things.drop(() => set.stats().size === 2, 2);
  const added = { id: 9 };
  set.add(added);
  expect([...loop].map(({ id }) => id)).toEqual([3, 9]);
  expect([...new IterableWeakSet(null)]).toEqual([]);
});

test('FinalizeTestCase: test_finalize, test_arg_errors, test_order, test_all_freed', async () => {
  const things = new Things(1);
  const calls: string[] = [];
  const add = (name: string) => calls.push(name);
  const finalizers = ['first', 'second', 'third'].map((name) => finalize(things.at(0), add, name));
  const [first] = finalizers;
  expect([first?.alive, first?.peek()?.args, first?.()]).toEqual([true, ['first'], 1]);
  expect([first?.alive, first?.peek(), first?.detach(), first?.()]).toEqual([
    false,
    undefined,
    undefined,
    undefined,
  ]);
  await things.drop(() => calls.length === 3, 0);
  expect(calls).toEqual(['first', 'third', 'second']);
  expect(finalizers.map(({ alive }) => alive)).toEqual([false, false, false]);
  expect(() => finalize({}, 'f' as never)).toThrow();
  expect(() => finalize(7 as never, add, 'x')).toThrow();
});
