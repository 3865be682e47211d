import { describe, expect, test, vi } from 'vitest';
import { memoize } from '../../src/memoize/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gates } from '../kit/gate.js';
import { settle } from '../kit/settle.js';

describe.each([
  { what: 'unbounded', options: {} },
  { what: 'bounded', options: { max: 100 } },
])('tags, $what', ({ options }) => {
  test('all entries with the tag are removed', () => {
    const fn = memoize((team: string, id: number) => ({ team, id }), {
      ...options,
      tags: (user) => [`team:${user.team}`, `user:${user.id}`],
    });
    for (const id of [1, 2, 3]) fn(id < 3 ? 'red' : 'blue', id);
    expect(fn.invalidateTags('team:red')).toBe(2);
    expect([fn.has('red', 1), fn.has('red', 2), fn.has('blue', 3)]).toEqual([false, false, true]);
    expect(fn.invalidateTags('team:red', 'no such tag')).toBe(0);
    expect(fn.invalidateTags('user:3', 'team:blue')).toBe(1);
    expect(fn.cacheInfo().size).toBe(0);
  });

  test('an entry with several tags leaves by any of them, and has the tags of its next result alone', () => {
    let tags = ['a', 'b', 'c'];
    const fn = memoize((id: number) => id, { ...options, tags: () => tags });
    for (const id of [1, 2]) fn(id);
    tags = ['b'];
    fn(3);
    expect(fn.invalidateTags('c', 'a', 'c')).toBe(2);
    fn(1);
    expect([fn.invalidateTags('a'), fn.invalidateTags('c')]).toEqual([0, 0]);
    expect(fn.invalidateTags('b')).toBe(2);
    expect([fn.cacheInfo().size, fn.invalidateTags('b')]).toEqual([0, 0]);
  });

  test('the entries of a tag leave without a step for each in the list of the tag', () => {
    const fn = memoize((id: number) => id, { ...options, tags: () => ['t'] });
    for (let id = 0; id < 100; id++) fn(id);
    const steps = [vi.spyOn(Set.prototype, 'add'), vi.spyOn(Set.prototype, 'delete')];
    const counted = () => steps.reduce((sum, { mock }) => sum + mock.calls.length, 0);
    const removed = fn.invalidateTags('t');
    const taken = counted();
    vi.restoreAllMocks();
    expect(removed).toBe(100);
    expect(taken).toBeLessThan(10);
  });

  test('a replaced entry has the tags of the new result', () => {
    const fn = memoize((id: number) => id, options);
    fn.set([1], 10, { tags: ['a'] });
    fn.set([1], 11, { tags: ['b'] });
    expect(fn.invalidateTags('a')).toBe(0);
    expect(fn(1)).toBe(11);
    expect(fn.invalidateTags('b')).toBe(1);
  });

  test('a load whose result has an invalidated tag is not stored, and later callers get a newer result', async () => {
    const gates = new Gates<string>();
    const fn = memoize((_: string) => gates.next(), { ...options, tags: () => ['t'] });
    const before = fn('k');
    expect(fn.invalidateTags('t')).toBe(0);
    const after = [fn('k'), fn('k'), fn.call(['k'], { signal: new AbortController().signal })];
    expect(gates.arrived).toBe(1);
    gates.at(0).open('old');
    expect(await before).toBe('old');
    await settle();
    expect(gates.arrived).toBe(2);
    gates.at(1).open('new');
    expect(await Promise.all(after)).toEqual(['new', 'new', 'new']);
    expect(await fn('k')).toBe('new');
  });

  test.each<{ how: string; keeps: boolean }>([
    { how: 'in the background', keeps: true },
    { how: 'that is forced', keeps: false },
  ])(
    'a load $how whose result has an invalidated tag keeps an older entry without it: $keeps',
    async ({ how, keeps }) => {
      const clock = new FakeClock();
      const gates = new Gates<string>();
      const fn = memoize((_: string) => gates.next(), {
        ...options,
        clock,
        ttl: 60_000,
        refreshAfter: 1_000,
        tags: (tag) => [tag],
      });
      gates.at(0).open('first');
      await fn('k');
      await clock.advance(1_000);
      if (how === 'in the background') await fn('k');
      else void fn.refresh('k');
      await settle();
      fn.invalidateTags('second');
      gates.at(1).open('second');
      await settle();
      expect(fn.has('k')).toBe(keeps);
      gates.at(2).open('third');
      await fn('k');
      await settle();
      expect(await fn('k')).toBe('third');
    },
  );

  test('a load whose result has other tags is shared and stored', async () => {
    const gates = new Gates<string>();
    const fn = memoize((_: string) => gates.next(), { ...options, tags: () => ['mine'] });
    const before = fn('k');
    fn.invalidateTags('other');
    const after = fn('k');
    gates.at(0).open('value');
    expect(await Promise.all([before, after])).toEqual(['value', 'value']);
    await settle();
    expect(await fn('k')).toBe('value');
    expect(gates.arrived).toBe(1);
  });

  test('a load whose result is not kept is shared after an invalidation of no tags', async () => {
    const gates = new Gates<string>();
    const fn = memoize((_: string) => gates.next(), { ...options, cacheIf: () => false });
    const before = fn('k');
    const noTags: string[] = [];
    expect(fn.invalidateTags(...noTags)).toBe(0);
    const after = fn('k');
    gates.at(0).open('value');
    gates.at(1).open('another');
    expect(await Promise.all([before, after])).toEqual(['value', 'value']);
  });

  test('a load remembers that its tag was invalidated, however many other tags are invalidated while it runs', async () => {
    const gates = new Gates<string>();
    const fn = memoize((_: string) => gates.next(), { ...options, tags: () => ['t'] });
    const first = fn('k');
    fn.invalidateTags('t');
    for (let tag = 0; tag < 25_000; tag++) fn.invalidateTags(`other ${tag}`);
    gates.at(0).open('old');
    expect([await first, fn.cacheInfo().size]).toEqual(['old', 0]);
    const next = fn('k');
    for (let tag = 0; tag < 9_000; tag++) fn.invalidateTags(`other ${tag}`);
    gates.at(1).open('new');
    expect([await next, fn.cacheInfo().size], 'another load').toEqual(['new', 1]);
  });

  test('a load that hangs while many tags are invalidated costs later loads nothing', async () => {
    const gates = new Gates<string>();
    const fn = memoize((_: string) => gates.next(), { ...options, tags: () => ['t'] });
    void fn('hangs');
    for (let tag = 0; tag <= 10_000; tag++) fn.invalidateTags(`other ${tag}`);
    const next = fn('k');
    for (const tag of ['one more', 'and another']) fn.invalidateTags(tag);
    gates.at(1).open('value');
    expect([await next, fn.cacheInfo().size]).toEqual(['value', 1]);
  });

  test('a synchronous load that invalidates its own tag is not stored', () => {
    const fn = memoize(
      (id: number) => {
        fn.invalidateTags('t');
        return id;
      },
      { ...options, tags: (): string[] => ['t'] },
    );
    fn(1);
    expect(fn.has(1)).toBe(false);
  });

  test('tags without an end are reported, and neither they nor the result is kept', () => {
    const errors: unknown[] = [];
    let isClosed = false;
    function* tags(count: number): Generator<string> {
      try {
        for (let tag = 0; tag < count; tag++) yield `tag ${tag}`;
      } finally {
        isClosed = true;
      }
    }
    const fn = memoize((count: number) => count, {
      ...options,
      tags,
      onError: (error) => void errors.push(error),
    });
    fn(10_000);
    expect([errors, fn.has(10_000), fn.invalidateTags('tag 9999')]).toEqual([[], true, 1]);
    isClosed = false;
    fn(10_001);
    expect(errors).toMatchObject([{ code: 'TENURE_INVALID_ARGUMENT' }]);
    expect([fn.has(10_001), isClosed]).toEqual([false, true]);
  });

  test('a tag that is not a string is reported, and the result is not kept', () => {
    const errors: unknown[] = [];
    const fn = memoize((id: number) => id, {
      ...options,
      tags: () => [7 as never],
      onError: (error) => errors.push(error),
    });
    fn(1);
    expect([fn.has(1), errors.length]).toEqual([false, 1]);
  });
});

