/** How soon what gave no answers is used again when it answers, and what `flush` tells of it. */
import { describe, expect, test } from 'vitest';
import { memoize } from '../../src/memoize/index.js';
import { type SharedCacheOptions, sharedCache } from '../../src/memoize/shared/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { settle } from '../kit/settle.js';
import { Shards } from './shards.js';

const shards = new Shards(2);
const MINUTE = 60_000;

/** The shard with the tokens of the cache, and the other one. */
const HOME = shards.of('{value}');
const OTHER = 1 - HOME;

/** A store of two shards and a bus. What they leave without an answer never gets one. */
class Outside {
  readonly clock = new FakeClock();
  readonly silent = new Set<string>();
  readonly #values = new Map<string, unknown>();
  published = 0;
  latency = 0;

  readonly store: NonNullable<SharedCacheOptions['store']> = {
    get: (name) => this.#answer(`read ${shards.of(name)}`, () => this.#values.get(name)),
    set: (name, value) =>
      this.#answer(`write ${shards.of(name)}`, () => this.#values.set(name, value).size > 0),
    delete: (name) => this.#answer(`write ${shards.of(name)}`, () => this.#values.delete(name)),
  };

  readonly bus: NonNullable<SharedCacheOptions['bus']> = {
    publish: () => {
      this.published++;
      return this.#answer('bus', () => undefined);
    },
    subscribe: (listener) => {
      listener.connected(true);
      return { [Symbol.dispose]: () => {} };
    },
  };

  member(parts: Partial<SharedCacheOptions>) {
    return memoize(async (id: string) => id, {
      name: 'value',
      max: 5,
      onError: () => {},
      shared: sharedCache({ clock: this.clock, ...parts } as SharedCacheOptions),
    });
  }

  lose(...lost: number[]): void {
    for (const shard of lost) this.silent.add(`read ${shard}`).add(`write ${shard}`);
  }

  regain(shard: number): void {
    this.silent.delete(`read ${shard}`);
    this.silent.delete(`write ${shard}`);
  }

  async #answer<T>(part: string, give: () => T): Promise<T> {
    if (this.silent.has(part)) await new Promise<never>(() => {});
    if (this.latency > 0) {
      await new Promise<void>((answer) => void this.clock.setTimer(answer, this.latency));
    }
    return give();
  }
}

describe('a shard that answers again while the other one stays silent', () => {
  test('is used again, although most calls ask the other one', async () => {
    const outside = new Outside();
    const { clock } = outside;
    using value = outside.member({ store: outside.store });
    outside.lose(HOME, OTHER);
    const [lost, back] = [shards.ids(200, OTHER), shards.ids(200, HOME)];
    void value(lost[0] as string);
    await clock.advance(20_000);
    outside.regain(HOME);
    for (let call = 0; call < 600; call++) {
      void value(lost[call % lost.length] as string);
      if (call % 10 === 5) void value(back[call % back.length] as string);
      await clock.advance(100);
    }
    expect(value.cacheInfo().shared?.restingShare).toBeCloseTo(1 / shards.count, 1);
  });

  test.each([
    { left: 'reads and writes', parts: ['read', 'write'] },
    { left: 'only writes', parts: ['write'] },
  ])(
    'gets its invalidations, in a process that calls nothing, if it left $left without an answer',
    async ({ parts }) => {
      const outside = new Outside();
      const { clock, silent } = outside;
      using value = outside.member({ store: outside.store });
      for (const part of parts) silent.add(`${part} ${HOME}`).add(`${part} ${OTHER}`);
      for (const shard of [OTHER, HOME]) for (const id of shards.ids(30, shard)) value.delete(id);
      await clock.advance(MINUTE);
      for (const part of parts) silent.delete(`${part} ${HOME}`);
      await clock.advance(MINUTE);
      expect(value.cacheInfo().shared).toMatchObject({ pendingInvalidations: 30 });
    },
  );

  test('gets results again if it left only writes without an answer', async () => {
    const outside = new Outside();
    const { clock, silent } = outside;
    using value = outside.member({ store: outside.store });
    const ids = shards.ids(200, HOME);
    let next = 0;
    const use = async (millis: number): Promise<void> => {
      for (const end = clock.now() + millis; clock.now() < end; await clock.advance(100)) {
        void value(ids[next++ % ids.length] as string);
      }
    };
    await use(1_000);
    silent.add(`write ${HOME}`);
    await use(5_000);
    outside.lose(OTHER);
    void value(shards.ids(1, OTHER)[0] as string);
    await use(5_000);
    silent.delete(`write ${HOME}`);
    await use(MINUTE);
    expect(value.cacheInfo().shared).toMatchObject({ restingWriteShare: 0 });
  });

  test('is probed in time, although a cache with a long timeout has seen the other one silent before', async () => {
    const outside = new Outside();
    const { clock } = outside;
    using patient = outside.member({ store: outside.store, storeTimeoutMillis: MINUTE });
    using value = outside.member({ store: outside.store });
    const [lost, back] = [shards.ids(200, OTHER), shards.ids(200, HOME)];
    outside.lose(OTHER);
    void patient(lost[0] as string);
    await clock.advance(MINUTE + 1_000);
    for (const id of back.slice(0, 40)) await value(id); // The name that was lost is none of the last ones.
    outside.lose(HOME);
    void value(back[40] as string);
    await clock.advance(3_000);
    outside.regain(HOME);
    for (const id of back.slice(41, 71)) {
      void value(id);
      await clock.advance(1_000);
    }
    expect(value.cacheInfo().shared?.restingShare).toBeLessThan(1);
  });
});

