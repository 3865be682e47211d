/** What a store that refuses writes at once is sent, and how soon invalidations follow when it takes them again. */
import { describe, expect, test, vi } from 'vitest';
import { memoize } from '../../src/memoize/index.js';
import { type SharedStore, sharedCache } from '../../src/memoize/shared/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { settle } from '../kit/settle.js';
import { MemoryBus } from './memory-bus.js';
import { Shards } from './shards.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** The most requests in a second to a shard that refuses, however many invalidations are pending: about twenty of four requests. */
const FEW = 80;
/** The most requests that show that a store refuses all, and those of two rounds. */
const FIRST = 1_300;
/** The most requests that show that a shard refuses, or that it takes writes again. */
const FOUND_OUT = 3_000;

const shards = new Shards(3);
/** The shard with the tokens of the cache, and the others. */
const HOME = shards.of('{value}');
const BACK = (HOME + 1) % shards.count;
const LOST = (HOME + 2) % shards.count;

/** How a store refuses a write: as a Keyv, which answers `true`, or as a client of Redis. */
type Manner = 'reports success' | 'rejects';

/** A store of three shards. `refuses` decides which writes it refuses, at once. */
class RefusingStore implements SharedStore {
  refuses: (name: string) => boolean = () => false;
  manner: Manner = 'reports success';
  /** How many requests each shard was sent. */
  readonly requests: number[] = shards.ids(3, 0, 1, 2).map(() => 0);
  readonly written: string[] = [];
  readonly #values = new Map<string, unknown>();

  get all(): number {
    return this.requests.reduce((sum, each) => sum + each);
  }

  async get(name: string): Promise<unknown> {
    return this.#sent(name) ? structuredClone(this.#values.get(name)) : undefined;
  }

  async set(name: string, value: unknown): Promise<unknown> {
    this.#sent(name);
    this.written.push(name);
    if (!this.refuses(name)) this.#values.set(name, structuredClone(value));
    else if (this.manner === 'rejects') throw new Error('READONLY You cannot write to a replica.');
    return true;
  }

  async delete(name: string): Promise<unknown> {
    this.#sent(name);
    return this.refuses(name) || this.#values.delete(name);
  }

  /** Refuses the writes to some shards. */
  lose(...lost: number[]): void {
    this.refuses = (name) => lost.includes(shards.of(name));
  }

  #sent(name: string): true {
    const shard = shards.of(name);
    this.requests[shard] = (this.requests[shard] as number) + 1;
    return true;
  }
}

/** Processes that share a cache. */
class Service implements Disposable {
  readonly clock = new FakeClock();
  readonly store = new RefusingStore();
  readonly bus = new MemoryBus();
  source = 'old';
  readonly #members: Disposable[] = [];

  member() {
    const { store, bus, clock } = this;
    const member = memoize(async (_: string) => this.source, {
      name: 'value',
      tags: (_, id) => [`tag of ${id}`],
      onError: () => {},
      shared: sharedCache({ store, bus, clock }),
    });
    this.#members.push(member);
    return member;
  }

  /** Has a member invalidate so many keys, all of which the store refuses for a minute. */
  async refused(pending: number) {
    const member = this.member();
    const ids = shards.ids(pending, HOME, BACK, LOST);
    this.store.lose(HOME, BACK, LOST);
    invalidate(member, ids);
    await this.clock.advance(MINUTE);
    return { member, ids };
  }

  /** How many requests `shard` is sent in a time, or the whole store. */
  async requestsIn(millis: number, shard?: number): Promise<number> {
    const { store, clock } = this;
    const count = (): number => (shard === undefined ? store.all : (store.requests[shard] ?? 0));
    const before = count();
    await clock.advance(millis);
    return count() - before;
  }

  /** Calls `useTen` each 10 ms, for a time. */
  async inUse(millis: number, useTen: () => void): Promise<void> {
    const { clock } = this;
    for (const end = clock.now() + millis; clock.now() < end; await clock.advance(10)) useTen();
  }

