/** Results that are disposed of when they leave the cache, and not while a caller has a lease on them. */

import { describe, expect, test, vi } from 'vitest';
import { disposal } from '../../src/memoize/disposal/index.js';
import { memoize, type RemovalCause } from '../../src/memoize/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gates } from '../kit/gate.js';
import { settle } from '../kit/settle.js';

class Resource {
  static log: string[] = [];
  readonly id: number | string;
  constructor(id: number | string) {
    this.id = id;
  }
  [Symbol.dispose](): void {
    Resource.log.push(`closed ${this.id}`);
  }
}

function closed(): string[] {
  return Resource.log.splice(0);
}

describe.each([
  { what: 'unbounded', options: {} },
  { what: 'bounded', options: { max: 100 } },
])('dispose, $what', ({ options }) => {
  test('a result is disposed of once when its entry leaves, for every cause', () => {
    const clock = new FakeClock();
    const causes: unknown[][] = [];
    const fn = memoize((id: number, _?: string) => new Resource(id), {
      ...options,
      ttl: 100,
      clock,
      dispose: disposal((value, key, cause) => {
        causes.push([value.id, key, cause]);
      }),
    });
    fn(1);
    fn.delete(1);
    fn(2, 'x');
    fn.set([2, 'x'], new Resource('other'));
    fn.clear();
    fn(3);
    clock.jump(100);
    fn(3);
    fn[Symbol.dispose]();
    expect(causes).toEqual([
      [1, [1], 'explicit'],
      [2, [2, 'x'], 'replaced'],
      ['other', [2, 'x'], 'explicit'],
      [3, [3], 'expired'],
      [3, [3], 'explicit'],
    ]);
    expect(fn.cacheInfo().disposals).toBe(5);
  });

  test("calls the result's own dispose method, synchronous or not; a result without one is dropped", async () => {
    const log: string[] = [];
    const both = {
      [Symbol.dispose]: () => void log.push('sync'),
      [Symbol.asyncDispose]: async () => void log.push('async'),
    };
    const bare = { [Symbol.asyncDispose]: undefined };
    const results = [new Resource(0), both, 'text', null, {}, bare];
    const fn = memoize(async (id: number) => results[id], { ...options, dispose: disposal() });
    for (const id of results.keys()) await fn(id);
    fn.clear();
    expect([closed(), log]).toEqual([['closed 0'], ['async']]);
    expect(fn.cacheInfo()).toMatchObject({ disposals: 2, disposeFailures: 0 });
  });

  test('no disposal before the last lease is released', async () => {
    const fn = memoize(async (id: number) => new Resource(id), { ...options, dispose: disposal() });
    const first = await fn.lease(1);
    const second = await fn.lease(1);
    expect(first.value).toBe(second.value);
    fn.delete(1);
    void first.release();
    void first.release();
    expect(closed()).toEqual([]);
    second[Symbol.dispose]();
    expect(closed()).toEqual(['closed 1']);
    {
      using lease = await fn.lease(2);
      expect(lease.value.id).toBe(2);
    }
    expect(closed()).toEqual([]);
    expect(fn.cacheInfo()).toMatchObject({ size: 1, misses: 2, hits: 1 });
    fn.clear();
    expect(closed()).toEqual(['closed 2']);
  });

  test('a synchronous function returns its leases synchronously', () => {
    const fn = memoize((id: number) => new Resource(id), { ...options, dispose: disposal() });
    const lease = fn.lease(1);
    const again = fn.lease(1);
    expect(lease.value).toBe(again.value);
    fn.clear();
    void lease.release();
    expect(closed()).toEqual([]);
    void again.release();
    expect(closed()).toEqual(['closed 1']);
  });

  test('a lease that a caller waits for holds the result from its arrival', async () => {
    const gates = new Gates<Resource>();
    const fn = memoize((_: string) => gates.next(), { ...options, dispose: disposal() });
    const leases = [fn.lease('k'), fn.lease('k')];
    fn.delete('k');
    gates.at(0).open(new Resource('k'));
    const [first, second] = await Promise.all(leases);
    first?.release();
    expect(closed()).toEqual([]);
    second?.release();
    expect(closed()).toEqual(['closed k']);
  });

  test('a lease that is requested after an invalidation of the tags is on a newer result', async () => {
    const gates = new Gates<Resource>();
    const fn = memoize((_: string) => gates.next(), {
      ...options,
      dispose: disposal(),
      tags: () => ['t'],
    });
    const early = fn.lease('k');
    fn.invalidateTags('t');
    const late = fn.lease('k');
    gates.at(0).open(new Resource('old'));
    gates.at(1).open(new Resource('new'));
    const [first, second] = await Promise.all([early, late]);
    expect([first.value.id, second.value.id]).toEqual(['old', 'new']);
    first.release();
    expect(closed()).toEqual(['closed old']);
    second.release();
    fn.clear();
    expect(closed()).toEqual(['closed new']);
  });

  test('a result of several entries is disposed of once, with the last entry', () => {
    const shared = new Resource('shared');
    const fn = memoize((_: number) => shared, { ...options, dispose: disposal() });
    fn(1);
    fn(2);
    fn.set([1], shared);
    fn.delete(1);
    expect(closed()).toEqual([]);
    fn.delete(2);
    expect(closed()).toEqual(['closed shared']);
  });

  test('a result that is stored again after its disposal is disposed of again', () => {
    const reopened = new Resource('again');
    const fn = memoize((_: number) => reopened, { ...options, dispose: disposal() });
    for (let life = 0; life < 2; life++) {
      fn(1);
      fn.delete(1);
    }
    expect(closed()).toEqual(['closed again', 'closed again']);
  });

  test('a result that is stored under two keys after its disposal is disposed of with the last of them', () => {
    const resource = new Resource('shared');
    const fn = memoize((_: string) => resource, { ...options, dispose: disposal() });
    fn('a');
    fn.delete('a');
    expect(closed()).toEqual(['closed shared']);
    fn('b');
    fn('c');
    fn.delete('b');
    expect(closed()).toEqual([]);
    fn.delete('c');
    expect(closed()).toEqual(['closed shared']);
  });

  test('a result that was not kept belongs to its callers; with a lease, it is disposed of at the end', () => {
    const fn = memoize((id: number) => new Resource(id), {
      ...options,
      dispose: disposal(),
      cacheIf: () => false,
    });
    fn(1);
    expect(closed()).toEqual([]);
    const lease = fn.lease(2);
    expect(closed()).toEqual([]);
    void lease.release();
    expect(closed()).toEqual(['closed 2']);
  });

  test('a disposal that throws or rejects is reported, and has no other effect', async () => {
    const told: unknown[][] = [];
    const fn = memoize((id: number) => ({ id }), {
      ...options,
      name: 'things',
      dispose: disposal(({ id }) => {
        if (id === 1) throw new Error('thrown');
        return id === 2 ? Promise.reject(new Error('rejected')) : undefined;
      }),
      onError: (...args) => told.push(args),
    });
    for (const id of [1, 2, 3]) fn(id);
    fn.clear();
    await settle();
    expect(told).toEqual([
      [new Error('thrown'), "a disposal in the cache 'things'"],
      [new Error('rejected'), "a disposal in the cache 'things'"],
    ]);
    expect(fn.cacheInfo()).toMatchObject({ size: 0, disposals: 3, disposeFailures: 2 });
    expect(fn(1)).toEqual({ id: 1 });
  });

  test('a disposal may use the cache', () => {
    const log: number[] = [];
    const fn = memoize((id: number) => ({ id }), {
      ...options,
      dispose: disposal(({ id }) => {
        log.push(id);
        if (id < 3) {
          fn.delete(id + 1);
          fn(id + 10);
        }
      }),
    });
    for (const id of [1, 2, 3]) fn(id);
    fn.delete(1);
    expect(log).toEqual([1, 2, 3]);
    expect([fn.has(11), fn.has(12), fn.has(13)]).toEqual([true, true, false]);
  });

  test('a remembered failure is not disposed of, and `lease` rejects with it', async () => {
    const fn = memoize(
      async (_: string): Promise<Resource> => {
        throw new Error('down');
      },
      { ...options, dispose: disposal(), negativeTtl: 1e9 },
    );
    await expect(fn.lease('k')).rejects.toThrow('down');
    await expect(fn.lease('k')).rejects.toThrow('down');
    fn.clear();
    expect(fn.cacheInfo()).toMatchObject({ misses: 1, hits: 1, disposals: 0 });
  });

  test('NaN is disposed of once, after its entry and its leases: ngxs/store#2229', async () => {
    let disposals = 0;
    const fn = memoize(async (_: string) => Number.NaN, {
      ...options,
      dispose: disposal(() => {
        disposals++;
      }),
    });
    const lease = await fn.lease('k');
    void lease.release();
    expect([disposals, fn.has('k')]).toEqual([0, true]);
    fn.delete('k');
    expect(disposals).toBe(1);
  });

  test('a lease of a disposed cache disposes of the result at its end', async () => {
    const fn = memoize(async (id: number) => new Resource(id), { ...options, dispose: disposal() });
    fn[Symbol.dispose]();
    const lease = await fn.lease(1);
    void lease.release();
    expect(closed()).toEqual(['closed 1']);
  });

  test('a lease whose `miss` or `key` disposes of the cache is the last holder of its result', async () => {
    for (const where of ['miss', 'key'] as const) {
      const end = (id?: unknown): unknown => {
        fn[Symbol.dispose]();
        return id;
      };
      const fn = memoize(async (id: number) => new Resource(id), {
        ...options,
        dispose: disposal(),
        ...(where === 'key' ? { key: end } : {}),
      });
      if (where === 'miss') fn.on('miss', end);
      const lease = await fn.lease(1);
      expect([closed(), fn.cacheInfo().size]).toEqual([[], 0]);
      void lease.release();
      expect(closed()).toEqual(['closed 1']);
    }
  });
});

