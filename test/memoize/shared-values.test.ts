/** What lies in a shared store, and for how long: versions, the check and the form of values, and the lifetime of local entries. */
import Keyv from 'keyv';
import { describe, expect, test, vi } from 'vitest';
import { dump, restore } from '../../src/memoize/dump/index.js';
import { LoadTimeoutError, type MemoizeOptions, memoize } from '../../src/memoize/index.js';
import {
  type BusListener,
  type ClusterLock,
  type InvalidationBus,
  type SharedCacheOptions,
  type SharedStore,
  sharedCache,
} from '../../src/memoize/shared/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gate } from '../kit/gate.js';
import { settle } from '../kit/settle.js';
import { MemoryBus } from './memory-bus.js';

interface User {
  readonly id: string;
  readonly name: string;
}

type Fn = (id: string) => Promise<unknown>;

type Member = ReturnType<Service['member']>;

/** Processes over one store. */
class Service implements Disposable {
  readonly entries = new Map<string, unknown>();
  readonly clock = new FakeClock();
  readonly errors: unknown[] = [];
  loads = 0;
  source: (id: string) => unknown = (id) => ({ id, name: `old ${id}` });
  readonly #members: Disposable[] = [];

  member(
    shared: SharedCacheOptions<never> | Partial<SharedCacheOptions> = {},
    options: Partial<MemoizeOptions<Fn>> = {},
  ) {
    const store = new Keyv({ store: this.entries });
    const member = memoize<Fn>(
      async (id) => {
        this.loads++;
        return this.source(id);
      },
      {
        name: 'user',
        ttl: 60_000,
        clock: this.clock,
        onError: (error) => void this.errors.push(error),
        shared: sharedCache({ store, clock: this.clock, ...shared } as SharedCacheOptions),
        ...options,
      },
    );
    this.#members.push(member);
    return member;
  }

  /** Has the store lose its results, and no tokens. */
  forgetResults(): void {
    for (const name of this.entries.keys()) if (name.includes(':entry:')) this.entries.delete(name);
  }

  /** Waits until a call is answered, while the clock goes on. */
  async answer<T>(call: Promise<T>): Promise<T> {
    let isDone = false;
    void call
      .catch(() => {})
      .finally(() => {
        isDone = true;
      });
    await settle();
    while (!isDone) await this.clock.advance(100);
    return call;
  }

