/** A store that loses a part: a shard of a cluster, or single keys. The rest of it is used as before. */
import { describe, expect, test } from 'vitest';
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
import { Shards } from './shards.js';

type Fn = (id: string) => Promise<string>;

const shards = new Shards(3);
const TIMEOUT = 1_000;
/** Longer than a rest. */
const REST = 6_000;

/** The shard with the tokens of the cache, and the others. */
const HOME = shards.of('{value}');
const LOST = (HOME + 1) % shards.count;
const KEPT = (HOME + 2) % shards.count;

/** A store of three shards. `isSilent` decides which requests are left without an answer. */
class ShardedStore implements SharedStore {
  readonly values = new Map<string, unknown>();
  readonly asked: string[] = [];
  isSilent: (name: string) => boolean = () => false;

  get(name: string): Promise<unknown> {
    return this.#answer([name], () => structuredClone(this.values.get(name)));
  }

  getMany(names: string[]): Promise<unknown[]> {
    return this.#answer(names, () => names.map((name) => structuredClone(this.values.get(name))));
  }

  set(name: string, value: unknown): Promise<unknown> {
    return this.#answer([name], () => this.values.set(name, structuredClone(value)).size > 0);
  }

  delete(name: string): Promise<unknown> {
    return this.#answer([name], () => this.values.delete(name));
  }

  /** Loses a shard. */
  lose(...lost: number[]): void {
    this.isSilent = (name) => lost.includes(shards.of(name));
  }

  /** Whether what is silent fails at once instead, and looks like a missing value or a write that was done, as with a Keyv. */
  hidesFailures = false;

  async #answer<T>(names: readonly string[], give: () => T): Promise<T> {
    this.asked.push(...names);
    if (this.hidesFailures && names.some((name) => this.isSilent(name))) return undefined as T;
    if (names.some((name) => this.isSilent(name))) await new Promise(() => {});
    return give();
  }
}

/** Processes that share a cache over one store, each with an access of its own. */
class Service implements Disposable {
  readonly clock = new FakeClock();
  readonly store = new ShardedStore();
  readonly errors: unknown[] = [];
  loads = 0;
  source = 'old';
  readonly #members: Disposable[] = [];

  member(shared: Partial<SharedCacheOptions> = {}, options: Partial<MemoizeOptions<Fn>> = {}) {
    const { store, clock } = this;
    const ownStore: SharedStore = {
      get: (name) => store.get(name),
      getMany: (names) => store.getMany(names),
      set: (name, value) => store.set(name, value),
      delete: (name) => store.delete(name),
    };
    const member = memoize<Fn>(
      async () => {
        this.loads++;
        return this.source;
      },
      {
        name: 'value',
        ttl: 3_600_000,
        onError: (error) => void this.errors.push(error),
        shared: sharedCache({ store: ownStore, clock, storeTimeoutMillis: TIMEOUT, ...shared }),
        ...options,
      },
    );
    this.#members.push(member);
    return member;
  }

  /** How long a call waits, on the clock of the caches. */
  waitOf(call: Promise<unknown>): Promise<number> {
    return waitOf(this.clock, call);
  }

  /** Loads these keys in a process, and writes them to the store. */
  async fill(ids: readonly string[]): Promise<void> {
    const writer = this.member();
    for (const id of ids) await writer(id);
    await writer.flush();
    this.loads = 0;
  }