test('a stored failure that evicts a result disposes of it', () => {
  let down = false;
  const fn = memoize(
    (id: number) => {
      if (down) throw new Error('down');
      return new Resource(id);
    },
    { max: 1, dispose: disposal(), negativeTtl: 1e9 },
  );
  fn(1);
  down = true;
  expect(() => fn(2)).toThrow('down');
  expect(closed()).toEqual(['closed 1']);
});

test('an eviction disposes, and a disposal that throws does not keep the old entry: lru-cache set()', () => {
  const causes: RemovalCause[] = [];
  const errors: unknown[] = [];
  const fn = memoize((id: number) => ({ id }), {
    max: 2,
    dispose: disposal((_, __, cause) => {
      causes.push(cause);
      throw new Error('broken');
    }),
    onError: (error) => errors.push(error),
  });
  for (const id of [1, 2, 3, 4]) expect(fn(id)).toEqual({ id });
  expect(causes).toEqual(['size', 'size']);
  expect(errors).toHaveLength(2);
  expect([fn.has(3), fn.has(4), fn.cacheInfo().size]).toEqual([true, true, 2]);
});

test('a result whose key was collected is disposed of', async () => {
  const causes: unknown[] = [];
  const fn = memoize((_: object) => new Resource('orphan'), {
    dispose: disposal((value, key, cause) => {
      value[Symbol.dispose]();
      causes.push([key, cause]);
    }),
  });
  (() => fn({}))();
  await collectGarbage();
  expect(closed()).toEqual(['closed orphan']);
  expect(causes).toEqual([[undefined, 'collected']]);
});