  [Symbol.dispose](): void {
    for (const member of this.#members) member[Symbol.dispose]();
  }
}

describe('version', () => {
  test('a new version reads no result of the old one, and leaves it there', async () => {
    using service = new Service();
    const bus = new MemoryBus();
    const first = service.member({ bus, version: 1 });
    await first('a');
    await first.flush();
    service.source = (id) => ({ id, fullName: `new ${id}` });
    const second = service.member({ bus, version: 2 });
    expect(await second('a')).toEqual({ id: 'a', fullName: 'new a' });
    await second.flush();
    expect(await first('a')).toEqual({ id: 'a', name: 'old a' });
    expect(await service.member({ version: 1 })('a')).toEqual({ id: 'a', name: 'old a' });
    expect(await service.member({ version: '1' })('a'), 'a number as a text').toEqual({
      id: 'a',
      name: 'old a',
    });
    expect(service.loads).toBe(2);
  });

  test.each([
    ['delete', (call: Member) => call.delete('a')],
    ['invalidateTags', (call: Member) => call.invalidateTags('all')],
    ['clear', (call: Member) => call.clear()],
  ] as const)('%s covers the results of all versions', async (_, invalidate) => {
    using service = new Service();
    const bus = new MemoryBus();
    const options = { tags: () => ['all'] };
    const old = service.member({ bus, version: 1 }, options);
    const current = service.member({ bus, version: 2 }, options);
    for (const call of [old, current]) {
      await call('a');
      await call.flush();
    }
    invalidate(current);
    await current.flush();
    await settle();
    for (const call of [old, current, service.member({ version: 1 }, options)]) {
      await call('a');
      await call.flush();
    }
    expect(service.loads, 'the third is a new process of the old version').toBe(4);
  });

  test('is a part of the names of results and locks, and of no others', async () => {
    using service = new Service();
    const bus = new MemoryBus();
    const names: string[] = [];
    const lock: ClusterLock = {
      acquire: async (name) => {
        names.push(name);
        return { fence: 1, lost: false, release: async () => {} };
      },
    };
    const one = service.member(
      { bus, lock, version: 'a:b', prefix: 'app:' },
      { tags: () => ['t'] },
    );
    await one('k');
    await one.flush();
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expect(name).toMatch(/^app:user:a%3Ab:/);
    for (const kind of ['entry', 'key', 'tag', 'tags', 'cache']) {
      const prefix = kind === 'entry' ? 'app:user:a%3Ab:entry:' : `app:user:${kind}:`;
      expect([...service.entries.keys()].some((name) => name.includes(prefix))).toBe(true);
    }
    one.delete('k');
    one.invalidateTags('t');
    one.clear();
    await one.flush();
    const caches = bus.texts.map((text) => (JSON.parse(text) as { cache: string }).cache);
    expect(new Set(caches)).toEqual(new Set(['app:user']));
  });

  test('a cache without a version has no name of another with one', async () => {
    using service = new Service();
    await service.member({ version: '2' }, { name: 'user' })('a');
    await service.member({}, { name: 'user:2' })('a');
    await settle();
    expect(service.loads).toBe(2);
  });
});

describe('validate', () => {
  const hasName = (value: unknown): value is User => typeof (value as User).name === 'string';

  test.each([
    ['false', () => false, 0],
    ['a promise of false', async () => false, 0],
    [
      'an error',
      () => {
        throw new Error('no schema');
      },
      1,
    ],
    ['a rejection', () => Promise.reject(new Error('no schema')), 1],
    ['no boolean', () => 'yes' as unknown as boolean, 1],
    ['undefined', () => undefined as unknown as boolean, 1],
    ['no answer', () => new Promise<boolean>(() => {}), 1],
  ])('%s is a miss that is counted, and its result is replaced', async (_, validate, errors) => {
    using service = new Service();
    await service.member()('a');
    await settle();
    service.source = () => 'new';
    const one = service.member({ validate });
    expect(await service.answer(one('a'))).toBe('new');
    expect(one.cacheInfo()).toMatchObject({ sharedRejects: 1, sharedHits: 0, sharedMisses: 1 });
    expect(service.errors).toHaveLength(errors);
    expect(one.cacheInfo().shared, 'the store is not blamed').toMatchObject({ store: 'answering' });
    await one.flush();
    expect(await service.member()('a'), 'the new result is shared').toBe('new');
  });

  test('takes what passes, is not asked about a result of this process, and once about one from the store', async () => {
    using service = new Service();
    const asked: unknown[] = [];
    const validate = (value: unknown): boolean => {
      asked.push(value);
      return hasName(value);
    };
    const one = service.member({ validate });
    await one('a');
    await one.flush();
    expect(asked).toEqual([]);
    const other = service.member({ validate });
    for (let call = 0; call < 3; call++) expect(await other('a')).toMatchObject({ id: 'a' });
    expect(asked).toEqual([{ id: 'a', name: 'old a' }]);
    expect(service.loads).toBe(1);
  });

  test('is asked about a stale result too', async () => {
    using service = new Service();
    const options = { ttl: 1, staleIfError: 3_600_000 };
    await service.member({}, options)('a');
    await settle();
    service.source = () => Promise.reject(new Error('down'));
    vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 10);
    const taken = service.member({ validate: () => true }, options);
    expect(await taken('a')).toEqual({ id: 'a', name: 'old a' });
    await expect(service.member({ validate: () => false }, options)('a')).rejects.toThrow('down');
    vi.restoreAllMocks();
  });

  test('is not asked about a failure', async () => {
    using service = new Service();
    service.source = () => Promise.reject(new Error('down'));
    const shared = {
      validate: (): boolean => {
        throw new Error('not to be asked');
      },
    };
    for (let process = 0; process < 2; process++) {
      const one = service.member(shared, { negativeTtl: 60_000 });
      await expect(one('a')).rejects.toThrow('down');
      await one.flush();
    }
    expect([service.loads, service.errors]).toEqual([1, []]);
  });

  test('calls the cache from within: the call goes on after `storeTimeoutMillis`', async () => {
    using service = new Service();
    await service.member()('a');
    await settle();
    const one = service.member({
      validate: async (): Promise<boolean> => {
        await one('a');
        return true;
      },
    });
    expect(await service.answer(one('a'))).toEqual({ id: 'a', name: 'old a' });
    expect(service.loads).toBe(2);
  });

  test('the wait for it is a part of `storeTimeoutMillis`', async () => {
    using service = new Service();
    await service.member()('a');
    await settle();
    const began = service.clock.now();
    const one = service.member({
      storeTimeoutMillis: 300,
      validate: () => new Promise(() => {}),
    });
    await service.answer(one('a'));
    expect(service.clock.now() - began).toBeLessThanOrEqual(400);
  });
});

