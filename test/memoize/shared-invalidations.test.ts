import Keyv from 'keyv';
import { describe, expect, test } from 'vitest';
import type { ClusterLock, SharedStore } from '../../src/memoize/shared/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gate } from '../kit/gate.js';
import { settle } from '../kit/settle.js';
import { MemoryBus } from './memory-bus.js';
import { MemoryStore, Service } from './shared-service.js';

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
