import { describe, expect, test, vi } from 'vitest';
import { observe } from '../../src/core/probe.js';
import { memoize } from '../../src/memoize/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gate } from '../kit/gate.js';
import { POLICIES } from '../kit/policies.js';
import { RecordingObserver } from '../kit/recording-observer.js';
import { until } from '../kit/until.js';

/** How many of these objects exist after a full collection. */
async function survivors(refs: readonly WeakRef<WeakKey>[]): Promise<number> {
  await collectGarbage();
  return refs.filter((ref) => ref.deref() !== undefined).length;
}

describe('an unbounded cache keeps no object in a key from being collected', () => {
  const calls: { what: string; call: (fn: AnyCall, key: object, i: number) => unknown }[] = [
    { what: 'the only argument', call: (fn, key) => fn(key) },
    { what: 'a later argument', call: (fn, key, i) => fn(i, key) },
    { what: 'an earlier argument', call: (fn, key, i) => fn(key, i, `x${i}`) },
    { what: 'one of two objects', call: (fn, key) => fn(longLived, key) },
    { what: 'between two', call: (fn, key, i) => fn(longLived, i, key, longLived) },
    {
      what: 'the receiver: python/cpython#102618',
      call: (fn, key, i) => Reflect.apply(fn, key, [i]),
    },
    { what: 'the receiver without arguments', call: (fn, key) => Reflect.apply(fn, key, []) },
  ];
  type AnyCall = (this: unknown, ...args: unknown[]) => unknown;
  const longLived = {};

  test.each(calls)('$what', async ({ call }) => {
    const fn = memoize(function (this: unknown, ...args: unknown[]) {
      return { args, receiver: this }; // The value refers to its own key.
    });
    const observer = new RecordingObserver();
    fn[observe](observer);
    const refs: WeakRef<WeakKey>[] = [];
    (() => {
      for (let i = 0; i < 50; i++) {
        const key = { i };
        refs.push(new WeakRef(key));
        expect(call(fn, key, i)).toBe(call(fn, key, i));
      }
    })();
    expect(fn.cacheInfo()).toMatchObject({ size: 50, hits: 50 });
    expect(await survivors(refs)).toBe(0);
    expect(fn.cacheInfo()).toMatchObject({ size: 0, collected: 50, expirations: 0 });
    expect(observer.live.size).toBe(0);
  });

  test('the levels of the trie on the path to it are collected too', async () => {
    const fn = memoize((..._: unknown[]) => ({}));
    const refs: WeakRef<WeakKey>[] = [];
    const results: WeakRef<WeakKey>[] = [];
    (() => {
      for (let i = 0; i < 50; i++) {
        const [key, another] = [{}, {}];
        refs.push(new WeakRef(key), new WeakRef(another));
        results.push(new WeakRef(fn(longLived, i, key, another)));
        results.push(new WeakRef(fn(longLived, i, key, 'y')));
      }
    })();
    fn.delete(longLived, 0, {}, 'y');
    expect(await survivors(refs)).toBe(0);
    expect(await survivors(results)).toBe(0);
    expect(fn.cacheInfo()).toMatchObject({ size: 0, collected: 100 });
    const again = fn(longLived, 1, longLived);
    expect(fn(longLived, 1, longLived)).toBe(again);
  });

  test('an entry that was deleted, and one stored again for its objects, are counted once', async () => {
    const fn = memoize((..._: unknown[]) => ({}));
    const refs: WeakRef<WeakKey>[] = [];
    (() => {
      const key = {};
      refs.push(new WeakRef(key));
      fn(key, 1);
      fn.delete(key, 1);
      fn(key, 1);
      fn.set([key, 1], {});
      fn(key, 2);
      fn.delete(key, 2);
      fn.clear();
      fn(key, 3);
    })();
    expect(fn.cacheInfo().size).toBe(1);
    expect(await survivors(refs)).toBe(0);
    expect(fn.cacheInfo()).toMatchObject({ size: 0, collected: 1 });
  });

  test('a load in flight may outlive its key', async () => {
    const gate = new Gate<string>();
    const fn = memoize((_: object) => gate.passed);
    const [ref, loading] = (() => {
      const key = {};
      return [new WeakRef(key), fn(key)] as const;
    })();
    expect(await survivors([ref])).toBe(0);
    gate.open('done');
    expect(await loading).toBe('done');
    await collectGarbage();
    expect(fn.cacheInfo().inFlight).toBe(0);
    expect(fn.cacheInfo().size).toBe(0);
  });
});

describe.each(POLICIES)('a bounded cache, $what', ({ options }) => {
  test('releases the objects in evicted keys, and the memory of their entries for objects that live longer', async () => {
    const fn = memoize((key: object, _: number) => ({ key }), { max: 10, ...options });
    const refs: WeakRef<WeakKey>[] = [];
    (() => {
      for (let i = 0; i < 100; i++) {
        const key = {};
        refs.push(new WeakRef(key));
        fn(key, i);
      }
    })();
    await until(async () => (await survivors(refs)) <= 10);
    fn.clear();
    await until(async () => (await survivors(refs)) === 0);
  });

  test('keeps an entry whose objects are collected, whether it is limited by number or by weight', async () => {
    for (const limit of [{ max: 10 }, { maxWeight: 10, weigh: () => 1 }]) {
      const fn = memoize((key: object) => typeof key, { ...options, ...limit });
      const ref = (() => {
        const key = {};
        fn(key);
        return new WeakRef(key);
      })();
      expect([await survivors([ref]), fn.cacheInfo().size]).toEqual([0, 1]);
    }
  });

  test('forgets the argument lists of evicted entries', async () => {
    const objects = Array.from({ length: 100 }, () => ({}));
    const fn = memoize((..._: unknown[]) => {}, { max: 10, ...options });
    const marks = marked((mark, i) => {
      fn(i, mark);
      fn('same', mark, i);
      fn(objects[i], mark);
    });
    expect(await survivors(marks)).toBeLessThanOrEqual(10);
    expect(objects).toHaveLength(100);
  });
});