describe('serialize and deserialize', () => {
  const dates = {
    serialize: (value: Date) => value.getTime(),
    deserialize: (stored: unknown) => new Date(stored as number),
  };

  test('turn results to what is stored, and back', async () => {
    using service = new Service();
    service.source = () => new Date(86_400_000);
    const one = service.member(dates as never);
    expect(await one('a')).toEqual(new Date(86_400_000));
    await one.flush();
    const stored = [...service.entries.entries()].find(([name]) => name.includes(':entry:'));
    expect(JSON.stringify(stored)).toContain('86400000');
    const other = service.member({
      ...dates,
      validate: (value: unknown) => value instanceof Date,
    } as never);
    expect(await other('a')).toEqual(new Date(86_400_000));
    expect(service.loads).toBe(1);
  });

  test('may be async', async () => {
    using service = new Service();
    const slow = {
      serialize: async (value: unknown) => JSON.stringify(value),
      deserialize: async (stored: unknown) => JSON.parse(stored as string),
    };
    const one = service.member(slow);
    await one('a');
    await one.flush();
    expect(await service.member(slow)('a')).toEqual({ id: 'a', name: 'old a' });
    expect(service.loads).toBe(1);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('no codec');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no codec'))],
    ['hangs', () => new Promise<never>(() => {})],
  ])('one that %s fails no call, and shares nothing', async (_, broken) => {
    using service = new Service();
    const writer = service.member({ serialize: broken, deserialize: (stored: unknown) => stored });
    expect(await writer('a')).toEqual({ id: 'a', name: 'old a' });
    await service.answer(writer.flush());
    expect(writer.cacheInfo()).toMatchObject({ sharedWrites: 0, sharedErrors: 1 });
    await service.member()('a');
    await settle();
    expect(service.loads).toBe(2);
    const reader = service.member({ serialize: (value: unknown) => value, deserialize: broken });
    expect(await service.answer(reader('a'))).toEqual({ id: 'a', name: 'old a' });
    expect(reader.cacheInfo()).toMatchObject({ sharedRejects: 1, loads: 1 });
  });
});