test('a store whose writes were silent before costs one call its timeout when a shard is lost', async () => {
  const outside = new Outside();
  const { clock, silent } = outside;
  using value = outside.member({ store: outside.store });
  const [asked, later] = [shards.ids(200, OTHER), shards.ids(200, HOME)];
  for (const id of asked.slice(0, 20)) await value(id);
  await value.flush();
  silent.add('write 0').add('write 1');
  void value(asked[20] as string);
  await clock.advance(5_000);
  silent.clear();
  for (const id of later.slice(0, 40)) await value(id);
  outside.lose(OTHER);
  void value(asked[50] as string);
  await clock.advance(2_000);
  let isWaiting = 0;
  for (const id of asked.slice(0, 20)) {
    isWaiting++;
    void value(id).finally(() => isWaiting--);
  }
  await settle();
  expect(isWaiting).toBe(0);
});

describe('flush', () => {
  test.each(['store', 'bus'] as const)(
    'delivers older invalidations and new ones at once, as soon as the %s answers',
    async (part) => {
      const outside = new Outside();
      const { clock, silent } = outside;
      using value = outside.member({ [part]: outside[part] });
      outside.lose(HOME, OTHER);
      silent.add('bus');
      value.delete('old');
      await clock.advance(MINUTE);
      silent.clear();
      outside.latency = 1;
      value.delete('new');
      const flushed = value.flush();
      await clock.advance(100);
      expect(await Promise.race([flushed, settle().then(() => 'waits')])).toBe(true);
    },
  );

  test('is not held up by later invalidations', async () => {
    const outside = new Outside();
    const { clock } = outside;
    outside.latency = 2;
    using value = outside.member({ store: outside.store });
    value.delete('first');
    let isDelivered: boolean | undefined;
    void value.flush().then((answer) => {
      isDelivered = answer;
    });
    for (let number = 0; number < 50; number++) {
      value.delete(`later ${number}`);
      await clock.advance(1);
    }
    expect(isDelivered).toBe(true);
  });

  test('tells of an invalidation whose place another one has taken that is not confirmed', async () => {
    const outside = new Outside();
    using value = outside.member({ store: outside.store });
    outside.lose(HOME, OTHER);
    value.delete('first');
    const flushed = value.flush();
    await settle();
    value.clear();
    await outside.clock.advance(5_000);
    expect(await flushed).toBe(false);
  });
});

test('a message that a slow bus takes too late is not sent again', async () => {
  const outside = new Outside();
  const { clock } = outside;
  outside.latency = 1_500;
  using value = outside.member({ bus: outside.bus });
  for (let number = 0; number < 20; number++) {
    value.delete(`k${number}`);
    await clock.advance(100);
  }
  await clock.advance(MINUTE);
  expect(value.cacheInfo().shared).toMatchObject({ pendingInvalidations: 0 });
  expect(outside.published).toBeLessThanOrEqual(20);
});
