/** What a cache alone promises: exact lifetimes, callbacks that do no harm, nothing kept alive, fresh refreshes. */
import { AsyncLocalStorage } from 'node:async_hooks';
import Keyv from 'keyv';
import { describe, expect, test, vi } from 'vitest';
import { memoize } from '../../src/memoize/index.js';
import { s3fifo } from '../../src/memoize/s3-fifo/index.js';
import { sharedCache } from '../../src/memoize/shared/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gate, Gates } from '../kit/gate.js';
import { settle } from '../kit/settle.js';

describe('a lifetime', () => {
  test.each([
    ['a number', { ttl: 0 }],
    ['a function', { ttl: () => 0 }],
    ['with a bound', { ttl: 0, max: 10 }],
    ['with another policy', { ttl: 0, max: 10, policy: s3fifo() }],
    ['with a key', { ttl: 0, key: (id: string) => id }],
    [
      'set by the loader',
      {
        load: (context: { ttl: number | undefined }) => {
          context.ttl = 0;
          return {};
        },
      },
    ],
  ])('of 0 serves no second call: %s', async (_, options) => {
    let loads = 0;
    const make = (_id: string) => ({ load: ++loads });
    const sync = memoize(make, options as never);
    expect(new Set(Array.from({ length: 100 }, () => sync('k'))).size).toBe(100);
    const awaited = memoize(async (id: string) => make(id), options as never);
    expect(new Set([await awaited('k'), await awaited('k'), await awaited('k')]).size).toBe(3);
    sync.set(['set'], { load: -1 }, { ttl: 0 });
    expect(sync.has('set')).toBe(false);
  });

  test.each([0.5, 5, 9.7, 99.3, 100.2, 1_000, 60_000.9])(
    'of %s ms is never longer, from any fraction of a millisecond, and at most a millisecond shorter',
    (ttl) => {
      for (const began of [0, 0.1, 0.5, 0.99, 1_234_567.89]) {
        let now = began;
        const fn = memoize((_: string) => ({}), { ttl, clock: { now: () => now } });
        const first = fn('k');
        now = began + Math.max(0, ttl - (ttl < 100 ? 0.001 : 1.001));
        expect(fn('k')).toBe(first);
        now = began + ttl;
        expect(fn('k')).not.toBe(first);
      }
    },
  );

  test.each([{}, { max: 10 }, { max: 10, policy: s3fifo() }, { key: (id: string) => id }])(
    'ends in a turn that takes longer than it: %j',
    (options) => {
      let now = performance.now();
      vi.spyOn(performance, 'now').mockImplementation(() => now);
      const fn = memoize((_: string) => ({}), { ttl: 3_000, ...options });
      const first = fn('k');
      for (let hit = 0; hit < 10; hit++) expect(fn('k')).toBe(first);
      now += 3_000;
      expect(fn('k')).not.toBe(first);
      vi.restoreAllMocks();
    },
  );

  test('idleTtl: each use prolongs it', () => {
    let now = 0;
    const fn = memoize((_: string) => ({}), { idleTtl: 100, clock: { now: () => now } });
    const first = fn('k');
    for (now = 90; now < 500; now += 90) expect(fn('k')).toBe(first);
    now += 100;
    expect([fn.has('k'), fn('k') === first]).toEqual([false, false]);
  });

  test('idleTtl: a use in place of a failure prolongs it', async () => {
    const clock = new FakeClock();
    let isDown = false;
    const fn = memoize(
      async (_: string) => {
        if (isDown) throw new Error('down');
        return 'value';
      },
      { clock, ttl: 100, staleIfError: 10_000, idleTtl: 300 },
    );
    await fn('k');
    isDown = true;
    for (let call = 0; call < 10; call++) {
      await clock.advance(200);
      expect(await fn('k')).toBe('value');
    }
    await clock.advance(300);
    await expect(fn('k')).rejects.toThrow('down');
  });
});