test.each([
  { what: 'is not invalidated', isInvalidated: false, expected: 'old' },
  { what: 'is invalidated', isInvalidated: true, expected: 'down' },
])(
  'a stale result of the store that $what while the load fails: FusionCache#648',
  async ({ isInvalidated, expected }) => {
    using service = new Service();
    const windows = { ttl: 1_000, staleIfError: 60_000 };
    service.source = () => 'old';
    const one = service.member({}, windows);
    await one('k');
    await one.flush();
    const now = Date.now();
    vi.spyOn(Date, 'now').mockReturnValue(now + 5_000);
    const source = new Gate();
    service.source = () => source.passed;
    const other = service.member({}, windows);
    const answer = other('k').catch((error) => error.message);
    await settle();
    if (isInvalidated) {
      one.delete('k');
      await one.flush();
    }
    source.fail(new Error('down'));
    expect(await service.answer(answer)).toBe(expected);
    expect(other.cacheInfo()).toMatchObject({ loads: 0, loadFailures: 1 });
    vi.restoreAllMocks();
  },
);

describe('a restored result is stale', () => {
  test('because other processes may have invalidated it', async () => {
    using service = new Service();
    service.source = () => 'old';
    const one = service.member();
    await one('k');
    const saved = await dump(one);
    one.delete('k');
    await one.flush();
    service.source = () => 'new';
    const other = service.member();
    restore(other, saved);
    expect(await other('k')).toBe('new');
  });

  test('and is served in place of a failure', async () => {
    using service = new Service();
    const one = service.member({ store: new Keyv() });
    const value = await one('k');
    const saved = await dump(one);
    service.source = () => {
      throw new Error('down');
    };
    const other = service.member({}, { staleIfError: 60_000 });
    restore(other, saved);
    expect(await other('k')).toBe(value);
    expect(other.cacheInfo()).toMatchObject({ loadFailures: 1, staleHits: 1 });
  });
});

test('jitter lengthens no stale window of a result from the store', async () => {
  using service = new Service();
  const windows = { ttl: 1_000, staleWhileRevalidate: 1_000 };
  const stale = service.member({}, windows);
  await stale('k');
  await stale.flush();
  const now = Date.now();
  vi.spyOn(Date, 'now').mockReturnValue(now + 1_900);
  const other = service.member({}, { ...windows, jitter: 1, random: () => 0.9 });
  service.source = () => new Promise(() => {});
  await service.answer(other('k'));
  expect(other.has('k')).toBe(true);
  await service.clock.advance(200);
  expect(other.has('k')).toBe(false);
  vi.restoreAllMocks();
});

describe('a remembered failure of this process', () => {
  const options = { negativeTtl: 60_000 };

  test('is not given after the bus broke: another process may have invalidated it', async () => {
    using service = new Service();
    const listeners: BusListener[] = [];
    const bus: InvalidationBus = {
      publish: async () => {},
      subscribe(listener) {
        listeners.push(listener);
        listener.connected(true);
        return { [Symbol.dispose]: () => {} };
      },
    };
    const one = service.member({ bus }, options);
    const other = service.member({ bus }, options);
    service.source = () => {
      throw new Error('no such user');
    };
    await expect(one('k')).rejects.toThrow('no such user');
    await one.flush();
    listeners[0]?.connected(false);
    other.delete('k');
    await other.flush();
    service.source = () => 'user';
    expect(await one('k')).toBe('user');
  });

  test('is given for localTtlMillis, and then asked of the store', async () => {
    using service = new Service();
    const one = service.member({ localTtlMillis: 1_000 }, options);
    const other = service.member({}, options);
    service.source = () => {
      throw new Error('no such user');
    };
    await expect(one('k')).rejects.toThrow('no such user');
    await one.flush();
    await service.clock.advance(1_000);
    await expect(one('k')).rejects.toMatchObject({ code: 'TENURE_SHARED_LOAD' });
    other.delete('k');
    await other.flush();
    service.source = () => 'user';
    await service.clock.advance(1_000);
    expect(await one('k')).toBe('user');
    expect(service.loads).toBe(2);
  });
});

