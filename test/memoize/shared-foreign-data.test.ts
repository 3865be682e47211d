import { createHash } from 'node:crypto';
import Keyv from 'keyv';
import { describe, expect, test } from 'vitest';
import { dump, restore } from '../../src/memoize/dump/index.js';
import type { ClusterLock, SharedStore } from '../../src/memoize/shared/index.js';
import { Gate } from '../kit/gate.js';
import { settle } from '../kit/settle.js';
import { MemoryBus } from './memory-bus.js';
import { MemoryStore, Service } from './shared-service.js';

/** A store that has a token of the key `k`, one of the cache, and one of all tags. */
function storeWithTokens(): MemoryStore {
  const store = new MemoryStore();
  store.values
    .set('value:key:{["k"]}', 'K')
    .set('value:cache:{value}', 'C')
    .set('value:tags:{value}', 'T');
  return store;
}

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
    const store = storeWithTokens();
    store.values.set('value:entry:{["k"]}', envelope);
    const one = service.member({ store });
    expect(await one('k')).toBe('old k');
    expect(one.cacheInfo()).toMatchObject({ sharedRejects: 1, sharedErrors: 0 });
  });

  test.each(['value', 'at', 'tags', 'failure'])(
    'an envelope whose `%s` throws or changes as it is read fails no call',
    async (field) => {
      using service = new Service();
      const memory = storeWithTokens();
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
    const store = storeWithTokens();
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