  [Symbol.dispose](): void {
    for (const member of this.#members) member[Symbol.dispose]();
  }
}

describe('a lost shard', () => {
  test('costs one call its timeout, and its other keys nothing; keys of other shards stay shared', async () => {
    using service = new Service();
    const [lost, kept, home] = [shards.ids(40, LOST), shards.ids(40, KEPT), shards.ids(40, HOME)];
    await service.fill([...lost, ...kept, ...home]);
    const one = service.member();
    service.store.lose(LOST);
    expect(await service.waitOf(one(lost[0] as string))).toBeLessThanOrEqual(TIMEOUT + 1);
    const waits = await Promise.all(lost.slice(1).map((id) => service.waitOf(one(id))));
    expect(waits.filter((wait) => wait > 0).length, 'at a border of the shard').toBeLessThan(3);
    service.loads = 0;
    for (const id of [...kept, ...home]) expect(await service.waitOf(one(id))).toBe(0);
    expect(service.loads).toBe(0);
    expect(one.cacheInfo().shared).toMatchObject({ store: 'answering' });
    expect(one.cacheInfo().shared?.restingShare).toBeCloseTo(1 / shards.count, 1);
  });

  test('costs a process that has asked nothing before one timeout, too', async () => {
    using service = new Service();
    const [lost, kept] = [shards.ids(2, LOST), shards.ids(10, KEPT)] as [string[], string[]];
    await service.fill(kept);
    service.store.lose(LOST);
    const one = service.member();
    expect(await service.waitOf(one(lost[0] as string))).toBeGreaterThanOrEqual(TIMEOUT);
    expect(await service.waitOf(one(lost[1] as string))).toBe(0);
    for (const id of kept) expect(await service.waitOf(one(id))).toBe(0);
    expect(service.loads).toBe(2);
  });

  test('whose failures look like missing values costs other shards nothing', async () => {
    using service = new Service();
    const [lost, kept] = [shards.ids(10, LOST), shards.ids(10, KEPT)];
    await service.fill([...lost, ...kept]);
    const one = service.member();
    service.store.hidesFailures = true;
    service.store.lose(LOST);
    for (const id of lost) await one(id);
    await one.flush();
    expect(service.loads).toBe(lost.length);
    for (const id of kept) await one(id);
    const other = service.member();
    for (const id of kept) await other(id);
    expect(service.loads).toBe(lost.length);
  });

  test('is asked by one probe at a time, and is used again after an invalidation that was answered', async () => {
    using service = new Service();
    const lost = shards.ids(10, LOST) as [string, string, ...string[]];
    await service.fill(lost);
    const one = service.member();
    service.store.lose(LOST);
    await service.waitOf(one(lost[0]));
    await service.clock.advance(REST);
    service.store.asked.length = 0;
    for (const id of lost) expect(await service.waitOf(one(id))).toBe(0);
    expect(service.store.asked).toHaveLength(1);
    service.store.lose();
    await service.clock.advance(REST / 2); // The probe has failed, and another rest has begun.
    one.delete(lost[0]);
    await one.flush();
    await settle();
    expect(one.cacheInfo().shared).toMatchObject({ restingShare: 0, pendingInvalidations: 0 });
  });

  test('is used as a whole after a call of one of its keys, which waits for nothing', async () => {
    using service = new Service();
    const lost = shards.ids(10, LOST) as [string, string, ...string[]];
    await service.fill(lost);
    const one = service.member();
    service.store.lose(LOST);
    await service.waitOf(one(lost[0]));
    service.store.lose();
    await service.clock.advance(REST);
    expect(await service.waitOf(one(lost[1]))).toBe(0);
    await settle();
    expect(one.cacheInfo().shared).toMatchObject({ restingShare: 0 });
    service.loads = 0;
    for (const id of lost.slice(2)) await one(id);
    expect(service.loads).toBe(0);
  });

  test('is probed once a rest beside calls of other shards, and used again after an answer', async () => {
    using service = new Service();
    const [lost, kept] = [shards.ids(3, LOST), shards.ids(10, KEPT)] as [string[], string[]];
    await service.fill(lost);
    const one = service.member();
    service.store.lose(LOST);
    await service.waitOf(one(lost[0] as string));
    await service.clock.advance(REST);
    service.store.asked.length = 0;
    for (const id of kept.slice(0, 5)) expect(await service.waitOf(one(id))).toBe(0);
    const askedOfLost = service.store.asked.filter((name) => shards.of(name) === LOST);
    expect(askedOfLost).toHaveLength(1);
    service.store.lose();
    await service.clock.advance(2 * REST);
    await one(kept[5] as string);
    await settle();
    expect(one.cacheInfo().shared).toMatchObject({ restingShare: 0 });
    service.loads = 0;
    await one(lost[1] as string);
    expect(service.loads).toBe(0);
  });

  test('holds up no invalidation of other shards, and its own arrive when it is back', async () => {
    using service = new Service();
    const [lost, kept] = [shards.ids(30, LOST), shards.ids(30, KEPT)];
    await service.fill([...lost, ...kept]);
    const one = service.member();
    service.store.lose(LOST);
    for (const id of [...lost, ...kept]) one.delete(id);
    let isSettled = false;
    const flushed = one.flush().finally(() => {
      isSettled = true;
    });
    await settle();
    expect(one.cacheInfo().shared).toMatchObject({ pendingInvalidations: lost.length });
    while (!isSettled) await service.clock.advance(100);
    expect(await flushed).toBe(false);
    service.store.asked.length = 0;
    await service.clock.advance(900);
    expect(service.store.asked.length, 'one at a time is tried again').toBeLessThanOrEqual(1);
    service.source = 'new';
    for (const id of kept) expect(await service.waitOf(service.member()(id))).toBe(0);
    service.store.lose();
    await service.clock.advance(10 * REST);
    expect(one.cacheInfo().shared).toMatchObject({ pendingInvalidations: 0 });
    const late = service.member();
    for (const id of lost) expect(await late(id)).toBe('new');
  });

  test('that has a tag makes results with that tag neither wait nor be served', async () => {
    using service = new Service();
    const [id] = shards.ids(1, KEPT) as [string];
    let number = 0;
    while (shards.of(`{tag ${number}}`) !== LOST) number++;
    const options = { tags: () => [`tag ${number}`] };
    await service.member({}, options)(id);
    await settle();
    service.store.lose(LOST);
    const one = service.member({}, options);
    service.source = 'new';
    expect(await service.waitOf(one(id))).toBeGreaterThanOrEqual(TIMEOUT);
    expect(await one(id)).toBe('new');
    one.delete(id);
    await one.flush();
    expect(await service.waitOf(one(id)), 'neither the read nor the write waits').toBe(0);
    expect(await service.waitOf(one.flush())).toBe(0);
  });
});

test('when all shards are lost, a cold call costs one timeout once, and then nothing', async () => {
  using service = new Service();
  await service.fill(shards.ids(5, KEPT));
  const one = service.member();
  for (const id of shards.ids(5, KEPT)) await one(id);
  service.store.lose(0, 1, 2);
  expect(await service.waitOf(one('a'))).toBeLessThanOrEqual(TIMEOUT + 1);
  expect(one.cacheInfo().shared).toMatchObject({ store: 'resting', restingShare: 1 });
  for (let id = 0; id < 100; id++) expect(await service.waitOf(one(`b${id}`))).toBe(0);
  for (let rest = 0; rest < 5; rest++) {
    service.store.asked.length = 0;
    await service.clock.advance(REST);
    for (let id = 0; id < 100; id++) expect(await service.waitOf(one(`c${rest} ${id}`))).toBe(0);
    expect(service.store.asked).toHaveLength(1);
  }
});

test('a key without an answer rests alone', async () => {
  using service = new Service();
  const ids = Array.from({ length: 300 }, (_, at) => `k${at}`);
  await service.fill(ids);
  const one = service.member({ localTtlMillis: 0 });
  const silent = ['k7', 'k8', 'k9'];
  service.store.isSilent = (name) => silent.some((id) => name.includes(`entry:{["${id}"]}`));
  for (const id of silent) {
    expect(await service.waitOf(one(id))).toBeLessThanOrEqual(TIMEOUT + 1);
    expect(await service.waitOf(one(id))).toBe(0);
  }
  for (const id of silent) expect(await service.waitOf(one(id))).toBe(0);
  service.loads = 0;
  for (const id of ids) {
    if (!silent.includes(id)) expect(await service.waitOf(one(id)), id).toBe(0);
  }
  expect(service.loads).toBe(0);
});

test('a key whose answer may still come in time is asked, while another gives none', async () => {
  using service = new Service();
  const [id, ...others] = shards.ids(41, KEPT) as [string, ...string[]];
  await service.fill([id, ...others]);
  const isSlow = (name: string): boolean => name.includes(`"${id}"`);
  const gate = new Gate();
  const { store: whole } = service;
  const store: SharedStore = {
    get: (name) => (isSlow(name) ? gate.passed.then(() => whole.get(name)) : whole.get(name)),
    getMany: (names) =>
      names.some(isSlow) ? gate.passed.then(() => whole.getMany(names)) : whole.getMany(names),
    set: (name, value) => whole.set(name, value),
    delete: (name) => whole.delete(name),
  };
  const [one, other] = [service.member({ store }), service.member({ store })];
  whole.lose(LOST);
  const silent = one(shards.ids(1, LOST)[0] as string);
  await service.clock.advance(0.45 * TIMEOUT);
  const slow = one(id);
  for (const each of others) await one(each);
  await service.waitOf(silent);
  service.loads = 0;
  const slowToo = other(id);
  await settle();
  gate.open();
  expect(await Promise.all([slow, slowToo])).toEqual(['old', 'old']);
  expect(service.loads).toBe(0);
});

test('2,000 keys without an answer do not make the whole store rest', async () => {
  using service = new Service();
  const one = service.member();
  service.store.isSilent = (name) => name.includes('"slow');
  const calls = Array.from({ length: 2_000 }, (_, at) => one(`slow ${at}`));
  await service.clock.advance(TIMEOUT + 1);
  await Promise.all(calls);
  await one('quick');
  expect(await one.flush()).toBe(true);
  expect(one.cacheInfo().shared).toMatchObject({ store: 'answering' });
});

test('a store is asked nothing more after the last of its caches was disposed of', async () => {
  using service = new Service();
  const one = service.member();
  service.store.lose(0, 1, 2);
  const call = one('a');
  await settle();
  service.store.asked.length = 0;
  one[Symbol.dispose]();
  await service.clock.advance(TIMEOUT + 1);
  await call;
  expect(service.store.asked).toEqual([]);
});

describe('a lock that gives no answer', () => {
  const lease = { fence: 1, lost: false, release: async () => {} };

  /** A lock whose locks with `silent` in their names give no answer. */
  function lockWithout(silent: string, asked: string[]): ClusterLock {
    return {
      acquire: (name, { ask }) => {
        asked.push(name);
        return ask(() => (name.includes(silent) ? new Promise(() => {}) : Promise.resolve(lease)));
      },
    };
  }

  test('rests, while the store is used as before', async () => {
    using service = new Service();
    await service.fill(['k']);
    const asked: string[] = [];
    const one = service.member({ lock: lockWithout('', asked) });
    expect(await service.waitOf(one('a'))).toBeLessThanOrEqual(TIMEOUT + 1);
    for (const id of ['b', 'c', 'k']) expect(await service.waitOf(one(id))).toBe(0);
    expect(one.cacheInfo()).toMatchObject({ sharedHits: 1, shared: { store: 'answering' } });
    expect(asked).toHaveLength(1);
    await service.clock.advance(REST);
    await service.waitOf(one('d'));
    expect(asked).toHaveLength(2);
  });

  test('rests alone if other locks are answered meanwhile', async () => {
    using service = new Service();
    const asked: string[] = [];
    const one = service.member({ lock: lockWithout('slow', asked) });
    const slow = one('slow');
    await settle();
    await one('quick');
    await service.waitOf(slow);
    await one.flush();
    asked.length = 0;
    one.delete('slow');
    await one.flush();
    expect(await service.waitOf(one('slow'))).toBe(0);
    expect(await service.waitOf(one('other'))).toBe(0);
    expect(asked.map((name) => name.includes('other'))).toEqual([true]);
  });

  test('is taken to be silent if the locks around it are, until one of them is answered', async () => {
    using service = new Service();
    const [kept, lost] = [shards.ids(60, KEPT), shards.ids(60, LOST)];
    const asked: string[] = [];
    let isLost = true;
    const lock: ClusterLock = {
      acquire: (name, { ask }) => {
        asked.push(name);
        const isSilent = isLost && shards.of(name) === LOST;
        return ask(() => (isSilent ? new Promise(() => {}) : Promise.resolve(lease)));
      },
    };
    const one = service.member({ lock });
    /** Calls a key of each shard at a time, and gives how many calls waited for a lock. */
    const callAll = async (): Promise<number> => {
      let waited = 0;
      for (const [at, id] of lost.entries()) {
        one.delete(id);
        one.delete(kept[at] as string);
        const call = one(id);
        await settle();
        await one(kept[at] as string);
        if ((await service.waitOf(call)) > 0) waited++;
      }
      return waited;
    };
    expect(await callAll()).toBeLessThan(15);
    asked.length = 0;
    expect(await callAll()).toBeLessThan(3);
    expect(asked.filter((name) => shards.of(name) === KEPT)).toEqual(
      kept.map((id) => expect.stringContaining(`"${id}"`)),
    );
    isLost = false;
    await service.clock.advance(REST);
    expect(await callAll()).toBe(0);
    asked.length = 0;
    expect(await callAll()).toBe(0);
    expect(asked).toHaveLength(lost.length + kept.length);
  });
});