describe('localTtlMillis', () => {
  test('an entry of this process is fresh for that long, and one in the store for its ttl', async () => {
    using service = new Service();
    const shared = { localTtlMillis: 1_000 };
    const [one, other] = [service.member(shared), service.member(shared)];
    await one('a');
    await one.flush();
    await other('a');
    other.delete('a');
    service.source = () => 'new';
    await other('a');
    await other.flush();
    expect(await one('a'), 'without a bus, for as long as the local entry lives').toEqual({
      id: 'a',
      name: 'old a',
    });
    await service.clock.advance(999);
    expect(await one('a')).toEqual({ id: 'a', name: 'old a' });
    await service.clock.advance(1);
    expect(await one('a')).toBe('new');
    expect(service.loads).toBe(2);
    for (let seconds = 0; seconds < 10; seconds++) {
      await service.clock.advance(1_000);
      expect(await one('a')).toBe('new');
    }
    expect(service.loads).toBe(2);
    expect(one.cacheInfo().sharedHits).toBeGreaterThanOrEqual(11);
  });

  test('0 asks the store with each call', async () => {
    using service = new Service();
    const one = service.member({ localTtlMillis: 0 });
    for (let call = 0; call < 3; call++) {
      await one('a');
      await one.flush();
    }
    expect(service.loads).toBe(1);
    expect(one.cacheInfo()).toMatchObject({ hits: 0, sharedHits: 2 });
  });

  test('lengthens no ttl, and holds for values given to `set`', async () => {
    using service = new Service();
    const short = service.member({ localTtlMillis: 60_000 }, { ttl: 1_000 });
    await short('a');
    await short.flush();
    service.entries.clear();
    await service.clock.advance(1_000);
    await short('a');
    expect(service.loads).toBe(2);
    const one = service.member({ localTtlMillis: 1_000 });
    one.set(['b'], Promise.resolve('promised'));
    one.set(['c'], 'set' as never);
    await settle();
    await one.flush();
    expect([await one('b'), await one('c')]).toEqual(['promised', 'set']);
    await service.clock.advance(1_000);
    expect([await one('b'), await one('c')]).toEqual(['promised', 'set']);
    expect(one.cacheInfo()).toMatchObject({ hits: 2, sharedHits: 2 });
  });

  test.each<{ what: string; lose: (service: Service) => void }>([
    { what: 'nothing else', lose: (service) => service.entries.clear() },
    { what: 'no result', lose: (service) => service.forgetResults() },
  ])(
    'after it, a result of this process is served in place of a failure, while $what is there',
    async ({ lose }) => {
      using service = new Service();
      const one = service.member({ localTtlMillis: 1_000 }, { staleIfError: 60_000 });
      one.clear();
      one.delete('a'); // The tokens of earlier invalidations cover nothing that was loaded since.
      await one.flush();
      await one('a');
      await one.flush();
      lose(service);
      service.source = () => Promise.reject(new Error('down'));
      await service.clock.advance(1_000);
      expect(await one('a')).toEqual({ id: 'a', name: 'old a' });
      expect(one.cacheInfo()).toMatchObject({ staleHits: 1, loadFailures: 1, sharedMisses: 2 });
    },
  );

  describe.each<{ how: string; invalidate: (value: Member) => void }>([
    { how: 'delete', invalidate: (value) => void value.delete('a') },
    { how: 'clear', invalidate: (value) => value.clear() },
    { how: 'invalidateTags', invalidate: (value) => void value.invalidateTags('a') },
    {
      how: 'set',
      invalidate: (value) => value.set(['a'], Promise.resolve({ id: 'a', name: 's' })),
    },
  ])('after $how in another process', ({ how, invalidate }) => {
    const options = {
      tags: (_: unknown, id: string) => [id],
      staleIfError: 60_000,
      retryAfterMillis: 10_000,
    };

    /** A process without a bus that has a result, and another one. */
    async function processes(service: Service, given?: object) {
      const one = service.member({ localTtlMillis: 1_000 }, options);
      if (given !== undefined) one.set(['a'], Promise.resolve(given));
      await settle();
      await one('a');
      await one.flush();
      return { one, other: service.member({}, options) };
    }

    test.each([
      ['loaded', undefined],
      ['given to `set`', { id: 'a', name: 'given' }],
    ])('a result that was %s takes the place of no failure', async (_, given) => {
      using service = new Service();
      const { one, other } = await processes(service, given);
      invalidate(other);
      await settle();
      await other.flush();
      if (how === 'set') service.forgetResults();
      service.source = () => Promise.reject(new Error('down'));
      await service.clock.advance(1_000);
      for (const call of ['first', 'next']) {
        await expect(one('a'), `the ${call} call`).rejects.toThrow('down');
      }
    });

    test('a result whose load could not read the store takes the place of no failure', async () => {
      using service = new Service();
      const inner = new Keyv({ store: service.entries });
      let isUnread = true;
      const store: SharedStore = {
        get: async (name) => (isUnread ? Promise.reject(new Error('unread')) : inner.get(name)),
        set: (name, value, ttl) => inner.set(name, value, ttl),
        delete: (name) => inner.delete(name),
      };
      const one = service.member({ localTtlMillis: 1_000, store }, options);
      const other = service.member({}, options);
      await other('b');
      await other.flush();
      await one('a');
      isUnread = false;
      invalidate(other);
      await settle();
      await other.flush();
      if (how === 'set') service.forgetResults();
      service.source = () => Promise.reject(new Error('down'));
      await service.clock.advance(1_000);
      await expect(one('a')).rejects.toThrow('down');
    });

    test('that comes during a load, its failure is not replaced', async () => {
      using service = new Service();
      const { one, other } = await processes(service);
      const gate = new Gate();
      service.forgetResults();
      service.source = () => gate.passed;
      await service.clock.advance(1_000);
      const call = one('a');
      await settle();
      invalidate(other);
      await settle();
      await other.flush();
      if (how === 'set') service.forgetResults();
      gate.fail(new Error('down'));
      await expect(call).rejects.toThrow('down');
    });

    test('a result is not served at the soft limit of a load', async () => {
      using service = new Service();
      const loadTimeoutMillis = { soft: 100, hard: 5_000 };
      const one = service.member({ localTtlMillis: 1_000 }, { ...options, loadTimeoutMillis });
      await one('a');
      await one.flush();
      const other = service.member({}, options);
      invalidate(other);
      await settle();
      await other.flush();
      if (how === 'set') service.forgetResults();
      service.source = () => new Promise(() => {});
      await service.clock.advance(1_000);
      await expect(service.answer(one('a'))).rejects.toThrow(LoadTimeoutError);
    });

    test('that concerns another key and tag, the failure is replaced', async () => {
      using service = new Service();
      const { one, other } = await processes(service);
      other.delete('b');
      other.invalidateTags('b');
      await other.flush();
      service.source = () => Promise.reject(new Error('down'));
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 });
      try {
        await service.clock.advance(60_000);
        expect(await one('a')).toEqual({ id: 'a', name: 'old a' });
        expect(one.cacheInfo()).toMatchObject({ staleHits: 1, loadFailures: 1 });
      } finally {
        vi.useRealTimers();
      }
    });
  });
});

test.each([
  [{ version: '' }, /`version` must be a non-empty string or an integer/],
  [{ version: 1.5 }, /`version`/],
  [{ serialize: () => 1 }, /`serialize` and `deserialize` need each other/],
  [{ deserialize: () => 1 }, /`serialize` and `deserialize` need each other/],
  [{ validate: true }, /`validate` must be a function/],
  [{ localTtlMillis: -1 }, /`localTtlMillis`/],
  [{ localTtlMillis: Number.NaN }, /`localTtlMillis`/],
  [{ store: undefined, bus: new MemoryBus(), localTtlMillis: 5 }, /`localTtlMillis` needs `store`/],
  [{ store: undefined, bus: new MemoryBus(), validate: () => true }, /`validate` needs `store`/],
])('a malformed option is refused: %#', (options, message) => {
  expect(() => sharedCache({ store: new Keyv(), ...options } as never)).toThrow(message);
});