describe('a callback of the user', () => {
  const throwing = (): never => {
    throw new Error('callback');
  };

  test.each([
    ['cacheIf', throwing],
    ['ttl', throwing],
    ['tags', throwing],
    ['ttl', () => 1n],
    ['ttl', () => Number.NaN],
    ['ttl', () => 'soon'],
    ['ttl', async () => 5],
    ['tags', () => 'ab'],
    ['tags', () => [1]],
    ['tags', async () => ['a']],
    ['cacheIf', async () => false],
    ['cacheIf', () => Promise.reject(new Error('async'))],
  ])(
    'that fails costs the entry and nothing else, even if onError throws: %s, %#',
    async (name, callback) => {
      const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
      let loads = 0;
      const fn = memoize(async (_: string) => ++loads, { [name]: callback, onError: throwing });
      expect([await fn('k'), await fn('k'), await fn('k')]).toEqual([1, 2, 3]);
      expect(fn.cacheInfo()).toMatchObject({ inFlight: 0, size: 0 });
      expect(printed).toHaveBeenCalled();
      printed.mockRestore();
    },
  );

  test.each([throwing, () => -1, () => 'heavy', () => 1n])(
    'weigh that fails: %#',
    async (weigh) => {
      const errors: unknown[] = [];
      const fn = memoize(async (_: string) => 'value', {
        maxWeight: 10,
        weigh: weigh as never,
        onError: (error) => errors.push(error),
      });
      expect([await fn('k'), await fn('k')]).toEqual(['value', 'value']);
      expect([errors.length, fn.cacheInfo().inFlight]).toEqual([2, 0]);
    },
  );

  test('key that throws rejects the call of an async function, and throws from a synchronous one', async () => {
    const asynchronous = memoize(async (_: string) => 1, { key: throwing });
    await expect(asynchronous('k')).rejects.toThrow('callback');
    expect(() => memoize((_: string) => 1, { key: throwing })('k')).toThrow('callback');
  });

  test.each([
    [async (id: string) => id, /a promise/],
    [(id: string) => [id], /an array/],
  ])('key that returns what equals no other key is refused: %#', async (key, message) => {
    const fn = memoize(async (_: string) => 1, { key: key as never });
    await expect(fn('k')).rejects.toMatchObject({ code: 'TENURE_INVALID_ARGUMENT' });
    await expect(fn('k')).rejects.toThrow(message);
  });

  test('an array given to invalidateTags is refused', () => {
    const fn = memoize((_: string) => 1);
    expect(() => fn.invalidateTags(['a'] as never)).toThrow(/several arguments/);
  });

  test('a list of arguments that is a string is refused', () => {
    const fn = memoize((_: string) => 1);
    expect(() => fn.set('tea' as never, 5)).toThrow(/array/);
  });
});

describe('what a cached promise keeps alive', () => {
  test('is not the async context in which it was loaded: dust-tt/dust#23015', async () => {
    const storage = new AsyncLocalStorage<object>();
    const fn = memoize(async (id: number) => {
      await settle();
      return id;
    });
    const refs: WeakRef<object>[] = [];
    for (let id = 0; id < 20; id++) {
      const context = { request: id };
      refs.push(new WeakRef(context));
      await storage.run(context, () => fn(id));
    }
    await settle();
    await collectGarbage();
    expect(refs.filter((ref) => ref.deref() !== undefined).length).toBeLessThanOrEqual(1);
    expect(fn.cacheInfo().size).toBe(20);
  });

  test('is not the closure of the request that gave a promise to set', async () => {
    const storage = new AsyncLocalStorage<object>();
    const fn = memoize(async (id: number) => id);
    const refs: WeakRef<object>[] = [];
    for (let id = 0; id < 20; id++) {
      const context = { request: id };
      refs.push(new WeakRef(context));
      await storage.run(context, async () => {
        const value = settle().then(() => id + context.request * 0);
        fn.set([id], value);
        await value;
      });
    }
    await settle();
    await collectGarbage();
    expect(refs.filter((ref) => ref.deref() !== undefined).length).toBeLessThanOrEqual(1);
    expect(await fn(3)).toBe(3);
  });
});

