/** The promises of the shared level under faults that a fake store can show exactly: silence, refusals, floods, foreign data. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { runInNewContext } from 'node:vm';
import Keyv from 'keyv';
import { describe, expect, test, vi } from 'vitest';
import { dump, restore } from '../../src/memoize/dump/index.js';
import { type MemoizeOptions, memoize } from '../../src/memoize/index.js';
import {
  type ClusterLock,
  type SharedCacheOptions,
  type SharedStore,
  sharedCache,
} from '../../src/memoize/shared/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gate } from '../kit/gate.js';
import { settle } from '../kit/settle.js';
import { waitOf } from '../kit/wait-of.js';
import { MemoryBus } from './memory-bus.js';

type Fn = (id: string) => Promise<string>;

/** A store in memory that counts its requests. `may` decides what it accepts, as a refusal that is reported as success. */
class MemoryStore implements SharedStore {
  readonly values = new Map<string, unknown>();
  /** The `ttl` of each write. */
  readonly lives = new Map<string, number>();
  sets = 0;
  roundTrips = 0;
  may: (name: string) => boolean = () => true;
  answers = true;
  answersWrites = true;
  /** When an answer is read. */
  arrival: () => Promise<void> = async () => {};

  async getMany(names: string[]): Promise<unknown[]> {
    await this.#trip();
    return names.map((name) => structuredClone(this.values.get(name)));
  }

  async get(name: string): Promise<unknown> {
    await this.#trip();
    return structuredClone(this.values.get(name));
  }

  async set(name: string, value: unknown, ttl = 0): Promise<boolean> {
    this.sets++;
    this.lives.set(name, ttl);
    await this.#trip(this.answersWrites);
    if (this.may(name)) this.values.set(name, structuredClone(value));
    return true;
  }

  async delete(name: string): Promise<boolean> {
    await this.#trip(this.answersWrites);
    return this.values.delete(name);
  }

  async #trip(answers = true): Promise<void> {
    this.roundTrips++;
    if (!this.answers || !answers) await new Promise(() => {});
    await this.arrival();
  }
}

class Service implements Disposable {
  source: (id: string) => Promise<string> | string = (id) => `old ${id}`;
  loads = 0;
  readonly errors: unknown[] = [];
  readonly wheres: string[] = [];
  readonly #members: Disposable[] = [];

  member(shared: SharedCacheOptions, options: Partial<MemoizeOptions<Fn>> = {}) {
    const member = memoize<Fn>(
      async (id) => {
        this.loads++;
        return this.source(id);
      },
      {
        name: 'value',
        ttl: 60_000,
        onError: (error, where) => {
          this.errors.push(error);
          this.wheres.push(where);
        },
        shared: sharedCache(shared),
        ...options,
      },
    );
    this.#members.push(member);
    return member;
  }

