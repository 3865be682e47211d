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
    const results = [new Resource(0), both, 'text', null, {}];
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

  test('a lease of a disposed cache disposes of the result at its end', async () => {
    const fn = memoize(async (id: number) => new Resource(id), { ...options, dispose: disposal() });
    fn[Symbol.dispose]();
    const lease = await fn.lease(1);
    void lease.release();
    expect(closed()).toEqual(['closed 1']);
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