describe('what a remembered failure keeps alive', () => {
  class Request {
    readonly fn;
    constructor(fn: (id: number) => unknown) {
      this.fn = fn;
    }
    async call(id: number): Promise<unknown> {
      return await this.fn(id);
    }
  }

  test.each<[what: string, fn: (id: number) => Promise<never>]>([
    [
      'an error',
      async (id) => {
        throw new Error(`no ${id}`);
      },
    ],
    [
      'an error with a cause',
      async (id) => {
        const error = new Error('outer', { cause: new Error(`no ${id}`) });
        void error.stack;
        throw error;
      },
    ],
  ])('is neither the request that got it nor its context: %s', async (_, body) => {
    const storage = new AsyncLocalStorage<object>();
    const fn = memoize(body, { negativeTtl: 60_000 });
    const refs: WeakRef<object>[] = [];
    for (let id = 0; id < 20; id++) {
      const [context, request] = [{ request: id }, new Request(fn)];
      refs.push(new WeakRef(context), new WeakRef(request));
      await storage.run(context, () => request.call(id).catch(() => {}));
    }
    await settle();
    await collectGarbage();
    expect(refs.filter((ref) => ref.deref() !== undefined).length).toBeLessThanOrEqual(2);
    expect(fn.cacheInfo().size).toBe(20);
  });

  test('an error whose stack or cause throws, or that is its own cause, is remembered', async () => {
    const thrower = (): never => {
      throw new Error('unreadable');
    };
    const own = new Error('own');
    own.cause = own;
    const errors: unknown[] = [
      Object.defineProperty(new Error('stack'), 'stack', { get: thrower }),
      Object.defineProperty(new Error('cause'), 'cause', { get: thrower }),
      own,
      'no error',
    ];
    const fn = memoize(async (at: number) => Promise.reject(errors[at]), { negativeTtl: 60_000 });
    for (const [at, error] of errors.entries()) {
      for (let call = 0; call < 2; call++) await expect(fn(at)).rejects.toBe(error);
    }
    expect(fn.cacheInfo()).toMatchObject({ size: 4, misses: 4 });
  });
});