test('with the option `key`, onDispose gets that key', () => {
  const keys: unknown[] = [];
  const fn = memoize((query: { id: number }) => query, {
    key: ({ id }) => id,
    dispose: disposal((_, key) => void keys.push(key)),
  });
  fn({ id: 7 });
  fn.clear();
  expect(keys).toEqual([7]);
});

test('the key of a method is its arguments, without the receiver', () => {
  const keys: unknown[] = [];
  const owner = {
    find: memoize(
      function (this: unknown, id: number, _: string) {
        return { id };
      },
      { dispose: disposal((_, key) => void keys.push(key)) },
    ),
  };
  owner.find(7, 'x');
  owner.find.clear();
  expect(keys).toEqual([[7, 'x']]);
});

test('without `onError`, errors are printed', () => {
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
  try {
    const fn = memoize((id: number) => id, {
      name: 'ids',
      dispose: disposal(() => {
        throw new Error('x');
      }),
    });
    fn(1);
    fn.clear();
    expect(printed.mock.calls).toEqual([
      ["tenure: error ignored in a disposal in the cache 'ids':", new Error('x')],
    ]);
  } finally {
    printed.mockRestore();
  }
});

test('`lease` needs `dispose`', () => {
  const fn = memoize((id: number) => id, { name: 'ids' });
  expect(() => fn.lease(1)).toThrow(
    /lease: the cache 'ids' does not dispose.*'tenure\/memoize\/disposal'/,
  );
});

