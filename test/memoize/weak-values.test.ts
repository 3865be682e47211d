/** Results that are held weakly, checked with V8's own collector. */

import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { disposal } from '../../src/memoize/disposal/index.js';
import { memoize } from '../../src/memoize/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';
import { stubWeakRef } from '../kit/stub-weak-ref.js';

describe.each([
  { what: 'unbounded', options: {} },
  { what: 'bounded', options: { max: 100 } },
  { what: 'weighed', options: { maxWeight: 100, weigh: () => 1 } },
  { what: 'timed', options: { ttl: 1e9 } },
])('weakValues, $what', ({ options }) => {
  test('a result is served as long as it has another holder, and its entry leaves with it', async () => {
    const fn = memoize((id: number, _?: string) => ({ id }), { ...options, weakValues: true });
    const held = fn(1);
    const refs: WeakRef<object>[] = [];
    (() => {
      for (let id = 2; id < 22; id++) refs.push(new WeakRef(fn(id, 'x')));
    })();
    expect(fn.cacheInfo().size).toBe(21);
    await collectGarbage();
    expect(refs.filter((ref) => ref.deref() !== undefined)).toEqual([]);
    expect(fn.cacheInfo()).toMatchObject({ size: 1, collected: 20, expirations: 0 });
    expect(fn(1)).toBe(held);
    expect([fn.has(2, 'x'), fn(2, 'x')]).toEqual([false, { id: 2 }]);
  });

  test('an asynchronous result is held weakly too', async () => {
    const fn = memoize(async (id: number) => ({ id }), { ...options, weakValues: true });
    const held = await fn(1);
    expect(await fn(1)).toBe(held);
    await (async () => {
      await fn(2);
    })();
    await collectGarbage();
    expect(await fn(1)).toBe(held);
    expect(fn.cacheInfo()).toMatchObject({ size: 1, collected: 1, misses: 2 });
  });

  test('peek and entries give a held result, as a promise if the function returns promises', async () => {
    const held = { id: 1 };
    const sync = memoize((_: number) => held, { ...options, weakValues: true });
    const async = memoize(async (_: number) => held, { ...options, weakValues: true });
    sync(1);
    await async(1);
    expect(sync.peek(1)).toBe(held);
    expect([...sync.entries()]).toEqual([[[1], held]]);
    expect(await async.peek(1)).toBe(held);
    expect([...async.entries()][0]?.[1]).toBeInstanceOf(Promise);
  });

  test('a primitive is kept', async () => {
    const fn = memoize((id: number) => `text ${id}`, { ...options, weakValues: true });
    fn(1);
    await collectGarbage();
    expect(fn.has(1)).toBe(true);
    fn(1);
    expect(fn.cacheInfo()).toMatchObject({ hits: 1, misses: 1, collected: 0 });
  });

  test('the collection of a replaced result does not remove the new one', async () => {
    const fn = memoize((_: string) => ({}), { ...options, weakValues: true });
    const fresh = {};
    fn('k');
    await new Promise(setImmediate);
    fn.set(['k'], fresh);
    await collectGarbage();
    expect(fn('k')).toBe(fresh);
    expect(fn.cacheInfo().collected).toBe(0);
  });
});

test('weakValues together with `dispose` is refused', () => {
  expect(() => memoize(() => ({}), { weakValues: true, dispose: disposal() })).toThrow(
    'weakValues',
  );
});

test('a hit on an asynchronous result that is held weakly is a promise', async () => {
  const fn = memoize(async (id: number) => ({ id }), { weakValues: true });
  const held = await fn(1);
  const hit = fn(1);
  expect(hit).toBeInstanceOf(Promise);
  expect(await hit).toBe(held);
});

test.each(['the next insertion', 'the next call'])(
  'a collected result counts as collected if %s finds it before the engine reports it',
  (first) => {
    const dead = stubWeakRef();
    onTestFinished(() => void vi.unstubAllGlobals());
    const fn = memoize((id: number) => ({ id }), { weakValues: true });
    const causes: string[] = [];
    fn.on('evict', ({ cause }) => causes.push(cause));
    dead.add(fn(1));
    fn(first === 'the next insertion' ? 2 : 1);
    expect(causes).toEqual(['collected']);
    expect(fn.cacheInfo()).toMatchObject({ size: 1, collected: 1, expirations: 0 });
  },
);
