import { inspect } from 'node:util';
import { afterEach, expect, expectTypeOf, test, vi } from 'vitest';
import { InvalidArgumentError, type Ref, ref, refsOf } from '../../src/weak/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';
import { heapAtRest } from '../kit/heap-at-rest.js';
import { until } from '../kit/until.js';

afterEach(() => {
  vi.restoreAllMocks();
});

test('deref gives the target while it lives, and undefined once it was collected', async () => {
  let target: object | null = { name: 'target' };
  const weak = ref(target);
  await collectGarbage();
  expect(weak.deref()).toBe(target);
  target = null;
  await collectGarbage();
  expect(weak.deref()).toBe(undefined);
});

test('a ref is shared per target without a callback, and never with one', () => {
  const target = {};
  expect(ref(target)).toBe(ref(target));
  expect(ref({})).not.toBe(ref(target));
  const onDeath = () => {};
  const watched = ref(target, onDeath);
  expect(watched).not.toBe(ref(target));
  expect(watched).not.toBe(ref(target, onDeath));
  expect(watched.deref()).toBe(target);
});

test('a shared ref does not keep its target alive', async () => {
  const probe = (() => {
    const target = {};
    ref(target);
    return new WeakRef(target);
  })();
  await collectGarbage();
  expect(probe.deref()).toBe(undefined);
});

test('the callback is called once with the ref, when the target was collected', async () => {
  const deaths: [Ref<object>, unknown][] = [];
  let target: object | null = {};
  const weak = ref(target, (dead) => deaths.push([dead, dead.deref()]));
  await collectGarbage();
  expect(deaths).toEqual([]);
  target = null;
  await collectGarbage();
  expect(deaths).toEqual([[weak, undefined]]);
  await collectGarbage();
  expect(deaths).toHaveLength(1);
});

test('the callback runs neither in the turn of the collection nor in its microtasks', async () => {
  const onDeath = vi.fn();
  const weak = (() => ref({}, onDeath))();
  await Promise.resolve();
  expect(onDeath).not.toHaveBeenCalled();
  await collectGarbage();
  expect(onDeath).toHaveBeenCalledWith(weak);
});

test('the callback of a ref that was dropped is not called, and is collected', async () => {
  const target = {};
  const called: string[] = [];
  const callback = (() => {
    const onDeath = () => called.push('dropped');
    ref(target, onDeath);
    return new WeakRef(onDeath);
  })();
  await collectGarbage();
  expect(callback.deref()).toBe(undefined);
  let last: object | null = {};
  const kept = ref(last, () => called.push('kept'));
  (() => ref(last, () => called.push('dropped')))();
  await collectGarbage();
  last = null;
  await collectGarbage();
  expect(called).toEqual(['kept']);
  expect([kept.deref(), target]).toEqual([undefined, {}]);
});

test('a callback that was called is released, even if its ref is held', async () => {
  const [weak, callback] = (() => {
    const onDeath = () => {};
    return [ref({}, onDeath), new WeakRef(onDeath)];
  })();
  await collectGarbage();
  await collectGarbage();
  expect([weak.deref(), callback.deref()]).toEqual([undefined, undefined]);
});

test('no callback is called for a ref that is collected with its target', async () => {
  const called: string[] = [];
  (() => {
    const target: { weak?: Ref<object> } = {};
    target.weak = ref(target, () => called.push('called'));
  })();
  await collectGarbage();
  expect(called).toEqual([]);
});

test('each of several callbacks runs, also after one that throws or rejects; errors are printed', async () => {
  const print = vi.spyOn(console, 'error').mockImplementation(() => {});
  const called: string[] = [];
  const kept = (() => {
    const target = {};
    return [
      ref(target, () => {
        called.push('throws');
        throw new Error('thrown');
      }),
      ref(target, async () => {
        called.push('rejects');
        throw new Error('rejected');
      }),
      ref(target, () => called.push('works')),
    ];
  })();
  await collectGarbage();
  expect(called.sort()).toEqual(['rejects', 'throws', 'works']);
  expect(print.mock.calls.map(([, error]) => error.message).sort()).toEqual(['rejected', 'thrown']);
  expect(print.mock.calls[0]?.[0]).toContain('onDeath');
  expect(kept).toHaveLength(3);
});

test('takes functions and symbols, and refuses values that cannot be referred to weakly', () => {
  const symbol = Symbol('unregistered');
  expect(ref(symbol as WeakKey).deref()).toBe(symbol);
  const target = () => {};
  expect(ref(target).deref()).toBe(target);
  for (const wrong of [1, 'text', null, undefined, true, Symbol.for('registered')]) {
    expect(() => ref(wrong as never)).toThrow(InvalidArgumentError);
  }
  expect(() => ref({}, 'callback' as never)).toThrow(/`onDeath` must be a function/);
  expect(() => ref({}, null as never)).toThrow(InvalidArgumentError);
});

test('types follow the target', () => {
  const weak = ref({ name: 'x' }, (dead) => {
    expectTypeOf(dead.deref()).toEqualTypeOf<{ name: string } | undefined>();
  });
  expectTypeOf(weak).toEqualTypeOf<Ref<{ name: string }>>();
});

test('the callbacks of one target are called newest first', async () => {
  const called: number[] = [];
  const callbacks = [1, 2, 3, 4].map((n) => () => void called.push(n));
  const kept = (() => {
    const target = {};
    return callbacks.map((callback) => ref(target, callback));
  })();
  await collectGarbage();
  expect(called).toEqual([4, 3, 2, 1]);
  expect(kept).toHaveLength(4);
});

test('the callback can be read until it was called', async () => {
  const onDeath = () => {};
  const weak = (() => ref({}, onDeath))();
  expect(weak.onDeath).toBe(onDeath);
  expect(ref(onDeath).onDeath).toBe(undefined);
  await collectGarbage();
  expect(weak.onDeath).toBe(undefined);
});

test('refsOf gives the shared ref first, then those with a callback, the newest first, and no dropped one', async () => {
  const target = {};
  expect(refsOf(target)).toEqual([]);
  const first = ref(target, () => {});
  const second = ref(target, () => {});
  const plain = ref(target);
  (() => ref(target, () => {}))();
  expect(refsOf(target)).toHaveLength(4);
  await collectGarbage();
  expect(refsOf(target)).toEqual([plain, second, first]);
  expect(() => refsOf(1 as never)).toThrow(InvalidArgumentError);
});

test('prints its target, and that it is dead', async () => {
  const weak = ref({ name: 'x' });
  expect(inspect(weak)).toBe("Ref ({ name: 'x' })");
  const dead = (() => ref({}))();
  await collectGarbage();
  expect(inspect(dead)).toBe('Ref (dead)');
});

// The last one, since thousands of deaths delay those of a test that follows.
test('dropped refs leave no registration behind on a target that outlives them', async () => {
  const target = {};
  const drop = (count: number) => {
    for (let i = 0; i < count; i++) ref(target, () => i);
  };
  drop(20_000);
  const before = await heapAtRest();
  drop(20_000);
  await until(async () => ((await heapAtRest()) - before) / 20_000 < 20); // Bytes for each reference.
  expect(target).toEqual({});
});
