/** What several processes share by a store, a bus and a lock: results, failures, and loads. */
import assert from 'node:assert/strict';
import { runInNewContext } from 'node:vm';
import { describe, expect, test, vi } from 'vitest';
import type { MemoizeOptions } from '../../src/memoize/index.js';
import type {
  ClusterLock,
  SharedCacheOptions,
  SharedStore,
} from '../../src/memoize/shared/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gate } from '../kit/gate.js';
import { settle } from '../kit/settle.js';
import { MemoryBus } from './memory-bus.js';
import { type Fn, MemoryStore, Service } from './shared-service.js';

describe('what several processes share', () => {
  test('a refresh before the ttl by one process serves all', async () => {
    using service = new Service();
    const store = new MemoryStore();
    let now = 0;
    const options = { refreshAfter: 1_000, clock: { now: () => now } };
    const members = [1, 2, 3].map(() => service.member({ store }, options));
    for (const member of members) {
      await member('k');
      await member.flush();
    }
    expect(service.loads).toBe(1);
    const later = Date.now() + 5;
    vi.spyOn(Date, 'now').mockReturnValue(later);
    now = 2_000;
    service.source = () => 'new';
    for (const member of members) {
      expect(await member('k')).toBe('old k');
      await settle();
      await member.flush();
      expect(await member('k')).toBe('new');
    }
    expect(service.loads).toBe(2);
    vi.restoreAllMocks();
  });

  test.each([
    ['a refresh', {}],
    ['a load in the background', { refreshAfter: 0 }],
  ])(
    'the result that %s has replaced by one that is not kept is found by no process',
    async (_, own) => {
      using service = new Service();
      const shared = { store: new MemoryStore(), bus: new MemoryBus() };
      const options = { cacheIf: (value: unknown) => value !== 'gone', ...own };
      const [one, other] = [service.member(shared, options), service.member(shared, options)];
      await one('k');
      await one.flush();
      await other('k');
      service.source = () => 'gone';
      await ('refreshAfter' in own ? one('k') : one.refresh('k'));
      await settle();
      await one.flush();
      service.source = () => 'new';
      expect([await one('k'), await other('k')]).toEqual(['new', 'new']);
    },
  );

  test('after a refresh that failed, and whose failure is not kept, the result is found in the store', async () => {
    using service = new Service();
    let now = 0;
    const one = service.member(
      { store: new MemoryStore(), localTtlMillis: 100 },
      { negativeTtl: 50, clock: { now: () => now } },
    );
    await one('k');
    await one.flush();
    const later = Date.now() + 5;
    vi.spyOn(Date, 'now').mockReturnValue(later);
    service.source = () => Promise.reject(new Error('down'));
    await expect(one.refresh('k')).rejects.toThrow('down');
    await one.flush();
    now = 200;
    expect(await one('k')).toBe('old k');
    expect(one.cacheInfo()).toMatchObject({ sharedHits: 1, loads: 1, loadFailures: 1 });
    vi.restoreAllMocks();
  });

  test('a result that another process has loaded is due by its age', async () => {
    using service = new Service();
    const store = new MemoryStore();
    const options = { ttl: 60_000, refreshAfter: 40_000 };
    const [one, other] = [1, 2].map(() => service.member({ store }, options));
    await one?.('k');
    await one?.flush();
    vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 50_000);
    service.source = () => 'new';
    expect(await other?.('k')).toBe('old k');
    expect(await other?.('k')).toBe('old k'); // Its age is above refreshAfter, so this call begins a load in the background.
    await settle();
    expect(await other?.('k')).toBe('new');
    expect(other?.cacheInfo()).toMatchObject({ sharedHits: 1, refreshes: 1, loads: 1 });
    vi.restoreAllMocks();
  });

  test('a stale result in the store is served after a restart while the source is down', async () => {
    using service = new Service();
    const store = new MemoryStore();
    const options = { ttl: 1_000, staleIfError: 3_600_000 };
    const one = service.member({ store }, options);
    await one('k');
    await one.flush();
    vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 10_000);
    service.source = () => Promise.reject(new Error('down'));
    const restarted = service.member({ store }, options);
    const both = Promise.all([restarted('k'), restarted('k')]);
    expect(await both).toEqual(['old k', 'old k']);
    expect(restarted.cacheInfo()).toMatchObject({ loadFailures: 1, staleHits: 2 });
    expect(await restarted('k')).toBe('old k');
    service.source = () => 'new';
    expect(await restarted('k')).toBe('new');
    vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 10_000_000);
    service.source = () => Promise.reject(new Error('down'));
    await expect(service.member({ store }, options)('k')).rejects.toThrow('down');
    vi.restoreAllMocks();
  });

  test.each<{
    by: string;
    shared: SharedCacheOptions;
    isLost?: boolean;
    own?: Partial<MemoizeOptions<Fn>>;
  }>([
    { by: 'a process', shared: {} },
    { by: 'a process that keeps nothing', shared: {}, own: { max: 0 } },
    {
      by: 'a process for which it is too heavy',
      shared: {},
      own: { maxWeight: 1, weigh: () => 2 },
    },
    { by: 'a process that asks the store with each call', shared: { localTtlMillis: 0 } },
    { by: 'a process that was just connected to the bus', shared: { bus: new MemoryBus() } },
    { by: 'a process without a connection', shared: { bus: new MemoryBus() }, isLost: true },
  ])(
    'a stale result in the store is served by $by within staleWhileRevalidate, and then replaced',
    async ({ shared, own, isLost = false }) => {
      using service = new Service();
      const store = new MemoryStore();
      const options = { ttl: 1_000, staleWhileRevalidate: 60_000, ...own };
      await service.member({ store }, options)('k');
      await settle();
      vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 2_000);
      service.source = () => 'new';
      const restarted = service.member({ ...shared, store }, options);
      if (isLost) (shared.bus as MemoryBus).connect(false);
      expect(await restarted('k')).toBe('old k');
      await settle();
      expect(service.loads).toBe(2); // The call that got the stale result has begun the load.
      expect(await restarted('k')).toBe('new');
      expect(restarted.cacheInfo()).toMatchObject({ refreshes: 1, staleHits: 1 });
      vi.restoreAllMocks();
    },
  );

  describe.each<{ why: string; options: Partial<MemoizeOptions<Fn>> }>([
    { why: 'max is 0', options: { max: 0 } },
    { why: 'it is too heavy', options: { maxWeight: 10, weigh: () => 11 } },
  ])('what a process does not keep because $why', ({ options }) => {
    test('is shared: a result', async () => {
      using service = new Service();
      const store = new MemoryStore();
      const [one, other] = [1, 2].map(() => service.member({ store }, options));
      assert(one !== undefined && other !== undefined);
      for (const value of [one, other, one]) {
        expect(await value('k')).toBe('old k');
        await value.flush();
      }
      expect([service.loads, one.cacheInfo().size]).toEqual([1, 0]);
      expect(one.cacheInfo()).toMatchObject({ sharedWrites: 1, sharedHits: 1 });
      service.source = () => 'new';
      one.delete('k');
      await one.flush();
      expect(await other('k')).toBe('new');
    });

    test('is shared: a value of set, with tags', async () => {
      using service = new Service();
      const store = new MemoryStore();
      const tagged = { ...options, tags: () => ['tag'] };
      const [one, other] = [1, 2].map(() => service.member({ store }, tagged));
      assert(one !== undefined && other !== undefined);
      one.set(['k'], Promise.resolve('set'));
      await settle();
      await one.flush();
      expect([await other('k'), await one('k'), service.loads]).toEqual(['set', 'set', 0]);
      other.invalidateTags('tag');
      await other.flush();
      expect(await one('k')).toBe('old k');
    });

    test('is not shared if cacheIf does not want it', async () => {
      using service = new Service();
      const store = new MemoryStore();
      const unwanted = { ...options, cacheIf: () => false };
      await service.member({ store }, unwanted)('k');
      await settle();
      await service.member({ store })('k');
      expect(service.loads).toBe(2);
    });
  });

  test('a failure is shared by a process that keeps nothing', async () => {
    using service = new Service();
    const store = new MemoryStore();
    service.source = () => Promise.reject(new Error('down'));
    const one = service.member({ store }, { max: 0, negativeTtl: 5_000 });
    await expect(one('k')).rejects.toThrow('down');
    await one.flush();
    await expect(one('k')).rejects.toMatchObject({ code: 'TENURE_SHARED_LOAD' });
    expect(service.loads).toBe(1);
  });

  test.each<{ given: string; retryAfterMillis?: number; pause: number }>([
    { given: 'no option', pause: 1_000 },
    { given: 'retryAfterMillis', retryAfterMillis: 5_000, pause: 5_000 },
  ])(
    'a stale result in the store has a source that is down asked again after a pause, by a process that keeps nothing: $given',
    async ({ pause, given: _, ...retry }) => {
      using service = new Service();
      const [store, clock] = [new MemoryStore(), new FakeClock()];
      const options = { ttl: 1_000, staleWhileRevalidate: 60_000, clock, ...retry };
      await service.member({ store, clock }, options)('k');
      await settle();
      vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 2_000);
      service.source = () => Promise.reject(new Error('down'));
      const value = service.member({ store, clock, localTtlMillis: 0 }, options);
      const call = async (): Promise<void> => {
        expect(await value('k')).toBe('old k');
        await settle();
      };
      for (let calls = 0; calls < 10; calls++) await call();
      expect(service.loads).toBe(2);
      await clock.advance(pause - 1);
      await call();
      expect(service.loads).toBe(2);
      await clock.advance(1);
      for (let calls = 0; calls < 10; calls++) await call();
      expect(service.loads).toBe(3);
      service.source = () => 'new';
      await clock.advance(pause);
      await call();
      expect(await value('k')).toBe('new');
      vi.restoreAllMocks();
    },
  );

  test('a failure that is remembered is loaded by one process: marketcalls/openalgo#1693', async () => {
    using service = new Service();
    const store = new MemoryStore();
    const down = Object.assign(new Error('no such user'), { code: 'E_USER' });
    service.source = () => Promise.reject(down);
    const options = { negativeTtl: 5_000 };
    const members = [1, 2, 3].map(() => service.member({ store }, options));
    await expect(members[0]?.('k')).rejects.toBe(down);
    await members[0]?.flush();
    for (const member of members.slice(1)) {
      await expect(member('k')).rejects.toMatchObject({
        code: 'TENURE_SHARED_LOAD',
        cause: { message: 'no such user', code: 'E_USER' },
      });
      expect(member.cacheInfo()).toMatchObject({ sharedFailures: 1, loads: 0, loadFailures: 0 });
    }
    expect(service.loads).toBe(1);
    members[0]?.delete('k');
    await members[0]?.flush();
    service.source = () => 'found';
    expect(await service.member({ store }, options)('k')).toBe('found');
  });

  test('a failure does not take the place of a result that another process has written meanwhile', async () => {
    using service = new Service();
    const store = new MemoryStore();
    const [one, other, third] = [1, 2, 3].map(() =>
      service.member({ store }, { negativeTtl: 5_000 }),
    );
    assert(one !== undefined && other !== undefined && third !== undefined);
    const isDown = new Gate();
    service.source = () => isDown.passed.then(() => Promise.reject(new Error('down')));
    const failed = expect(one('k')).rejects.toThrow('down');
    await settle();
    service.source = () => 'found';
    expect(await other('k')).toBe('found');
    await other.flush();
    isDown.open();
    await failed;
    await one.flush();
    expect(await third('k')).toBe('found');
    expect(service.loads).toBe(2);
  });

  test('a holder of a lock does not replace the result of a later holder', async () => {
    using service = new Service();
    const store = new MemoryStore();
    let fence = 0;
    const lock: ClusterLock = {
      acquire: async () => ({ fence: ++fence, lost: false, release: async () => {} }),
    };
    const [one, other, third] = [1, 2, 3].map(() => service.member({ store, lock }));
    assert(one !== undefined && other !== undefined && third !== undefined);
    const isLoaded = new Gate();
    service.source = () => isLoaded.passed.then(() => 'of the first holder');
    const late = one('k');
    await settle();
    service.source = () => 'of the second holder';
    await other('k');
    await other.flush();
    isLoaded.open();
    await late;
    await one.flush();
    expect(await third('k')).toBe('of the second holder');
    expect(service.loads).toBe(2);
  });

  test('the failure of a vm context is shared with its text', async () => {
    using service = new Service();
    const store = new MemoryStore();
    const foreign: unknown = runInNewContext(
      "Object.assign(new Error('gone'), { code: 'E_GONE' })",
    );
    service.source = () => Promise.reject(foreign);
    const [one, other] = [1, 2].map(() => service.member({ store }, { negativeTtl: 5_000 }));
    await expect(one?.('k')).rejects.toBe(foreign);
    await one?.flush();
    await expect(other?.('k')).rejects.toMatchObject({
      cause: { message: 'gone', code: 'E_GONE' },
    });
  });

  test('errors whose fields throw cost no call, neither from the source nor from the store', async () => {
    using service = new Service();
    const store = new MemoryStore();
    const hostile = Object.defineProperties(new Error('hidden'), {
      name: { get: () => assert.fail('name') },
      message: { get: () => assert.fail('message') },
      code: { get: () => assert.fail('code') },
    });
    service.source = () => Promise.reject(hostile);
    const [one, other] = [1, 2].map(() => service.member({ store }, { negativeTtl: 5_000 }));
    await expect(one?.('k')).rejects.toBe(hostile);
    await one?.flush();
    await expect(other?.('k')).rejects.toMatchObject({ code: 'TENURE_SHARED_LOAD' });
    store.getMany = () => Promise.reject(hostile);
    service.source = () => 'loaded';
    expect(await service.member({ store })('x')).toBe('loaded');
    expect(service.loads).toBe(2);
  });

  test('a lock that is not free concerns its key alone: layercache#59', async () => {
    using service = new Service();
    const store = new MemoryStore();
    const asked: string[] = [];
    const lock: ClusterLock = {
      acquire: async (name) => {
        asked.push(name);
        if (name.includes('slow')) throw new Error('not free');
        return { fence: 1, lost: false, release: async () => {} };
      },
    };
    const one = service.member({ store, lock });
    await one('slow');
    expect(one.cacheInfo().shared).toMatchObject({ lock: 'failing', store: 'answering' });
    expect(service.errors).toMatchObject([{ message: 'not free' }]);
    await one('quick');
    expect(asked).toHaveLength(2);
    expect(one.cacheInfo().shared).toMatchObject({ lock: 'working' });
  });
});

