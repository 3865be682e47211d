import { describe, expect, test, vi } from 'vitest';
import { memoize } from '../../src/memoize/index.js';
import { type ClusterLock, type SharedStore, sharedCache } from '../../src/memoize/shared/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gate } from '../kit/gate.js';
import { settle } from '../kit/settle.js';
import { waitOf } from '../kit/wait-of.js';
import { MemoryStore, Service } from './shared-service.js';

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