describe('a forced load', () => {
  function storing(options: object = {}) {
    const gates = new Gates<string>();
    const fn = memoize((_: string) => gates.next(), { tags: () => ['tag'], ...options });
    const refresh = async (): Promise<{ result: Promise<string> }> => {
      const result = fn.refresh('k');
      await settle();
      return { result };
    };
    return { gates, fn, refresh };
  }

  test.each(['refresh', 'forceRefresh'] as const)(
    'is never answered by a load from before it: %s, TanStack/query#2916',
    async (how) => {
      let source = 'v1';
      const gates = new Gates();
      const fn = memoize(async (_: string) => {
        const value = source;
        await gates.next();
        return value;
      });
      const early = fn('k');
      source = 'v2';
      const fresh = how === 'refresh' ? fn.refresh('k') : fn.call(['k'], { forceRefresh: true });
      await settle();
      gates.at(1).open();
      expect(await fresh).toBe('v2');
      gates.at(0).open();
      expect(await early).toBe('v1');
      expect(await fn('k')).toBe('v2');
    },
  );

  test('stores its result though a later one is in flight: ben-manes/caffeine#467', async () => {
    const { gates, fn, refresh } = storing();
    gates.at(0).open('v0');
    await fn('k');
    for (let load = 1; load <= 10; load++) {
      void refresh();
      await settle();
      if (load <= 3) continue;
      gates.at(load - 3).open(`v${load - 3}`); // A load takes as long as three refreshes.
      await settle();
      expect(await fn('k')).toBe(`v${load - 3}`);
    }
    expect(fn.cacheInfo()).toMatchObject({ inFlight: 1, misses: 11 });
  });

  test.each(['that was the last', 'while the last is in flight'])(
    'stores nothing once a later one has ended, %s',
    async (what) => {
      const { gates, fn, refresh } = storing();
      gates.at(0).open('v0');
      await fn('k');
      const { result: first } = await refresh();
      const { result: second } = await refresh();
      if (what !== 'that was the last') await refresh();
      gates.at(2).open('v2');
      expect(await second).toBe('v2');
      gates.at(1).open('v1');
      expect(await first).toBe('v1');
      expect(await fn('k')).toBe('v2');
    },
  );

  test.each<{ what: string; invalidate: (fn: ReturnType<typeof storing>['fn']) => unknown }>([
    { what: 'delete', invalidate: (fn) => fn.delete('k') },
    { what: 'clear', invalidate: (fn) => fn.clear() },
  ])(
    'stores nothing if $what has forgotten it while a later one was in flight',
    async ({ invalidate }) => {
      const { gates, fn, refresh } = storing();
      gates.at(0).open('v0');
      await fn('k');
      const { result: first } = await refresh();
      await refresh();
      await refresh();
      invalidate(fn);
      fn.set(['k'], Promise.resolve('set'), { tags: ['other'] });
      await settle();
      gates.at(1).open('v1');
      expect(await first).toBe('v1');
      expect(await fn('k')).toBe('set');
    },
  );

  test('stores no result with a tag that was invalidated while a later one was in flight', async () => {
    const { gates, fn, refresh } = storing({ tags: (value: string) => [value] });
    gates.at(0).open('v0');
    await fn('k');
    const { result: first } = await refresh();
    await refresh();
    fn.invalidateTags('v1');
    await refresh();
    gates.at(1).open('v1');
    expect(await first).toBe('v1');
    const later = fn('k');
    gates.at(3).open('v3');
    expect(await later).not.toBe('v1');
  });

  test('stores nothing where there is no result: calls wait for the later one', async () => {
    const { gates, fn, refresh } = storing();
    const early = fn('k');
    await refresh();
    gates.at(0).open('v0');
    expect(await early).toBe('v0');
    const later = fn('k');
    gates.at(1).open('v1');
    expect(await later).toBe('v1');
  });

  test('that fails while a later one is in flight is not remembered, and gives the outcome of that one', async () => {
    const { gates, fn, refresh } = storing({ negativeTtl: 1_000 });
    const { result: first } = await refresh();
    const { result: second } = await refresh();
    gates.at(0).fail(new Error('down'));
    await settle();
    const joined = fn('k');
    gates.at(1).open('v1');
    expect(await Promise.all([first, second, joined])).toEqual(['v1', 'v1', 'v1']);
    expect(fn.cacheInfo()).toMatchObject({ loadFailures: 1, inFlight: 0, joins: 1, hits: 0 });
  });

  test('does not share its result while a later one is in flight', async () => {
    const store = new Keyv();
    const { gates, fn, refresh } = storing({ name: 'k', shared: sharedCache({ store }) });
    gates.at(0).open('v0');
    await fn('k');
    await fn.flush();
    const { result: first } = await refresh();
    await refresh();
    gates.at(1).open('v1');
    await first;
    await fn.flush();
    expect(await fn('k')).toBe('v1');
    const other = memoize(async (_: string) => 'loaded', {
      name: 'k',
      shared: sharedCache({ store }),
    });
    expect(await other('k')).toBe('v0');
    gates.at(2).open('v2');
    await settle();
    await fn.flush();
    expect(await fn('k')).toBe('v2');
  });

  test('all forced calls of one turn share one load', async () => {
    let loads = 0;
    const fn = memoize(async (_: string) => ++loads);
    await fn('k');
    expect(await Promise.all([fn.refresh('k'), fn.refresh('k'), fn.refresh('k')])).toEqual([
      2, 2, 2,
    ]);
  });
});