test('a lease that begins the load is no join', async () => {
  const fn = memoize(async (id: number) => new Resource(id), { dispose: disposal() });
  const leases = await Promise.all([fn.lease(1), fn.lease(1)]);
  expect(fn.cacheInfo().joins).toBe(1);
  for (const lease of leases) void lease.release();
});

describe('a result that is neither stored nor given to a caller is disposed of', () => {
  function loader(options: Parameters<typeof memoize<(id: string) => Promise<Resource>>>[1] = {}) {
    const gates = new Gates<Resource>();
    const fn = memoize((_: string) => gates.next(), { ...options, dispose: disposal() });
    return { gates, fn };
  }

  test('when it comes after the hard limit of its load: ZiggyCreatures/FusionCache#332', async () => {
    const clock = new FakeClock();
    const { gates, fn } = loader({ loadTimeoutMillis: 5, clock });
    const waits = [fn('a'), fn.lease('a')].map((wait) => expect(wait).rejects.toThrow('5 ms'));
    await clock.advance(5);
    await Promise.all(waits);
    gates.at(0).open(new Resource('late'));
    await settle();
    expect(closed()).toEqual(['closed late']);
    expect(fn.cacheInfo()).toMatchObject({ size: 0, disposals: 1 });
  });

  test('when the load goes on after its last caller has left: isaacs/node-lru-cache#388', async () => {
    const gates = new Gates<Resource>();
    const fn = memoize((_: string): Promise<Resource> => gates.next(), {
      load: ({ signal }) => (signal.aborted ? Promise.reject(signal.reason) : gates.next()),
      dispose: disposal(),
    });
    const caller = new AbortController();
    const wait = fn.call(['a'], { signal: caller.signal });
    caller.abort();
    await expect(wait).rejects.toThrow('aborted');
    gates.at(0).open(new Resource('late'));
    await settle();
    expect(closed()).toEqual(['closed late']);
  });

  test('when a background load was invalidated: ben-manes/caffeine#193', async () => {
    const clock = new FakeClock();
    const { gates, fn } = loader({ ttl: 10, staleWhileRevalidate: 100, clock });
    const first = fn('a');
    gates.at(0).open(new Resource('old'));
    await first;
    clock.jump(20);
    await fn('a');
    fn.delete('a');
    gates.at(1).open(new Resource('refreshed'));
    await settle();
    expect(closed()).toEqual(['closed old', 'closed refreshed']);
  });

  test.each([
    { what: 'synchronous', load: (resource: Resource): unknown => resource },
    { what: 'asynchronous', load: async (resource: Resource): Promise<unknown> => resource },
  ])('when `cacheIf` refuses the result of a background load, $what', async ({ load }) => {
    const clock = new FakeClock();
    let loads = 0;
    const fn = memoize((_: string) => load(new Resource(++loads)), {
      ttl: 10,
      staleWhileRevalidate: 100,
      cacheIf: (value) => (value as Resource).id === 1,
      clock,
      dispose: disposal(),
    });
    await fn('a');
    clock.jump(20);
    await fn('a');
    await settle();
    expect(closed().sort()).toEqual(['closed 1', 'closed 2']);
  });

  test('and not when an entry, a caller or a lease has it', async () => {
    const clock = new FakeClock();
    const one = new Resource('one');
    const fn = memoize(async (_: string) => one, {
      ttl: 10,
      staleWhileRevalidate: 100,
      cacheIf: (_value, key) => key !== 'not kept',
      clock,
      dispose: disposal(),
    });
    await fn('a');
    await fn('b');
    clock.jump(20);
    await fn('a');
    fn.delete('a'); // The load in the background brings what the entry of `b` has.
    await fn('not kept');
    await settle();
    expect(closed()).toEqual([]);
    const numbers = memoize(async (n: number) => n, {
      ttl: 10,
      staleWhileRevalidate: 100,
      clock,
      dispose: disposal((value) => void Resource.log.push(`${value}`)),
    });
    await numbers(1);
    clock.jump(20);
    await numbers(1);
    await settle();
    expect(closed()).toEqual(['1']); // The number of the old entry. The new entry has its own.
  });
});