test('a result loaded under a lock that was lost meanwhile is served by no later call', async () => {
  using service = new Service();
  const lock: ClusterLock = {
    acquire: async () => ({ fence: 1, lost: true, release: async () => {} }),
  };
  const one = service.member({ store: new MemoryStore(), lock });
  await one('k');
  await one.flush();
  service.source = () => 'new';
  expect(await one('k')).toBe('new');
});

test('a load whose time is over while it waits for the lock leaves the lock free, and runs no function', async () => {
  using service = new Service();
  const clock = new FakeClock();
  const [isFree, requests] = [new Gate(), { sent: 0, refused: 0, released: 0 }];
  const lock: ClusterLock = {
    async acquire(_, { ask }) {
      await ask(async () => requests.sent++);
      await isFree.passed;
      await ask(async () => requests.sent++).catch(() => requests.refused++);
      return { fence: 1, lost: false, release: async () => void requests.released++ };
    },
  };
  const one = service.member(
    { store: new MemoryStore(), lock, clock },
    { clock, loadTimeoutMillis: 2_000 },
  );
  const late = expect(one('k')).rejects.toMatchObject({ code: 'TENURE_LOAD_TIMEOUT' });
  await settle();
  await clock.advance(2_000);
  await late;
  isFree.open();
  await settle();
  expect(requests).toEqual({ sent: 1, refused: 1, released: 1 });
  expect(service.loads).toBe(0);
  expect(one.cacheInfo()).toMatchObject({ loads: 0, sharedHits: 0, shared: { lock: 'working' } });
  expect(service.errors).toEqual([]);
});