describe('loadTimeoutMillis', () => {
  test('hard: the load fails, its signal aborts, and the next call begins a new one', async () => {
    const clock = new FakeClock();
    const signals: AbortSignal[] = [];
    let hangs = true;
    const fn = memoize(async (id: string) => id, {
      clock,
      loadTimeoutMillis: 100,
      load: ({ args, signal }) => {
        signals.push(signal);
        return hangs ? new Promise<string>(() => {}) : Promise.resolve(args[0]);
      },
    });
    const hung = fn('k').catch((error: unknown) => error);
    await clock.advance(100);
    expect(await hung).toMatchObject({ code: 'TENURE_LOAD_TIMEOUT' });
    expect([signals[0]?.aborted, fn.cacheInfo().inFlight]).toEqual([true, 0]);
    hangs = false;
    expect(await fn('k')).toBe('k');
    expect(clock.pendingTimers).toBe(0);
  });

  test('hard: a signal that the loader takes afterwards has aborted', async () => {
    const clock = new FakeClock();
    const gate = new Gate();
    const reasons: unknown[] = [];
    const fn = memoize(async (_: string) => 'value', {
      clock,
      loadTimeoutMillis: 1_000,
      async load(context) {
        await gate.passed;
        reasons.push(context.signal.aborted, context.signal.reason);
        return 'late';
      },
    });
    const late = expect(fn('k')).rejects.toMatchObject({ code: 'TENURE_LOAD_TIMEOUT' });
    await clock.advance(1_000);
    await late;
    gate.open();
    await settle();
    expect(reasons).toEqual([true, expect.objectContaining({ code: 'TENURE_LOAD_TIMEOUT' })]);
  });

  test('hard: a stale result is served instead', async () => {
    const clock = new FakeClock();
    let load: () => Promise<string> = async () => 'old';
    const fn = memoize((_: string) => load(), {
      clock,
      ttl: 10,
      staleIfError: 10_000,
      loadTimeoutMillis: { hard: 100 },
    });
    await fn('k');
    await clock.advance(20);
    load = () => new Promise(() => {});
    const late = fn('k');
    await clock.advance(100);
    expect(await late).toBe('old');
  });

  test('soft: callers get the stale result, and later ones that of the load', async () => {
    const clock = new FakeClock();
    const gate = new Gate<string>();
    let load: () => Promise<string> = async () => 'old';
    const fn = memoize((_: string) => load(), {
      clock,
      ttl: 10,
      staleIfError: 10_000,
      loadTimeoutMillis: { soft: 50 },
    });
    await fn('k');
    await clock.advance(20);
    load = () => gate.passed;
    const waiting = fn('k');
    await clock.advance(50);
    expect(await waiting).toBe('old');
    expect(await fn('k')).toBe('old');
    gate.open('new');
    await settle();
    expect(await fn('k')).toBe('new');
    expect(fn.cacheInfo().loads).toBe(2);
  });

  /** A cache with a stale result of `k`, whose load is past its soft limit, and a caller that got the stale result. */
  async function overdue(options: object = {}) {
    const clock = new FakeClock();
    const gates = new Gates<string>();
    const fn = memoize((_: string) => gates.next(), {
      clock,
      ttl: 10,
      staleIfError: 1_000,
      loadTimeoutMillis: { soft: 50 },
      ...options,
    });
    gates.at(0).open('old');
    await fn('k');
    await clock.advance(20);
    const waiting = fn('k');
    await clock.advance(50);
    expect(await waiting).toBe('old');
    return { clock, gates, fn };
  }

  test('soft: a failure of the load is told once, and each stale answer counts once', async () => {
    const onError = vi.fn();
    const { gates, fn } = await overdue({ onError });
    expect(await fn('k')).toBe('old');
    gates.at(1).fail(new Error('down'));
    await settle();
    expect(onError.mock.calls.map(([error]) => (error as Error).message)).toEqual(['down']);
    expect(fn.cacheInfo()).toMatchObject({ staleHits: 2, loadFailures: 1, refreshFailures: 1 });
  });

  test('soft: a caller who comes when the stale result may not be served any longer waits for the load', async () => {
    const { clock, gates, fn } = await overdue();
    await clock.advance(2_000);
    const late = fn('k');
    gates.at(1).open('new');
    expect(await late).toBe('new');
  });

  test('soft: neither a forced load nor one whose entry was deleted is answered by the stale result', async () => {
    const { clock, gates, fn } = await overdue();
    const forced = fn.refresh('k');
    await clock.advance(50);
    gates.at(2).open('forced');
    expect(await forced).toBe('forced');
    await clock.advance(20);
    const waiting = fn('k');
    fn.delete('k');
    await clock.advance(50);
    gates.at(3).open('loaded');
    expect(await waiting).toBe('loaded');
  });

  test('soft: a caller that joins a load in the background gets the stale result: ZiggyCreatures/FusionCache#268', async () => {
    const onError = vi.fn();
    const { clock, gates, fn } = await overdue({ staleWhileRevalidate: 100, onError });
    await clock.advance(100);
    const both = [fn('k'), fn('k')];
    await clock.advance(50);
    expect(await Promise.all([...both, fn('k')])).toEqual(['old', 'old', 'old']);
    gates.at(1).fail(new Error('down'));
    await settle();
    expect(gates.arrived).toBe(2);
    expect(onError).toHaveBeenCalledTimes(1);
    expect(fn.cacheInfo()).toMatchObject({ refreshFailures: 1, staleHits: 4 });
  });

  test('soft: a caller that joins a forced load gets the stale result, and the one that forced it waits', async () => {
    const { clock, gates, fn } = await overdue({ ttl: 100 });
    const forced = fn.refresh('k');
    await clock.advance(100);
    const other = fn('k');
    await clock.advance(50);
    expect(await other).toBe('old');
    gates.at(1).open('forced');
    expect(await forced).toBe('forced');
    expect(fn.cacheInfo()).toMatchObject({ staleHits: 1, loads: 2 });
  });

  test('soft: a failure of a forced load is told to the caller that forced it, and not to `onError`', async () => {
    const onError = vi.fn();
    const { clock, gates, fn } = await overdue({ ttl: 100, onError });
    const forced = fn.refresh('k');
    await clock.advance(100);
    const other = fn('k');
    await clock.advance(50);
    expect(await other).toBe('old');
    await clock.advance(2_000);
    gates.at(1).fail(new Error('down'));
    await expect(forced).rejects.toThrow('down');
    expect(onError).not.toHaveBeenCalled();
    expect(fn.cacheInfo()).toMatchObject({ loadFailures: 1, refreshFailures: 0 });
  });

  test('soft: a caller that comes after an invalidation of other tags gets the stale result', async () => {
    const { fn } = await overdue();
    fn.invalidateTags('another');
    expect(await fn('k')).toBe('old');
    const { clock, fn: earlier } = await overdue({ ttl: 100 });
    await clock.advance(100);
    const waiting = earlier('k');
    earlier.invalidateTags('another');
    const joined = earlier('k');
    await clock.advance(50);
    expect(await Promise.all([waiting, joined])).toEqual(['old', 'old']);
  });

  test('soft: a caller whose load was superseded gets the stale result', async () => {
    const { clock, gates, fn } = await overdue({ ttl: 100 });
    await clock.advance(100);
    const waiting = fn('k');
    void fn.refresh('k').catch(() => {});
    await clock.advance(50);
    expect(await waiting).toBe('old');
    gates.at(2).open('forced');
    await settle();
    expect(await fn('k')).toBe('forced');
  });

  test('soft: a caller whose load hangs gets what the load brought that has superseded it', async () => {
    const { clock, gates, fn } = await overdue({ ttl: 100 });
    await clock.advance(100);
    const waiting = fn('k');
    const forced = fn.refresh('k');
    await settle();
    gates.at(2).fail(new Error('down'));
    expect(await forced).toBe('old');
    await clock.advance(50);
    expect(await waiting).toBe('old');
  });

  test('soft: a caller whose load was superseded gets no result that was deleted since', async () => {
    const { clock, gates, fn } = await overdue({ ttl: 100 });
    await clock.advance(100);
    const waiting = fn('k');
    void fn.refresh('k').catch(() => {});
    await settle();
    fn.delete('k');
    void fn('k').catch(() => {});
    await clock.advance(50);
    gates.at(1).open('late');
    expect(await waiting).toBe('late');
  });

  test('hard: a thenable that does its work at each call of `then` does it once', async () => {
    const clock = new FakeClock();
    let queries = 0;
    const query = {
      // biome-ignore lint/suspicious/noThenProperty: a query builder is a thenable.
      then: () => void queries++,
    } as unknown as PromiseLike<string>;
    const fn = memoize((_: string) => query, { clock, loadTimeoutMillis: 100 });
    const hung = expect(fn('k')).rejects.toMatchObject({ code: 'TENURE_LOAD_TIMEOUT' });
    await clock.advance(100);
    await hung;
    await settle();
    expect(queries).toBe(1);
  });

  test.each([0, -1, 'x', { hard: 0 }, { firm: 5 }])('%j is refused', (loadTimeoutMillis) => {
    expect(() => memoize(async () => 1, { loadTimeoutMillis } as never)).toThrow(
      /loadTimeoutMillis/,
    );
  });
});