describe('a lease and the soft limit of its load', () => {
  /** A cache whose result is stale. */
  async function overdue(options: object = {}) {
    const clock = new FakeClock();
    const gates = new Gates<Resource>();
    const fn = memoize((_: string) => gates.next(), {
      ttl: 10,
      staleIfError: 1_000,
      loadTimeoutMillis: { soft: 5 },
      clock,
      dispose: disposal(),
      ...options,
    });
    const first = fn('a');
    gates.at(0).open(new Resource('old'));
    await first;
    clock.jump(20);
    return { clock, gates, fn };
  }

  test('the lease is on the stale result, which is disposed of with it', async () => {
    const { clock, gates, fn } = await overdue();
    const leases = [fn.lease('a'), fn.lease('a')];
    await clock.advance(5);
    const [one, two] = await Promise.all(leases);
    expect([one?.value.id, two?.value.id]).toEqual(['old', 'old']);
    gates.at(1).open(new Resource('new'));
    await settle();
    one?.release();
    expect(closed()).toEqual([]);
    two?.release();
    expect(closed()).toEqual(['closed old']);
    using three = await fn.lease('a');
    expect(three.value.id).toBe('new');
  });

  test('a lease that joins a load in the background is on the stale result', async () => {
    const { clock, gates, fn } = await overdue({ staleWhileRevalidate: 30 });
    await fn('a');
    await clock.advance(30);
    const waiting = fn.lease('a');
    await clock.advance(5);
    const lease = await waiting;
    expect(lease.value.id).toBe('old');
    gates.at(1).open(new Resource('new'));
    await settle();
    expect(closed()).toEqual([]);
    lease.release();
    expect(closed()).toEqual(['closed old']);
  });

  test('a lease that begins after the limit is on the stale result, while the load hangs', async () => {
    const { clock, fn } = await overdue();
    (await Promise.all([fn.lease('a'), clock.advance(5)]))[0].release();
    const late = await fn.lease('a');
    expect(late.value.id).toBe('old');
    fn.delete('a');
    expect(closed()).toEqual([]);
    late.release();
    expect(closed()).toEqual(['closed old']);
    expect(fn.cacheInfo()).toMatchObject({ staleHits: 2, joins: 1 });
  });

  test('a lease on a load that was superseded and has failed is on the result in its place', async () => {
    const { gates, fn } = await overdue();
    const first = fn.lease('a');
    const forced = fn.refresh('a');
    await settle();
    gates.at(2).open(new Resource('forced'));
    await forced;
    gates.at(1).fail(new Error('down'));
    using lease = await first;
    expect([lease.value.id, closed()]).toEqual(['forced', ['closed old']]);
  });

  test('a lease that begins when the stale result may not be served any longer is on the new one, and holds it once', async () => {
    const { clock, gates, fn } = await overdue();
    const early = fn.lease('a');
    await clock.advance(5);
    (await early)?.release();
    await clock.advance(2_000);
    const late = fn.lease('a');
    gates.at(1).open(new Resource('new'));
    const lease = await late;
    expect(lease.value.id).toBe('new');
    fn.delete('a');
    expect(closed()).toEqual(['closed old']);
    lease.release();
    expect(closed()).toEqual(['closed new']);
  });

  test('a failure before the limit gives a lease on the stale result', async () => {
    const { gates, fn } = await overdue();
    const waiting = fn.lease('a');
    gates.at(1).fail(new Error('down'));
    const lease = await waiting;
    fn.delete('a');
    expect([lease.value.id, closed()]).toEqual(['old', []]);
    lease.release();
    expect(closed()).toEqual(['closed old']);
  });

  test('a failure rejects the lease, and reports no rejection besides', async () => {
    const { clock, gates, fn } = await overdue();
    const lease = fn.lease('a');
    clock.jump(2_000);
    gates.at(1).fail(new Error('down'));
    await expect(lease).rejects.toThrow('down');
    await settle();
  });
});