test('a lease that throws when it is asked whether it is lost costs no call, and is released', async () => {
  using service = new Service();
  let releases = 0;
  const lock: ClusterLock = {
    acquire: async () => ({
      fence: 1,
      get lost(): boolean {
        throw new Error('no answer');
      },
      release: async () => void releases++,
    }),
  };
  const one = service.member({ store: new MemoryStore(), lock });
  expect(await one('k')).toBe('old k');
  await one.flush();
  expect(releases).toBe(1);
  service.source = () => 'new';
  expect(await one('k')).toBe('new');
});

test('a lock whose release has no answer holds up no `flush`, and is reported', async () => {
  using service = new Service();
  const clock = new FakeClock();
  const lock: ClusterLock = {
    acquire: async () => ({ fence: 1, lost: false, release: () => new Promise(() => {}) }),
  };
  const one = service.member({ store: new MemoryStore(), lock, clock });
  expect(await one('k')).toBe('old k');
  let isFlushed = false;
  void one.flush().then((isDelivered) => {
    isFlushed = isDelivered;
  });
  await settle();
  await clock.advance(1_010);
  expect(isFlushed).toBe(true);
  expect(service.errors).toMatchObject([{ code: 'TENURE_SHARED_STORE' }]);
});

test('results are shared again each time that the store has lost its tokens', async () => {
  using service = new Service();
  const store = new MemoryStore();
  const one = service.member({ store });
  for (const id of ['first', 'second', 'third']) {
    await one(id);
    await one.flush();
    const other = service.member({ store });
    await other(id);
    expect(other.cacheInfo()).toMatchObject({ sharedHits: 1, loads: 0 });
    store.values.clear();
  }
});

test('the token of a key outlives its results', async () => {
  using service = new Service();
  const ttls = new Map<string, number>();
  const memory = new MemoryStore();
  const store: SharedStore = {
    get: (name) => memory.get(name),
    set: (name, value, ttl) => {
      ttls.set(name, ttl);
      return memory.set(name, value);
    },
    delete: (name) => memory.delete(name),
  };
  const one = service.member({ store }, { ttl: 7 * 86_400_000, staleIfError: 86_400_000 });
  await one('k');
  await one.flush();
  expect(ttls.get('value:key:{["k"]}')).toBeGreaterThan(ttls.get('value:entry:{["k"]}') as number);
});