test('tags do not keep an object in a key from being collected, and are dropped with its entry', async () => {
  const fn = memoize((_: object) => 'x', { tags: () => ['t'] });
  const refs = Array.from({ length: 20 }, () => {
    const key = {};
    fn(key);
    return new WeakRef(key);
  });
  await collectGarbage();
  expect(refs.filter((ref) => ref.deref() !== undefined)).toEqual([]);
  expect(fn.cacheInfo()).toMatchObject({ size: 0, collected: 20 });
  expect(fn.invalidateTags('t')).toBe(0);
});

test('`set` refuses a tag that is not a string at once, and reads an iterator once', () => {
  const fn = memoize((id: number) => id);
  fn(1);
  expect(() => fn.set([1], 5, { tags: [7 as never] })).toThrow('set: `tags`');
  expect(fn(1)).toBe(1);
  fn.set([1], 5, { tags: ['a', 'b'].values() });
  expect([fn(1), fn.invalidateTags('b')]).toEqual([5, 1]);
});

test('`set` refuses tags without an end', () => {
  const fn = memoize((id: number) => id);
  let read = 0;
  const endless = function* (): Generator<string> {
    while (read < 1_000_000) yield `tag ${read++}`;
  };
  expect(() => fn.set([1], 5, { tags: endless() })).toThrow('set: `tags` must be at most 10000');
  expect([fn.has(1), read]).toEqual([false, 10_001]);
});