test('retryAfterMillis: a source that is down is asked once in that time, not once a call', async () => {
  const clock = new FakeClock();
  let loads = 0;
  let down = false;
  const fn = memoize(
    async (_: string) => {
      loads++;
      if (down) throw new Error('down');
      return 'value';
    },
    { clock, ttl: 10, staleIfError: 100_000, retryAfterMillis: 1_000 },
  );
  await fn('k');
  down = true;
  await clock.advance(20);
  for (let call = 0; call < 100; call++) expect(await fn('k')).toBe('value');
  expect(loads).toBe(2);
  await clock.advance(1_000);
  await fn('k');
  expect(loads).toBe(3);
});

test('negativeTags: a remembered failure is forgotten by its tag', async () => {
  let loads = 0;
  const fn = memoize(
    async (id: string) => {
      loads++;
      throw new Error(id);
    },
    { negativeTtl: 60_000, negativeTags: (_: unknown, id: string) => [`user ${id}`] },
  );
  for (let call = 0; call < 3; call++) await expect(fn('a')).rejects.toThrow('a');
  expect(loads).toBe(1);
  expect(fn.invalidateTags('user a')).toBe(1);
  await expect(fn('a')).rejects.toThrow('a');
  expect(loads).toBe(2);
});

test('negativeTags: a failure whose tag was invalidated during the load is not remembered', async () => {
  let loads = 0;
  const gate = new Gate();
  const fn = memoize(
    async (id: string) => {
      loads++;
      await gate.passed;
      throw new Error(id);
    },
    { negativeTtl: 60_000, negativeTags: (_: unknown, id: string) => [`user ${id}`] },
  );
  const calls = [fn('a'), fn('b')];
  fn.invalidateTags('user a');
  gate.open();
  await Promise.allSettled(calls);
  await expect(fn('b')).rejects.toThrow('b');
  expect(loads).toBe(2);
  await expect(fn('a')).rejects.toThrow('a');
  expect(loads).toBe(3);
});