describe('listeners and disposals that call the cache', () => {
  test.each([
    { what: 'a primitive', args: ['a'] },
    { what: 'a list', args: ['a', 'b'] },
  ])(
    'a lease of $what holds its result, whatever a listener of the hit forgets',
    async ({ args }) => {
      for (const load of [
        (id: string): unknown => new Resource(id),
        async (id: string) => new Resource(id),
      ]) {
        for (const forget of ['delete', 'clear'] as const) {
          const fn = memoize((id: string, _?: string) => load(id), { dispose: disposal() });
          const [id, other] = args as [string, string?];
          (await fn.lease(...(args as [string]))).release();
          fn.on('hit', () => fn[forget](...([id, other].slice(0, args.length) as [string])));
          const lease = await fn.lease(...(args as [string]));
          expect([(lease.value as Resource).id, closed(), fn.cacheInfo().size]).toEqual([
            'a',
            [],
            0,
          ]);
          lease.release();
          expect(closed()).toEqual(['closed a']);
        }
      }
    },
  );

  test('a lease of a new result holds it, whatever a listener of an eviction forgets', async () => {
    for (const load of [
      (id: string): unknown => new Resource(id),
      async (id: string) => new Resource(id),
    ]) {
      const fn = memoize(load, { max: 1, dispose: disposal() });
      await fn('a');
      fn.on('evict', () => fn.clear());
      const lease = await fn.lease('b');
      expect([(lease.value as Resource).id, closed(), fn.cacheInfo().size]).toEqual([
        'b',
        ['closed a'],
        0,
      ]);
      lease.release();
      expect(closed()).toEqual(['closed b']);
    }
  });

  test('a disposal within `invalidateTags` finds no result with the tag any more', () => {
    const seen: unknown[] = [];
    const fn = memoize((id: number) => new Resource(id), {
      tags: () => ['t'],
      dispose: disposal(() => void seen.push([...fn.keys()].length)),
    });
    for (const id of [1, 2, 3]) fn(id);
    expect([fn.invalidateTags('t'), seen]).toEqual([3, [0, 0, 0]]);
    for (const id of [1, 2, 3]) fn(id);
    expect([fn.deleteMany([[1], [2]]), seen.splice(0)]).toEqual([2, [0, 0, 0, 1, 1]]);
  });
});