  [Symbol.dispose](): void {
    for (const member of this.#members) member[Symbol.dispose]();
  }
}

describe('a store that gives no answer', () => {
  const hangingLock: ClusterLock = {
    acquire: (_, { ask }) => ask(() => new Promise(() => {})),
  };

  test.each([
    { parts: 'a store', lock: undefined },
    { parts: 'a store and a lock', lock: hangingLock },
  ])('costs one call its timeout, and later calls nothing: $parts', async ({ lock }) => {
    using service = new Service();
    const [store, clock] = [new MemoryStore(), new FakeClock()];
    store.answers = false;
    const options = lock === undefined ? { store, clock } : { store, clock, lock };
    const one = service.member({ ...options, storeTimeoutMillis: 1_000 });
    expect(await waitOf(clock, one('a'))).toBeLessThanOrEqual(1_001);
    for (const id of ['b', 'c', 'd']) expect(await waitOf(clock, one(id))).toBe(0);
    expect(one.cacheInfo().shared).toMatchObject({ store: 'resting' });
    const other = service.member({ ...options, storeTimeoutMillis: 1_000 });
    expect(await waitOf(clock, other('a')), 'another cache of the store').toBe(0);
  });

  test('costs one call its timeout if only writes get no answer, and is read all the while', async () => {
    using service = new Service();
    const [store, clock] = [new MemoryStore(), new FakeClock()];
    const [one, other] = [service.member({ store, clock }), service.member({ store, clock })];
    for (const id of ['known', 'stale']) await one(id);
    await one.flush();
    expect(other.cacheInfo().shared).toMatchObject({ restingShare: 0, restingWriteShare: 0 });
    store.answersWrites = false;
    service.source = (id) => `new ${id}`;
    expect(await waitOf(clock, other('a'))).toBeLessThanOrEqual(1_001);
    expect(other.cacheInfo().shared).toMatchObject({
      store: 'answering',
      restingShare: 0,
      restingWriteShare: 1,
    });
    for (const id of ['b', 'c', 'd']) expect(await waitOf(clock, other(id))).toBe(0);
    expect(await other('known'), 'reads go on').toBe('old known');
    other.delete('stale');
    expect(await waitOf(clock, other('stale'))).toBe(0);
    expect(await other('stale')).toBe('new stale');
    const { sets } = store;
    for (const id of ['e', 'f']) await other(id);
    expect(store.sets, 'while they rest').toBe(sets);
    await clock.advance(30_000);
    expect(await waitOf(clock, other('g')), 'a probe is beside the call').toBe(0);
    store.answersWrites = true;
    await clock.advance(30_000);
    await other('h');
    expect(await other.flush()).toBe(true);
    await other('i');
    await other.flush();
    const loads = service.loads;
    expect([await one('i'), service.loads]).toEqual(['new i', loads]);
    expect(other.cacheInfo().shared?.restingWriteShare).toBe(0);
  });

  test('answers writes again in all of its slots after a single read, in a service that writes nothing', async () => {
    using service = new Service();
    const [store, clock] = [new MemoryStore(), new FakeClock()];
    const member = () => service.member({ store, clock });
    const [one, other] = [member(), member()];
    const known = ['a', 'b', 'c', 'd'];
    for (const id of known) await one(id);
    await one.flush();
    store.answersWrites = false;
    const ids = Array.from({ length: 200 }, (_, id) => `cold ${id}`);
    await waitOf(clock, Promise.all(ids.map((id) => one(id))));
    expect(one.cacheInfo().shared).toMatchObject({ restingShare: 0, restingWriteShare: 1 });
    await clock.advance(30_000);
    await other('a');
    await clock.advance(1_000);
    expect(other.cacheInfo().shared?.restingWriteShare, 'the probe has failed').toBe(1);
    await other('b');
    store.answersWrites = true;
    await clock.advance(30_000);
    const names = [...store.values.keys()];
    await other('c');
    await settle();
    expect(other.cacheInfo().shared?.restingWriteShare).toBe(0);
    const probes = [...store.values.keys()].filter((name) => !names.includes(name));
    expect(probes.length).toBeGreaterThan(100);
    expect(probes.filter((name) => !name.endsWith(':probe'))).toEqual([]);
    expect(probes.filter((name) => !((store.lives.get(name) ?? 0) > 0))).toEqual([]);
  });

  test('answers writes again in all of its slots after an invalidation, during their rest', async () => {
    using service = new Service();
    const [store, clock] = [new MemoryStore(), new FakeClock()];
    const one = service.member({ store, clock });
    await one('a');
    await one.flush();
    store.answersWrites = false;
    const ids = Array.from({ length: 200 }, (_, id) => `cold ${id}`);
    await waitOf(clock, Promise.all(ids.map((id) => one(id))));
    store.answersWrites = true;
    one.delete('a');
    expect(await one.flush()).toBe(true);
    await settle();
    expect(one.cacheInfo().shared?.restingWriteShare).toBe(0);
  });

  test('costs no stale result that was read from it before, while the source is down, too', async () => {
    using service = new Service();
    const [store, clock] = [new MemoryStore(), new FakeClock()];
    const windows = { ttl: 100, staleIfError: 60_000, clock };
    const one = service.member({ store, clock }, windows);
    const other = service.member({ store, clock }, windows);
    await one('a');
    await one.flush();
    expect([await other('a'), other.cacheInfo().sharedHits]).toEqual(['old a', 1]);
    await clock.advance(200);
    store.answers = false;
    service.source = () => {
      throw new Error('the source is down');
    };
    const stale = other('a');
    await waitOf(clock, stale);
    expect(await stale).toBe('old a');
    expect(await other('a')).toBe('old a');
    await expect(other('b'), 'never read').rejects.toThrow('the source is down');
    await clock.advance(60_000);
    await expect(other('a'), 'past its window').rejects.toThrow('the source is down');
  });

  /** One turn of a busy event loop: timers are late, and then answers are read. */
  async function busyTurn(clock: FakeClock, millis: number, answer: () => void): Promise<void> {
    clock.jump(millis);
    await clock.advance(0);
    answer();
    await settle();
  }

  test('is no store whose answers wait for a busy event loop', async () => {
    using service = new Service();
    const [store, clock] = [new MemoryStore(), new FakeClock()];
    const unread: Gate[] = [];
    store.arrival = () => {
      const gate = new Gate();
      unread.push(gate);
      return gate.passed;
    };
    const ids = Array.from({ length: 30 }, (_, id) => `id ${id}`);
    const one = service.member({ store, clock });
    const calls = Promise.all(ids.map((id) => one(id)));
    await settle();
    const began = clock.now();
    while (unread.length > 0) await busyTurn(clock, 100, () => unread.shift()?.open());
    await calls;
    await one.flush();
    expect(clock.now() - began).toBeGreaterThan(5_000);
    expect(one.cacheInfo()).toMatchObject({ sharedErrors: 0, sharedWrites: ids.length });
    expect(one.cacheInfo().shared).toMatchObject({ store: 'answering', restingWriteShare: 0 });
  });

  test.each([
    { busyMillis: 40, most: 1_050 },
    { busyMillis: 200, most: 4_200 },
  ])(
    'gets no more time from turns of $busyMillis ms without an answer than they are blocked for',
    async ({ busyMillis, most }) => {
      using service = new Service();
      const [store, clock] = [new MemoryStore(), new FakeClock()];
      store.answers = false;
      const one = service.member({ store, clock });
      let isOver = false;
      const calls = Promise.all(['a', 'b', 'c'].map((id) => one(id))).then(() => {
        isOver = true;
      });
      await settle();
      const began = clock.now();
      while (!isOver) await busyTurn(clock, busyMillis, () => {});
      await calls;
      expect(clock.now() - began).toBeLessThanOrEqual(most);
      expect(one.cacheInfo().shared).toMatchObject({ store: 'resting' });
    },
  );

  test('finds the slots of a health check once for 500 requests that end together', async () => {
    using service = new Service();
    const clock = new FakeClock();
    const one = service.member({
      clock,
      store: {
        get: async () => undefined,
        getMany: () => new Promise(() => {}),
        set: async () => true,
        delete: async () => true,
      },
    });
    const encode = vi.spyOn(TextEncoder.prototype, 'encode');
    try {
      const calls = Array.from({ length: 500 }, (_, id) => one(`${id}`));
      await waitOf(clock, Promise.all(calls));
      expect(encode.mock.calls.length / calls.length).toBeLessThan(40);
    } finally {
      encode.mockRestore();
    }
  });

  test('is probed after its rest by no caller, and used again after an answer', async () => {
    using service = new Service();
    const [store, clock] = [new MemoryStore(), new FakeClock()];
    const one = service.member({ store, clock });
    store.answers = false;
    await waitOf(clock, one('a'));
    await clock.advance(10_000);
    expect(await waitOf(clock, one('b'))).toBe(0);
    await clock.advance(2_000);
    store.answers = true;
    await clock.advance(10_000);
    expect(await waitOf(clock, one('c'))).toBe(0);
    expect(one.cacheInfo().shared).toMatchObject({ store: 'answering' });
    const { roundTrips } = store;
    await one('d');
    expect(store.roundTrips).toBeGreaterThan(roundTrips);
  });

  test.each([100, 4_000])('rests for longer than any wait under it: %i ms', async (millis) => {
    using service = new Service();
    const [store, clock] = [new MemoryStore(), new FakeClock()];
    store.answers = false;
    const one = service.member({ store, clock, storeTimeoutMillis: millis });
    await waitOf(clock, one('a'));
    const { roundTrips } = store;
    await clock.advance(4_900);
    await one('b');
    expect(store.roundTrips).toBe(roundTrips);
  });

  test('is probed by one request at a time, however many calls come', async () => {
    using service = new Service();
    const [store, clock] = [new MemoryStore(), new FakeClock()];
    store.answers = false;
    const one = service.member({ store, clock });
    await waitOf(clock, one('a'));
    await clock.advance(10_000);
    const { roundTrips } = store;
    for (const id of ['b', 'c', 'd']) await one(id);
    expect(store.roundTrips).toBe(roundTrips + 1);
  });

  test('rests on after an answer that came too late, and no longer after a refusal in time', async () => {
    using service = new Service();
    const clock = new FakeClock();
    const late = new Gate();
    let refuses = false;
    const ask = async (): Promise<undefined> => {
      if (refuses) throw new Error('NOAUTH');
      await late.passed;
    };
    const one = service.member({ store: { get: ask, set: ask, delete: ask }, clock });
    await waitOf(clock, one('a'));
    late.open();
    await settle();
    expect(one.cacheInfo().shared).toMatchObject({ store: 'resting' });
    refuses = true;
    await clock.advance(10_000);
    await one('b');
    await settle();
    expect(one.cacheInfo().shared).toMatchObject({ store: 'answering' });
  });

  test('is asked by one invalidation at a time while it rests', async () => {
    using service = new Service();
    const [store, clock] = [new MemoryStore(), new FakeClock()];
    store.answers = false;
    const one = service.member({ store, clock });
    await waitOf(clock, one('a'));
    const { roundTrips } = store;
    for (let id = 0; id < 20; id++) one.delete(`k${id}`);
    await settle();
    expect(store.roundTrips).toBe(roundTrips + 1);
  });

  test('a store that answers slowly and a lock share one timeout', async () => {
    using service = new Service();
    const clock = new FakeClock();
    const slow = <T>(value: T) =>
      new Promise<T>((resolve) => clock.setTimer(() => resolve(value), 400));
    const store = { get: () => slow(undefined), set: () => slow(true), delete: () => slow(true) };
    const lock: ClusterLock = {
      acquire: (_, { ask }) => ask(() => slow({ fence: 1, lost: false, release: async () => {} })),
    };
    const one = service.member({ store, lock, clock, storeTimeoutMillis: 1_000 });
    expect(await waitOf(clock, one('a'))).toBeLessThanOrEqual(1_002);
  });

  test('a store and a lock that fall silent while a call waits for the lock share one timeout', async () => {
    using service = new Service();
    const [store, clock] = [new MemoryStore(), new FakeClock()];
    const lock: ClusterLock = {
      async acquire(_, { ask }) {
        await ask(async () => 'another has it');
        store.answers = false;
        await ask(() => new Promise(() => {}));
        throw new Error('not reached');
      },
    };
    const one = service.member({ store, lock, clock, storeTimeoutMillis: 1_000 });
    expect(await waitOf(clock, one('a'))).toBeLessThanOrEqual(1_002);
    expect(service.loads).toBe(1);
  });

  test('500 calls whose errors all differ report 51 of them in ten seconds, and count each', async () => {
    using service = new Service();
    const clock = new FakeClock();
    let number = 0;
    const refuse = () => Promise.reject(new Error(`${number++} can not be read`));
    const one = service.member({ store: { get: refuse, set: refuse, delete: refuse }, clock });
    for (let id = 0; id < 500; id++) await one(`k${id}`);
    expect(service.errors).toHaveLength(51);
    expect(one.cacheInfo().sharedErrors).toBeGreaterThanOrEqual(500);
    await clock.advance(10_000);
    for (let id = 0; id < 500; id++) await one(`later ${id}`);
    expect(service.errors).toHaveLength(102);
  });

  test.each<{ what: string; change: (value: unknown) => unknown }>([
    {
      what: 'bytes, as a client with a type mapping does',
      change: (text) => Buffer.from(`${text}`),
    },
    { what: 'objects, as a wrong `deserialize` of a Keyv does', change: (value) => ({ value }) },
    { what: 'nothing, as one that refuses writes in silence does', change: () => undefined },
  ])('a store that gives back $what is told of, and fails no call', async ({ change }) => {
    using service = new Service();
    const memory = new MemoryStore();
    const store: SharedStore = {
      get: async (name) => change(await memory.get(name)),
      set: (name, value, ttl) => memory.set(name, value, ttl),
      delete: (name) => memory.delete(name),
    };
    const one = service.member({ store });
    expect(await one('a')).toBe('old a');
    const message = expect.stringContaining('give back something else');
    expect(service.errors).toMatchObject([{ code: 'TENURE_SHARED_STORE', message }]);
    one.delete('a');
    expect(await one.flush()).toBe(false);
    expect(one.cacheInfo().shared).toMatchObject({ pendingInvalidations: 1, store: 'answering' });
  });

  test('500 calls report one kind of error once, and count each', async () => {
    using service = new Service();
    const clock = new FakeClock();
    const refuse = () => Promise.reject(new Error('READONLY You can not write'));
    const one = service.member({ store: { get: refuse, set: refuse, delete: refuse }, clock });
    for (let id = 0; id < 500; id++) await one(String(id));
    expect(service.errors).toHaveLength(1);
    expect(one.cacheInfo().sharedErrors).toBeGreaterThanOrEqual(500);
    await clock.advance(10_000);
    await one('later');
    expect(service.wheres.at(-1)).toMatch(/the shared level of the cache 'value', and \d+ like it/);
  });
});

test('errors that are printed by default pass one limit, whatever clock the shared level has', async () => {
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
  try {
    const clock = new FakeClock();
    const refuse = () => Promise.reject(new Error('READONLY You can not write'));
    const store = { get: refuse, set: refuse, delete: refuse };
    const caches = Array.from({ length: 30 }, (_, at) =>
      memoize(async (id: number) => id, {
        name: `printed ${at}`,
        shared: sharedCache({ store, clock }),
      }),
    );
    for (let id = 0; id < 6; id += 2) {
      for (const each of caches) await each.getMany([[id], [id + 1]]);
      await clock.advance(10_000);
    }
    expect(printed).toHaveBeenCalledTimes(30);
  } finally {
    printed.mockRestore();
  }
});

describe('invalidations', () => {
  test('200 deletes take as many round trips one after the other as one delete', async () => {
    using service = new Service();
    const store = new MemoryStore();
    const gates: (() => void)[] = [];
    let waves = 0;
    const wave = async (): Promise<void> => {
      await new Promise<void>((resolve) => gates.push(resolve));
    };
    const slow: SharedStore = {
      get: (name) => wave().then(() => store.get(name)),
      getMany: (names) => wave().then(() => store.getMany(names)),
      set: (name, value) => wave().then(() => store.set(name, value)),
      delete: (name) => wave().then(() => store.delete(name)),
    };
    const one = service.member({ store: slow, bus: new MemoryBus(), storeTimeoutMillis: Infinity });
    for (let id = 0; id < 200; id++) one.delete(`k${id}`);
    let done = false;
    void one.flush().then(() => {
      done = true;
    });
    for (await settle(); !done; await settle()) {
      waves++;
      for (const open of gates.splice(0)) open();
    }
    expect(waves).toBeLessThanOrEqual(4);
  });

  test('10,000 deletes stay single: other results stay in all processes', async () => {
    using service = new Service();
    const shared = { store: new MemoryStore(), bus: new MemoryBus(), clock: new FakeClock() };
    const [one, other] = [service.member(shared), service.member(shared)];
    await other('kept');
    await other.flush();
    for (let id = 0; id < 10_000; id++) one.delete(`k${id}`);
    expect(await one.flush()).toBe(true);
    expect([await other('kept'), await one('kept')]).toEqual(['old kept', 'old kept']);
    expect(service.loads).toBe(1);
    expect(shared.bus.texts.length).toBeLessThan(50);
  });

  test('one that the store drops is pending, and is tried again each second', async () => {
    using service = new Service();
    const [store, clock] = [new MemoryStore(), new FakeClock()];
    const one = service.member({ store, clock });
    await one('k');
    await one.flush();
    store.may = () => false;
    one.delete('k');
    expect(await one.flush()).toBe(false);
    expect(one.cacheInfo().shared).toMatchObject({ pendingInvalidations: 1 });
    store.may = () => true;
    await clock.advance(1_000);
    expect(one.cacheInfo().shared).toMatchObject({ pendingInvalidations: 0 });
  });

  test('an outbox that is full invalidates everything, and says so', async () => {
    using service = new Service();
    const [store, clock] = [new MemoryStore(), new FakeClock()];
    const one = service.member({ store, clock });
    const other = service.member({ store, clock });
    await one('k');
    await one.flush();
    store.may = () => false;
    for (let id = 0; id <= 100_000; id++) one.delete(`k${id}`);
    service.source = () => 'new';
    expect(one.cacheInfo()).toMatchObject({ size: 0, shared: { pendingInvalidations: 1 } });
    expect(String(service.errors[0])).toMatch(/whole cache is invalidated/);
    store.may = () => true;
    expect(await one.flush()).toBe(true);
    expect([await one('k'), await other('k')]).toEqual(['new', 'new']);
  });

  test('with more announcements than it can remember, a process believes no result in the store for a minute', async () => {
    using service = new Service();
    const shared = { store: new MemoryStore(), bus: new MemoryBus(), clock: new FakeClock() };
    const writer = service.member(shared);
    for (const id of ['announced', 'before', 'during', 'after']) await writer(id);
    await writer.flush();
    const reader = service.member(shared);
    const announce = (ids: readonly string[]) => {
      const list = ids.map((id) => ['key', `["${id}"]`, `token of ${id}`]);
      return shared.bus.publish(JSON.stringify({ from: 'another', cache: 'value', list }));
    };
    service.source = (id) => `new ${id}`;
    await announce(['announced']);
    expect([await reader('announced'), await reader('before')]).toEqual([
      'new announced',
      'old before',
    ]);
    for (let block = 0; block < 200; block++) {
      await announce(Array.from({ length: 500 }, (_, at) => `${block} ${at}`));
    }
    expect(await reader('during')).toBe('new during');
    await shared.clock.advance(60_000);
    expect(await reader('after')).toBe('old after');
  });

  test('announcements are forgotten after a minute: however many came in all, the store is believed', async () => {
    using service = new Service();
    const shared = { store: new MemoryStore(), bus: new MemoryBus(), clock: new FakeClock() };
    const writer = service.member(shared);
    await writer('k');
    await writer.flush();
    const reader = service.member(shared);
    for (let block = 0; block < 240; block++) {
      const list = Array.from({ length: 500 }, (_, at) => ['key', `${block} ${at}`, 'token']);
      await shared.bus.publish(JSON.stringify({ from: 'another', cache: 'value', list }));
      await shared.clock.advance(1_000);
    }
    service.source = () => 'new';
    expect(await reader('k')).toBe('old k');
  });

  test('a tag and a cache whose names look alike have nothing in common', async () => {
    using service = new Service();
    const store = new MemoryStore();
    const tagged = service.member(
      { store },
      { name: 'user', tags: () => ['x:cache:{user:tag:{x'] },
    );
    const other = service.member({ store }, { name: 'user:tag:{x' });
    await other('k');
    await other.flush();
    tagged.invalidateTags('x:cache:{user:tag:{x');
    await tagged.flush();
    await service.member({ store }, { name: 'user:tag:{x' })('k');
    expect(service.loads).toBe(1);
  });

  test('two services with own namespaces share neither invalidations nor locks', async () => {
    using service = new Service();
    const bus = new MemoryBus();
    const names: string[] = [];
    const lock: ClusterLock = {
      acquire: async (name) => {
        names.push(name);
        return { fence: 1, lost: false, release: async () => {} };
      },
    };
    const [one, other] = ['a', 'b'].map((namespace) =>
      service.member({ store: new Keyv({ namespace }), bus, lock }),
    ) as [ReturnType<Service['member']>, ReturnType<Service['member']>];
    await one('k');
    await other('k');
    one.delete('k');
    await one.flush();
    await other('k');
    expect(service.loads).toBe(2);
    expect(names).toEqual(['a:value:lock:{["k"]}', 'b:value:lock:{["k"]}']);
  });

  test('prefix begins all names in the store and of locks, and the name on the bus', async () => {
    using service = new Service();
    const [store, bus] = [new MemoryStore(), new MemoryBus()];
    const names: string[] = [];
    const lock: ClusterLock = {
      acquire: async (name) => {
        names.push(name);
        return { fence: 1, lost: false, release: async () => {} };
      },
    };
    const one = service.member({ store, bus, lock, prefix: 'app:' });
    await one('k');
    one.delete('k');
    await one.flush();
    names.push(
      ...store.values.keys(),
      (JSON.parse(bus.texts[0] as string) as { cache: string }).cache,
    );
    expect(names.length).toBeGreaterThan(4);
    expect(names.filter((name) => !name.startsWith('app:'))).toEqual([]);
  });

  test('a load from before an invalidation of tags in another process is believed by none', async () => {
    using service = new Service();
    const store = new MemoryStore();
    const options = { tags: () => ['t'] };
    const [one, other] = [service.member({ store }, options), service.member({ store }, options)];
    const gate = new Gate<string>();
    service.source = () => gate.passed;
    const early = one('k');
    await settle();
    other.invalidateTags('t');
    await other.flush();
    gate.open('old');
    await early;
    await one.flush();
    service.source = () => 'new';
    expect(await other('k')).toBe('new');
  });

  test('everything in the store has a lifetime', async () => {
    using service = new Service();
    const lives: unknown[] = [];
    const memory = new MemoryStore();
    const store = {
      get: (name: string) => memory.get(name),
      set: (name: string, value: unknown, ttl: number) => {
        lives.push(ttl);
        return memory.set(name, value);
      },
      delete: (name: string) => memory.delete(name),
    };
    const one = service.member({ store }, { tags: (_, id) => [`tag ${id}`], ttl: Infinity });
    await one('k');
    one.invalidateTags('t');
    one.delete('k');
    await one.flush();
    one.clear();
    await one.flush();
    expect(lives.length).toBeGreaterThan(6);
    expect(lives.every((life) => typeof life === 'number' && life > 0 && life < Infinity)).toBe(
      true,
    );
  });

  test('no token ends before a stale result that needs it', async () => {
    using service = new Service();
    const lives = new Map<string, number>();
    const memory = new MemoryStore();
    const store = {
      get: (name: string) => memory.get(name),
      set: (name: string, value: unknown, ttl: number) => {
        lives.set(name, ttl);
        return memory.set(name, value);
      },
      delete: (name: string) => memory.delete(name),
    };
    const one = service.member(
      { store },
      { ttl: 1_000, staleIfError: 604_800_000, tags: () => ['t'] },
    );
    await one('k');
    await one.flush();
    const result = [...lives].find(([name]) => name.includes('entry'))?.[1];
    expect(result).toBeGreaterThan(604_800_000);
    expect(Math.min(...lives.values())).toBe(result);
  });
});

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

describe('foreign data', () => {
  const sound = {
    name: 'value:entry:{["k"]}',
    revision: 'r',
    at: Date.now(),
    key: 'K',
    cache: 'C',
    value: 'foreign',
  };

  test.each([
    ['a string', 'text'],
    ['a list', []],
    ['tags that are null', { ...sound, tags: null }],
    ['tags of another form', { ...sound, tags: { t: 'x' } }],
    ['200,000 tags', { ...sound, tags: Array.from({ length: 200_000 }, () => ['t', 'x']) }],
    ['a ttl that is a text', { ...sound, ttl: 'soon' }],
    ['a ttl that is an object', { ...sound, ttl: {} }],
    ['an infinite time', { ...sound, at: Infinity }],
    ['a fence that is a text', { ...sound, fence: '9' }],
    ['empty tokens', { ...sound, key: '', cache: '' }],
    ['a token that is an object', { ...sound, key: {} }],
    ['a failure that is a text', { ...sound, failure: 'x' }],
    ['the name of another key', { ...sound, name: 'value:entry:{["K"]}' }],
    ['no name', { ...sound, name: undefined }],
  ])('an envelope with %s is a miss, and is counted', async (_, envelope) => {
    using service = new Service();
    const store = new MemoryStore();
    store.values
      .set('value:key:{["k"]}', 'K')
      .set('value:cache:{value}', 'C')
      .set('value:tags:{value}', 'T');
    store.values.set('value:entry:{["k"]}', envelope);
    const one = service.member({ store });
    expect(await one('k')).toBe('old k');
    expect(one.cacheInfo()).toMatchObject({ sharedRejects: 1, sharedErrors: 0 });
  });

  test.each(['value', 'at', 'tags', 'failure'])(
    'an envelope whose `%s` throws or changes as it is read fails no call',
    async (field) => {
      using service = new Service();
      const memory = new MemoryStore();
      memory.values
        .set('value:key:{["k"]}', 'K')
        .set('value:cache:{value}', 'C')
        .set('value:tags:{value}', 'T');
      for (const soundReads of [0, 1]) {
        let reads = 0;
        const get = (): unknown => {
          if (++reads > soundReads) throw new Error('unreadable');
          return (sound as Record<string, unknown>)[field];
        };
        const envelope = Object.defineProperty({ ...sound }, field, { get });
        const store: SharedStore = {
          get: async (name) => (name.includes('entry') ? envelope : memory.get(name)),
          set: (name, value) => memory.set(name, value),
          delete: (name) => memory.delete(name),
        };
        expect(['old k', 'foreign']).toContain(await service.member({ store })('k'));
      }
    },
  );

  test('a hook that throws a revoked proxy fails no call, and leaves no rejection unhandled', async () => {
    using service = new Service();
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const serialize = (): never => {
      throw proxy;
    };
    const store = new MemoryStore();
    const one = service.member({ store, serialize, deserialize: (stored) => String(stored) });
    expect(await one('k')).toBe('old k');
    expect(await one.flush()).toBe(true);
    expect(service.errors).toHaveLength(1);
  });

  // The default collations of MySQL and MariaDB, and so the tables of @keyv/mysql, take 'Tea' for 'tea' and 'té'.
  test.each(['result', 'failure', 'given value'])(
    'a store that takes two names for one gives no %s to the wrong key',
    async (kind) => {
      using service = new Service();
      const memory = new MemoryStore();
      const store: SharedStore = {
        get: (name) => memory.get(name.toLowerCase()),
        set: (name, value) => memory.set(name.toLowerCase(), value),
        delete: (name) => memory.delete(name.toLowerCase()),
      };
      service.source = (key) => {
        if (kind === 'failure') throw new Error(`no ${key}`);
        return `old ${key}`;
      };
      const member = () => service.member({ store }, { negativeTtl: 60_000 });
      const [one, other] = [member(), member()];
      for (const key of ['Tea', 'tea', 'Tea']) {
        if (kind === 'given value') one.set([key], Promise.resolve(`old ${key}`));
        for (const call of [one, other]) {
          if (kind === 'failure') await expect(call(key)).rejects.toThrow(`no ${key}`);
          else expect(await call(key)).toBe(`old ${key}`);
          await call.flush();
        }
      }
    },
  );

  test('a lifetime in the store never exceeds that of the reader, even by a clock that is ahead', async () => {
    using service = new Service();
    const store = new MemoryStore();
    store.values
      .set('value:key:{["k"]}', 'K')
      .set('value:cache:{value}', 'C')
      .set('value:tags:{value}', 'T');
    const at = Date.now() + 86_400_000;
    store.values.set('value:entry:{["k"]}', { ...sound, at, ttl: 86_400_000 });
    let now = 0;
    const one = service.member({ store }, { ttl: 1_000, clock: { now: () => now } });
    expect(await one('k')).toBe('foreign');
    now = 1_000;
    store.values.clear();
    expect(await one('k')).toBe('old k');
  });

  test.each([
    '{',
    'null',
    '5',
    '{"cache":"value"}',
    '{"cache":"value","list":[["key"]]}',
    '{"cache":"value","list":[["key","{",""]]}',
    JSON.stringify({ cache: 'value', list: [['key', `[{"b":"${'9'.repeat(2_000_000)}"}]`, 't']] }),
    JSON.stringify({ cache: 'value', list: [['key', `[{"b":"${'9'.repeat(50_000)}"}]`, 't']] }),
  ])('a malformed message is reported and does no harm: %#', async (text) => {
    using service = new Service();
    const [store, bus] = [new MemoryStore(), new MemoryBus()];
    const one = service.member({ store, bus });
    await one('k');
    await bus.publish(text);
    expect(await one('k')).toBe('old k');
    expect(one.cacheInfo()).toMatchObject({ hits: 1, sharedErrors: 1 });
  });

  test('a malformed name in a message does no harm to the others', async () => {
    using service = new Service();
    const bus = new MemoryBus();
    const one = service.member({ bus });
    await one('k');
    const list = [
      ['key', '{', 't'],
      ['key', '["k"]', 't'],
    ];
    await bus.publish(JSON.stringify({ cache: 'value', list }));
    expect(one.has('k')).toBe(false);
    expect(one.cacheInfo().sharedErrors).toBe(1);
  });
});

describe('hashKeys', () => {
  test('puts digests in place of arguments and tags into names and messages, and invalidates as before', async () => {
    using service = new Service();
    const [store, bus] = [new MemoryStore(), new MemoryBus()];
    const locks: string[] = [];
    const lock: ClusterLock = {
      acquire: async (name) => {
        locks.push(name);
        return { fence: 1, lost: false, release: async () => {} };
      },
    };
    const options = { tags: () => ['secret tag'] };
    const shared = { store, bus, lock, hashKeys: true };
    const [one, other] = [service.member(shared, options), service.member(shared, options)];
    for (const member of [one, other]) {
      await member('secret');
      await member.flush();
    }
    expect(service.loads).toBe(1);
    service.source = () => 'new';
    one.delete('secret');
    await one.flush();
    expect(await other('secret')).toBe('new');
    other.invalidateTags('secret tag');
    await other.flush();
    service.source = () => 'newest';
    expect(await one('secret')).toBe('newest');
    await one.flush();
    const digest = createHash('sha256').update('["secret"]').digest('hex');
    expect([...store.values.keys()]).toContain(`value:entry:{#${digest}}`);
    expect([...store.values.keys(), ...locks, ...bus.texts].join()).not.toContain('secret');
  });

  test.each(['before the invalidation', 'after it'])(
    'an entry with a tag that was loaded without the store is forgotten by its digest: the load has ended %s',
    async (end) => {
      using service = new Service();
      const [store, bus] = [new MemoryStore(), new MemoryBus()];
      const member = () =>
        service.member({ store, bus, hashKeys: true }, { tags: (result) => [`tag of ${result}`] });
      const [one, other] = [member(), member()];
      store.getMany = async () => {
        throw new Error('down');
      };
      const gate = new Gate();
      service.source = async (id) => {
        if (end === 'after it') await gate.passed;
        return id;
      };
      const first = one('a');
      await settle();
      other.invalidateTags('tag of a');
      await settle();
      const { loads } = service;
      const joined = one('a');
      await settle();
      gate.open();
      expect(await first).toBe('a');
      expect([await joined, service.loads], 'a later caller').toEqual(['a', loads + 1]);
      expect([await one('a'), service.loads], 'is kept after that').toEqual(['a', loads + 1]);
    },
  );

  test('an entry with a tag that was set is forgotten by the digest of its tag', async () => {
    using service = new Service();
    const shared = { bus: new MemoryBus(), hashKeys: true };
    const member = () => service.member(shared, { tags: (result) => [`tag of ${result}`] });
    const [one, other] = [member(), member()];
    one.set(['a'], Promise.resolve('set'));
    expect(await one('a')).toBe('set');
    other.invalidateTags('tag of set');
    await other.flush();
    expect(await one('a')).toBe('old a');
  });

  test('a restored result is forgotten by the digest of its key, and takes the place of no failure', async () => {
    using service = new Service();
    const shared = { store: new Keyv(), bus: new MemoryBus(), hashKeys: true };
    const one = service.member(shared);
    await one('a');
    const saved = await dump(one);
    const other = service.member(shared, { staleIfError: 60_000 });
    restore(other, saved);
    one.delete('a');
    await one.flush();
    service.source = () => {
      throw new Error('down');
    };
    await expect(other('a')).rejects.toThrow('down');
  });

  test('finds a load in flight by its digest, however many digests came while it runs', async () => {
    using service = new Service();
    const bus = new MemoryBus();
    const shared = { store: new MemoryStore(), bus, hashKeys: true };
    const [one, other] = [service.member(shared), service.member(shared, { max: 1 })];
    const source = new Gate();
    service.source = (id) => (id === 'slow' ? source.passed.then(() => 'old') : id);
    const late = other('slow');
    for (let id = 0; id < 1_100; id++) await other(`${id}`);
    one.delete('slow');
    source.open();
    expect(await late).toBe('old');
    service.source = () => 'new';
    expect(await other('slow')).toBe('new');
  });

  test('finds each of 5,000 local entries by its digest, and forgets digests out of use', async () => {
    using service = new Service();
    const bus = new MemoryBus();
    const shared = { bus, hashKeys: true };
    const [one, other] = [
      service.member(shared, { max: 5_000 }),
      service.member(shared, { max: 5_000 }),
    ];
    for (let id = 0; id < 12_000; id++) await other(`${id}`);
    service.source = () => 'new';
    for (const id of ['7000', '11999']) one.delete(id);
    await one.flush();
    expect([await other('7000'), await other('11999'), await other('8000')]).toEqual([
      'new',
      'new',
      'old 8000',
    ]);
  });
});