test('500 calls with one signal add one listener, and leave none: nodejs/undici#5285', async () => {
  const warnings: unknown[] = [];
  const onWarning = (warning: unknown): void => void warnings.push(warning);
  process.on('warning', onWarning);
  const { signal } = new AbortController();
  const add = vi.spyOn(signal, 'addEventListener');
  const remove = vi.spyOn(signal, 'removeEventListener');
  const gate = new Gate();
  const fn = memoize(async (id: number) => {
    await gate.passed;
    return id;
  });
  const calls = Array.from({ length: 500 }, (_, id) => fn.call([id], { signal }));
  expect(add).toHaveBeenCalledTimes(1);
  gate.open();
  await Promise.all(calls);
  await settle();
  expect(remove).toHaveBeenCalledTimes(1);
  expect(warnings).toEqual([]);
  process.off('warning', onWarning);
});

test('an unbounded cache at the limit of Map answers uncached', async () => {
  const fn = memoize((id: string) => ({ id }));
  fn('kept');
  const set = vi.spyOn(Map.prototype, 'set').mockImplementation(() => {
    throw new RangeError('Map maximum size exceeded');
  });
  try {
    expect(fn('new')).toEqual({ id: 'new' });
  } finally {
    set.mockRestore();
  }
  expect(fn('kept')).toBe(fn('kept'));
  expect(fn.cacheInfo()).toMatchObject({ size: 1 });
});

test('getMany, deleteMany, keys and entries are about several results', async () => {
  const fn = memoize(async (id: number) => `value ${id}`);
  expect(await fn.getMany([[1], [2], [1]])).toEqual(['value 1', 'value 2', 'value 1']);
  expect(fn.cacheInfo()).toMatchObject({ loads: 2, joins: 1 });
  expect([...fn.keys()]).toEqual([[1], [2]]);
  expect(await Promise.all([...fn.entries()].map(([, value]) => value))).toEqual([
    'value 1',
    'value 2',
  ]);
  expect(fn.deleteMany([[1], [3]])).toBe(1);
  expect([...fn.keys()]).toEqual([[2]]);
  await expect(fn.getMany([1] as never)).rejects.toThrow(/array of arrays/);
});