test('an abort listener within `delete` does not find the result that is being deleted', async () => {
  const clock = new FakeClock();
  let loads = 0;
  const seen: unknown[] = [];
  const fn = memoize((_: string): Promise<number> => Promise.resolve(0), {
    ttl: 10,
    staleWhileRevalidate: 100,
    clock,
    load: ({ signal }) => {
      if (++loads === 1) return Promise.resolve(1);
      signal.addEventListener('abort', () => seen.push(fn.has('a')));
      return new Promise(() => {});
    },
  });
  await fn('a');
  clock.jump(20);
  expect(await fn('a')).toBe(1);
  expect([fn.delete('a'), seen]).toEqual([true, [false]]);
});

test('a stale result that was evicted and disposed of is not served in place of a failure', async () => {
  const clock = new FakeClock();
  const gates = new Gates<Resource>();
  const fn = memoize((_: string) => gates.next(), {
    max: 1,
    ttl: 10,
    staleIfError: 1_000,
    clock,
    dispose: disposal(),
  });
  const first = fn('a');
  gates.at(0).open(new Resource('a'));
  await first;
  clock.jump(20);
  const second = fn('a');
  const other = fn('b');
  gates.at(2).open(new Resource('b'));
  await other;
  expect(closed()).toEqual(['closed a']);
  gates.at(1).fail(new Error('down'));
  await expect(second).rejects.toThrow('down');
});

test('a lease on a stale result has its value, also if the function throws at once', async () => {
  const clock = new FakeClock();
  let isDown = false;
  const fn = memoize(
    (id: string): Promise<Resource> => {
      if (isDown) throw new Error('down');
      return Promise.resolve(new Resource(id));
    },
    { ttl: 10, staleIfError: 1_000, clock, dispose: disposal() },
  );
  await fn('a');
  clock.jump(20);
  isDown = true;
  const lease = fn.lease('a');
  expect(lease).toBeInstanceOf(Promise);
  using held = await lease;
  expect(held.value.id).toBe('a');
});

test.each([false, true])(
  'a result that comes after the soft limit and is not kept is disposed of: its callers have the stale one, with a signal: %s',
  async (hasSignal) => {
    const clock = new FakeClock();
    const gates = new Gates<Resource>();
    const fn = memoize((_: string) => gates.next(), {
      ttl: 10,
      staleIfError: 1_000,
      loadTimeoutMillis: { soft: 5 },
      cacheIf: ({ id }) => id === 'old',
      clock,
      dispose: disposal(),
    });
    const first = fn('a');
    gates.at(0).open(new Resource('old'));
    await first;
    clock.jump(20);
    const { signal } = new AbortController();
    const second = hasSignal ? fn.call(['a'], { signal }) : fn('a');
    await clock.advance(5);
    const third = fn('a');
    const fourth = fn.call(['a'], { signal: new AbortController().signal });
    for (const answer of [second, third, fourth]) expect((await answer).id).toBe('old');
    gates.at(1).open(new Resource('new'));
    await settle();
    expect(closed().sort()).toEqual(['closed new', 'closed old']);
  },
);

test('a forced load gets no stale result that was disposed of before it began', async () => {
  const stale: unknown[] = [];
  const make = () => ({ [Symbol.dispose]() {} });
  const open = memoize(async (_: string) => make(), {
    dispose: disposal(),
    load: async (context) => {
      stale.push(context.stale);
      return make();
    },
  });
  const first = await open('a');
  await open.refresh('a');
  const refreshed = open.refresh('a');
  open.delete('a');
  await refreshed;
  expect(stale).toEqual([undefined, first, undefined]);
});