describe('an argument list is forgotten when', () => {
  const longLived = {};

  test('its load throws, rejects, is disowned, or its result is not kept', async () => {
    const fn = memoize((how: string, _: symbol) => {
      if (how === 'throws') throw new Error(how);
      return how === 'rejects' ? Promise.reject(new Error(how)) : Promise.resolve(how);
    });
    const unkept = memoize(fn.wrapped, { max: 0 });
    const marks = marked((mark) => {
      expect(() => fn('throws', mark)).toThrow('throws');
      fn('rejects', mark)?.catch(() => {});
      void fn('disowned', mark);
      fn.delete('disowned', mark);
      void unkept('kept', mark);
    });
    expect(await survivors(marks)).toBe(0);
  });

  test('its entry is deleted or expires', async () => {
    const clock = new FakeClock();
    const fn = memoize((..._: unknown[]) => {}, { ttl: 10, clock });
    const marks = marked((mark, i) => {
      fn(longLived, mark);
      fn.delete(longLived, mark);
      fn(i, mark, Number.NaN);
    });
    clock.jump(10);
    for (let i = 0; i < 200; i++) fn(i, 'x');
    expect(await survivors(marks)).toBe(0);
  });

  test('any object in it is collected', async () => {
    const fn = memoize((..._: unknown[]) => {});
    const marks = marked((mark, i) => {
      fn(longLived, mark, {}, 'x');
      fn(i, mark, {});
    });
    expect(await survivors(marks)).toBe(0);
    expect(fn.cacheInfo()).toMatchObject({ size: 0, collected: 200 });
  });

  test('one of its objects is collected, and not when an object of another list is', async () => {
    const fn = memoize((..._: unknown[]) => {});
    (() => {
      for (const list of [['a'], ['b'], ['c'], []]) fn(longLived, 'p', {}, ...list);
      const key = {};
      for (const end of ['a', 'b', 'c']) fn(longLived, 'p', key, end);
    })();
    fn(longLived, 'p', 'stays');
    fn(longLived, 'q', 'stays');
    await survivors([]);
    expect(fn.cacheInfo()).toMatchObject({ size: 2, collected: 7 });
    expect(fn.has(longLived, 'p', 'stays')).toBe(true);
    expect(fn.has(longLived, 'q', 'stays')).toBe(true);
  });

  test('its load ends, although a load that began within it still runs', async () => {
    const gate = new Gate();
    const fn = memoize(
      (mark: symbol | string): unknown => {
        if (mark === 'inner') return gate.passed;
        void fn('inner');
        return undefined;
      },
      { max: 0 },
    );
    const marks = marked((mark) => fn(mark));
    expect(await survivors(marks)).toBe(0);
    gate.open();
  });

  test('its entry is deleted, and so is its registration for the collection of its objects', () => {
    const fn = memoize((..._: unknown[]) => {});
    const register = vi.spyOn(FinalizationRegistry.prototype, 'register');
    const unregister = vi.spyOn(FinalizationRegistry.prototype, 'unregister');
    try {
      for (let i = 0; i < 10; i++) {
        fn(longLived, i);
        fn.delete(longLived, i);
      }
      expect(register).toHaveBeenCalledTimes(10);
      expect(unregister.mock.calls).toEqual(register.mock.calls.map(([, , token]) => [token]));
    } finally {
      register.mockRestore();
      unregister.mockRestore();
    }
  });

  test('its receiver is collected, and `delete` then does not look at that receiver', async () => {
    const unbounded = memoize(function (this: object, _: number) {});
    const bounded = memoize(unbounded.wrapped, { max: 5 });
    (() => {
      for (let i = 0; i < 100; i++) {
        Reflect.apply(unbounded, {}, [1]);
        Reflect.apply(bounded, {}, [1]);
      }
    })();
    await survivors([]);
    const deref = vi.spyOn(WeakRef.prototype, 'deref');
    try {
      unbounded.delete(2);
      expect(deref).toHaveBeenCalledTimes(0);
      bounded.delete(2);
      expect(deref.mock.calls.length).toBeLessThanOrEqual(5);
    } finally {
      deref.mockRestore();
    }
  });
});

/** Calls `use` with a hundred symbols that nothing else holds. The trie holds a symbol strongly, like any primitive. */
function marked(use: (mark: symbol, i: number) => void): WeakRef<symbol>[] {
  return Array.from({ length: 100 }, (_, i) => {
    const mark = Symbol('mark');
    use(mark, i);
    return new WeakRef(mark);
  });
}