describe.each([
  { what: 'because of `max: 0`', options: { max: 0 } },
  { what: 'because of `cacheIf`', options: { cacheIf: () => false } },
  { what: 'because of its weight', options: { maxWeight: 1, weigh: () => 2 } },
])('a result that is not kept, $what', ({ options }) => {
  test('is not given to a caller that came after an invalidation of tags', async () => {
    const gates = new Gates<string>();
    const fn = memoize((_: string) => gates.next(), { ...options, tags: () => ['t'] });
    const before = fn('k');
    fn.invalidateTags('t');
    const after = fn('k');
    gates.at(0).open('old');
    gates.at(1).open('new');
    expect([await before, await after]).toEqual(['old', 'new']);
  });
});

test('a load that was deleted is not given to a caller that came after an invalidation of tags', async () => {
  const gates = new Gates<string>();
  const fn = memoize((_: string) => gates.next(), { tags: () => ['t'] });
  const before = fn('k');
  fn.invalidateTags('t');
  const after = fn('k');
  fn.clear();
  gates.at(0).open('old');
  gates.at(1).open('new');
  expect([await before, await after]).toEqual(['old', 'new']);
});

describe('a stale result', () => {
  /** A load that is to replace the stale result of `a`, in a cache of one entry. */
  async function replacing() {
    const clock = new FakeClock();
    const gates = new Gates<string>();
    const fn = memoize((_: string) => gates.next(), {
      max: 1,
      ttl: 100,
      staleIfError: 1_000,
      loadTimeoutMillis: { soft: 50 },
      tags: (value) => [value],
      clock,
    });
    gates.at(0).open('old');
    await fn('a');
    await clock.advance(100);
    const waiting = fn('a');
    waiting.catch(() => {});
    return { clock, gates, fn, waiting };
  }

  test('that was evicted during a load is served by it no longer after an invalidation of tags', async () => {
    const { clock, gates, fn, waiting } = await replacing();
    gates.at(2).open('other');
    await fn('b');
    fn.invalidateTags('old');
    const late = fn('a');
    late.catch(() => {});
    await clock.advance(50);
    gates.at(1).fail(new Error('down'));
    await expect(waiting).rejects.toThrow('down');
    await expect(late).rejects.toThrow('down');
  });

  test('is served after an invalidation of other tags', async () => {
    const { gates, fn, waiting } = await replacing();
    fn.invalidateTags('another');
    gates.at(1).fail(new Error('down'));
    expect(await waiting).toBe('old');
  });
});