  [Symbol.dispose](): void {
    for (const member of this.#members) member[Symbol.dispose]();
  }
}

type Member = ReturnType<Service['member']>;

function pendingOf(member: Member): number | undefined {
  return member.cacheInfo().shared?.pendingInvalidations;
}

function invalidate(member: Member, ids: readonly string[]): void {
  for (const id of ids) member.delete(id);
}

describe('a store that refuses writes at once', () => {
  test.each<{ pending: number; manner: Manner }>([
    { pending: 1_000, manner: 'reports success' },
    { pending: 20_000, manner: 'reports success' },
    { pending: 20_000, manner: 'rejects' },
  ])(
    'is sent few requests while $pending invalidations are pending, if it $manner',
    async ({ pending, manner }) => {
      using service = new Service();
      const { store } = service;
      const member = service.member();
      store.lose(HOME, BACK, LOST);
      store.manner = manner;
      invalidate(member, shards.ids(pending, HOME, BACK, LOST));
      expect(await service.requestsIn(2 * SECOND)).toBeLessThan(FIRST);
      expect(await service.requestsIn(MINUTE)).toBeLessThan(60 * FEW);
      expect(pendingOf(member)).toBe(pending);
    },
  );

  test.each<{ what: string; invalidateOne: (member: Member, id: string) => void }>([
    { what: 'keys', invalidateOne: (member, id) => void member.delete(id) },
    { what: 'tags', invalidateOne: (member, id) => void member.invalidateTags(`tag of ${id}`) },
  ])('is sent few requests while $what are invalidated all the time', async ({ invalidateOne }) => {
    using service = new Service();
    const { store, clock } = service;
    const member = service.member();
    store.lose(HOME, BACK, LOST);
    const ids = shards.ids(10_000, HOME, BACK, LOST);
    let next = 0;
    const useTen = (): void => {
      for (let each = 0; each < 10; each++) invalidateOne(member, ids[next++] as string);
    };
    await service.inUse(SECOND, useTen);
    const before = store.all;
    await service.inUse(9 * SECOND, useTen);
    expect(store.all - before).toBeLessThan(9 * 2 * FEW);
    store.lose();
    await clock.advance(3 * SECOND);
    expect(pendingOf(member)).toBe(0);
  });

  test('gets all that is pending within seconds when it takes writes again', async () => {
    using service = new Service();
    const { store, clock } = service;
    const { member } = await service.refused(10_000);
    await clock.advance(4 * MINUTE);
    store.lose();
    await clock.advance(2 * SECOND);
    expect(pendingOf(member)).toBe(0);
  });

  test('gets nothing more from a cache that was disposed of', async () => {
    using service = new Service();
    const { store } = service;
    const { member } = await service.refused(1_000);
    invalidate(member, shards.ids(1_100, HOME, BACK, LOST).slice(1_000));
    await settle();
    member[Symbol.dispose]();
    expect(await service.requestsIn(MINUTE)).toBe(0);
    member.delete('after the end');
    await settle();
    expect(store.written.at(-1), 'what is invalidated later is tried once').toContain(
      'after the end',
    );
  });

  test('gets no more retries from a cache that is disposed of while it takes them', async () => {
    using service = new Service();
    const { member } = await service.refused(1_000);
    service.store.refuses = () => {
      member[Symbol.dispose]();
      return false;
    };
    expect(await service.requestsIn(2 * SECOND)).toBeLessThan(FEW);
  });

  test('serves nothing of what is pending, in no process, however long it refuses', async () => {
    using service = new Service();
    const { store, clock } = service;
    const [one, other] = [service.member(), service.member()];
    const ids = shards.ids(2_000, HOME, BACK, LOST);
    for (const member of [one, other]) await Promise.all(ids.map((id) => member(id)));
    await one.flush();
    store.lose(HOME, BACK, LOST);
    invalidate(one, ids);
    service.source = 'new';
    await clock.advance(5 * MINUTE);
    const late = service.member();
    await clock.advance(10 * SECOND); // The next announcement reaches it.
    for (const member of [one, other, late]) {
      const results = await Promise.all(ids.map((id) => member(id)));
      expect(new Set(results)).toEqual(new Set(['new']));
    }
  });

  test('is asked for each pending invalidation by a flush', async () => {
    using service = new Service();
    const { store } = service;
    const { member, ids } = await service.refused(1_000);
    store.written.length = 0;
    expect(await member.flush()).toBe(false);
    expect(new Set(store.written).size).toBe(ids.length);
    store.lose();
    expect(await member.flush()).toBe(true);
  });

  test('is asked by a flush for those that wait for a round, too', async () => {
    using service = new Service();
    const { store, clock } = service;
    const member = service.member();
    store.lose(HOME, BACK, LOST);
    invalidate(member, shards.ids(1_000, HOME, BACK, LOST));
    await clock.advance(500);
    store.lose();
    const pending = pendingOf(member) as number;
    invalidate(member, shards.ids(2_000, HOME, BACK, LOST).slice(pending));
    expect(await member.flush()).toBe(true);
  });

  test('gets a new invalidation at once when it takes writes again, before those that are pending', async () => {
    using service = new Service();
    const { member, ids } = await service.refused(1_000);
    service.store.lose();
    invalidate(member, shards.ids(1_001, HOME, BACK, LOST).slice(-1));
    await settle();
    expect(pendingOf(member)).toBe(ids.length);
  });

  test('gets all invalidations at once after one of the whole cache has ended those that were pending', async () => {
    using service = new Service();
    const { member, ids } = await service.refused(1_000);
    service.store.lose();
    member.clear();
    await settle();
    expect(pendingOf(member)).toBe(0);
    invalidate(member, ids);
    await settle();
    expect(pendingOf(member)).toBe(0);
  });

  test('is asked for the token of the whole cache in each round', async () => {
    using service = new Service();
    const { store, clock } = service;
    const member = service.member();
    const ids = shards.ids(5_000, HOME, BACK, LOST);
    store.lose(HOME, BACK, LOST);
    member.clear();
    invalidate(member, ids);
    await clock.advance(MINUTE);
    store.refuses = (name) => name.includes(':key:');
    await clock.advance(SECOND);
    expect(pendingOf(member)).toBe(ids.length);
  });

  test('is not asked for each pending invalidation when the bus is connected again', async () => {
    using service = new Service();
    const { store, clock, bus } = service;
    const { ids } = await service.refused(2_000);
    await clock.advance(SECOND);
    const [before, texts] = [store.all, bus.texts.length];
    bus.connect(false);
    bus.connect(true);
    await settle();
    expect(store.all - before).toBeLessThan(FEW);
    const announced = bus.texts.slice(texts).join().split('"key"').length - 1;
    expect(announced).toBeGreaterThanOrEqual(ids.length);
    expect(announced).toBeLessThan(ids.length + FEW); // The few that are tried again have another token.
  });
});

test('an invalidation that the bus alone refuses is pending until the bus takes it', async () => {
  using service = new Service();
  const { bus, clock } = service;
  const member = service.member();
  const publish = vi.spyOn(bus, 'publish').mockRejectedValue(new Error('refused'));
  member.delete('a');
  await clock.advance(3 * SECOND);
  expect(pendingOf(member)).toBe(1);
  publish.mockRestore();
  await clock.advance(SECOND);
  expect(pendingOf(member)).toBe(0);
});

describe('a shard that refuses writes', () => {
  test('holds back no other that takes them again, and is sent few requests', async () => {
    using service = new Service();
    const { store, clock } = service;
    const member = service.member();
    store.lose(BACK, LOST);
    for (const shard of [LOST, BACK]) invalidate(member, shards.ids(5_000, shard));
    await clock.advance(MINUTE);
    store.lose(LOST);
    expect(await service.requestsIn(5 * SECOND, LOST)).toBeLessThan(FOUND_OUT);
    expect(pendingOf(member)).toBe(5_000);
    expect(await service.requestsIn(MINUTE, LOST)).toBeLessThan(60 * FEW);
  });

  test('holds back no keys of the others if it has the token that all tags need', async () => {
    using service = new Service();
    const { store, clock } = service;
    const member = service.member();
    store.lose(HOME);
    for (const id of shards.ids(1_000, BACK, LOST)) member.invalidateTags(`tag of ${id}`);
    await clock.advance(MINUTE);
    invalidate(member, shards.ids(500, BACK, LOST));
    await settle();
    expect(pendingOf(member)).toBe(1_000);
  });

  test('is found to take writes again, although another one has most of what is pending', async () => {
    using service = new Service();
    const { store, clock } = service;
    const member = service.member();
    store.lose(BACK, LOST);
    invalidate(member, shards.ids(20_000, LOST));
    invalidate(member, shards.ids(10, BACK));
    await clock.advance(MINUTE);
    store.lose(LOST);
    await clock.advance(5 * SECOND);
    expect(pendingOf(member)).toBe(20_000);
  });

  test('is sent few requests while keys of all shards are invalidated, and those of the others go out at once', async () => {
    using service = new Service();
    const { store, clock } = service;
    const member = service.member();
    store.lose(LOST);
    const ids = shards.ids(10_000, HOME, BACK, LOST);
    const kept = ids.filter((id) => shards.of(`{["${id}"]}`) !== LOST);
    let next = 0;
    const useTen = (): void => {
      invalidate(member, ids.slice(next, next + 10));
      next += 10;
    };
    await service.inUse(SECOND, useTen);
    const before = store.requests[LOST] as number;
    await service.inUse(9 * SECOND, useTen);
    expect((store.requests[LOST] as number) - before).toBeLessThan(9 * 2 * FEW);
    const written = new Set(store.written);
    const late = kept.filter((id) => !written.has(`value:key:{["${id}"]}`));
    expect(late.length, 'near the border of two shards').toBeLessThan(kept.length / 200);
    await clock.advance(10 * SECOND);
    expect(pendingOf(member)).toBe(ids.length - kept.length);
  });
});

describe('keys that are refused for a reason of their own', () => {
  const [refused, others] = [
    shards.ids(4_000, HOME, BACK, LOST),
    shards.ids(8_000, HOME, BACK, LOST),
  ];
  const own = new Set(refused.filter((_, at) => at % 4 === 0).map((id) => `value:key:{["${id}"]}`));

  test('hold back no other, and cost few requests', async () => {
    using service = new Service();
    const { store, clock } = service;
    const member = service.member();
    store.refuses = (name) => own.has(name);
    invalidate(member, refused);
    await clock.advance(2 * SECOND);
    expect(pendingOf(member)).toBe(own.size);
    expect(await service.requestsIn(MINUTE)).toBeLessThan(60 * FEW);
    for (const id of others.slice(4_000)) {
      member.delete(id);
      await settle();
    }
    expect(pendingOf(member)).toBe(own.size);
  });

  test('hold back no other that was refused with them', async () => {
    using service = new Service();
    const { store, clock } = service;
    const { member } = await service.refused(refused.length);
    store.refuses = (name) => own.has(name);
    await clock.advance(5 * SECOND);
    expect(pendingOf(member)).toBe(own.size);
  });

  test('are each tried again in turn', async () => {
    using service = new Service();
    const { store, clock } = service;
    const member = service.member();
    store.refuses = (name) => own.has(name);
    invalidate(member, refused);
    await clock.advance(2 * SECOND);
    store.written.length = 0;
    await clock.advance((2 * own.size * SECOND) / 16);
    expect(new Set(store.written)).toEqual(own);
  });

  test('are each tried again within about a minute, however many they are, while the store takes others', async () => {
    using service = new Service();
    const { store, clock } = service;
    const member = service.member();
    const all = shards.ids(6_000, HOME, BACK, LOST);
    const many = new Set(all.filter((_, at) => at % 2 === 0).map((id) => `value:key:{["${id}"]}`));
    store.refuses = (name) => many.has(name);
    invalidate(member, all);
    await clock.advance(5 * SECOND);
    expect(pendingOf(member)).toBe(many.size);
    store.written.length = 0;
    expect(await service.requestsIn(90 * SECOND)).toBeLessThan(90 * 4 * (many.size / 60 + 16));
    expect(new Set(store.written)).toEqual(many);
    store.lose(HOME, BACK, LOST);
    invalidate(member, shards.ids(10_000, HOME, BACK, LOST).slice(6_000));
    await clock.advance(5 * SECOND);
    expect(await service.requestsIn(MINUTE), 'it takes no others').toBeLessThan(60 * FEW);
  });
});
