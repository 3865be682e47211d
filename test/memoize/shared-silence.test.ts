/** What an outside system that gives no answers is sent. Its client keeps each request until it is answered, so they must be few. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, test } from 'vitest';
import { memoize } from '../../src/memoize/index.js';
import { type SharedCacheOptions, sharedCache } from '../../src/memoize/shared/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';
import { FakeClock } from '../kit/fake-clock.js';
import { settle } from '../kit/settle.js';

const TIMEOUT = 1_000;
const MINUTES = 5;
/** Time in which the silence is found out, in milliseconds. */
const FOUND_OUT = 2 * TIMEOUT;

type Part = 'reads' | 'writes' | 'bus' | 'lock';

/** A store, a bus and a lock. Each keeps its requests while it gives no answers. */
class Outside {
  readonly clock = new FakeClock();
  readonly silent = new Set<Part>();
  readonly unanswered: (() => void)[] = [];
  /** How many requests of each part were begun. */
  readonly asked: Record<Part, number> = { reads: 0, writes: 0, bus: 0, lock: 0 };
  readonly #values = new Map<string, unknown>();

  readonly options: SharedCacheOptions = {
    clock: this.clock,
    storeTimeoutMillis: TIMEOUT,
    store: {
      get: (name) => this.#answer('reads', () => this.#values.get(name)),
      set: (name, value) => this.#answer('writes', () => this.#values.set(name, value).size > 0),
      delete: (name) => this.#answer('writes', () => this.#values.delete(name)),
    },
    bus: {
      publish: () => this.#answer('bus', () => undefined),
      subscribe: (listener) => {
        listener.connected(true);
        return { [Symbol.dispose]: () => {} };
      },
    },
    lock: {
      acquire: (_, { ask }) =>
        ask(() => this.#answer('lock', () => ({ fence: 1, lost: false, release: async () => {} }))),
    },
  };

  /** Answers from now on, also what was asked before. */
  recover(): void {
    this.silent.clear();
    for (const answer of this.unanswered.splice(0)) answer();
  }

  async #answer<T>(part: Part, give: () => T): Promise<T> {
    this.asked[part]++;
    if (this.silent.has(part)) await new Promise<void>((answer) => this.unanswered.push(answer));
    return give();
  }
}

describe('an outside system that gives no answers', () => {
  test.each<{ silent: Part[]; counted: Part; most: number; keys?: number }>([
    { silent: ['reads', 'writes'], counted: 'reads', most: 70 },
    { silent: ['reads', 'writes'], counted: 'writes', most: 40 },
    { silent: ['writes'], counted: 'writes', most: 100 },
    { silent: ['bus'], counted: 'bus', most: 40 },
    { silent: ['lock'], counted: 'lock', most: 70, keys: Infinity },
  ])(
    'is sent few requests while calls and invalidations go on: $silent, $counted',
    async ({ silent, counted, most, keys = 20 }) => {
      const outside = new Outside();
      const { clock, asked } = outside;
      using value = memoize(async (id: string) => id, {
        name: 'value',
        max: 5,
        onError: () => {},
        tags: (_, id) => [`tag of ${id}`],
        shared: sharedCache(outside.options),
      });
      for (const part of silent) outside.silent.add(part);
      let calls = 0;
      const use = async (millis: number): Promise<void> => {
        for (const end = clock.now() + millis; clock.now() < end; await clock.advance(100)) {
          const id = `id ${calls++ % keys}`;
          void value(id);
          value.delete(id);
          value.invalidateTags(`tag of ${id}`);
        }
      };
      await use(FOUND_OUT);
      const before = asked[counted];
      await use(MINUTES * 60_000);
      expect(asked[counted] - before, `of ${calls} calls`).toBeLessThanOrEqual(most);
      outside.recover();
      await use(30_000);
      expect(await value.flush(), 'all invalidations are delivered after that').toBe(true);
    },
  );

  test.each<{ what: string; silent: Part[] }>([
    { what: 'reads of the store', silent: ['reads'] },
    { what: 'the store', silent: ['reads', 'writes'] },
    { what: 'the lock', silent: ['lock'] },
  ])('has `cacheInfo` say that loads go on without the lock, $what', async ({ silent }) => {
    const outside = new Outside();
    const { clock, asked } = outside;
    using value = memoize(async (id: string) => id, {
      name: 'value',
      onError: () => {},
      shared: sharedCache(outside.options),
    });
    const load = async (id: string): Promise<string | undefined> => {
      const loaded = value(id);
      await clock.advance(TIMEOUT);
      await loaded;
      return value.cacheInfo().shared?.lock;
    };
    expect(await load('before')).toBe('working');
    for (const part of silent) outside.silent.add(part);
    const before = asked.lock;
    expect(await load('first'), 'its time is over').toBe('failing');
    expect(await load('second'), 'the silent part rests').toBe('failing');
    expect(asked.lock - before).toBe(silent.includes('lock') ? 1 : 0);
    outside.recover();
    await clock.advance(10_000);
    await load('probe');
    expect(await load('after')).toBe('working');
  });

  test('is sent few reads by a process that only invalidates, if it leaves only writes without an answer', async () => {
    const outside = new Outside();
    const { clock, silent, asked } = outside;
    using value = memoize(async (id: string) => id, {
      name: 'value',
      onError: () => {},
      shared: sharedCache(outside.options),
    });
    silent.add('writes');
    for (let id = 0; id < 60; id++) value.delete(`id ${id}`);
    await clock.advance(FOUND_OUT);
    const before = asked.reads;
    await clock.advance(MINUTES * 60_000);
    expect(asked.reads - before).toBe(0);
    expect(value.cacheInfo().shared).toMatchObject({ restingShare: 0, restingWriteShare: 1 });
  });

  test('keeps little of a call that has ended, in the request that it has not answered', async () => {
    const clock = new FakeClock();
    const unanswered: unknown[] = [];
    const never = () => new Promise<never>((answer) => void unanswered.push(answer));
    const store = { get: never, getMany: never, set: never, delete: never };
    using value = memoize(async (id: string) => id, {
      name: 'value',
      max: 1,
      onError: () => {},
      shared: sharedCache({ store, clock }),
    });
    const callAll = async (): Promise<void> => {
      const calls = Array.from({ length: 20_000 }, (_, id) => value(`id ${id}`));
      await clock.advance(FOUND_OUT);
      await Promise.all(calls);
    };
    await collectGarbage();
    const before = process.memoryUsage().heapUsed;
    await callAll();
    await collectGarbage();
    const kept = (process.memoryUsage().heapUsed - before) / unanswered.length;
    expect(unanswered.length).toBeGreaterThanOrEqual(20_000);
    expect(kept, 'bytes').toBeLessThan(1_500);
  });

  test('is probed outside of the async context of the call that the probe begins with', async () => {
    const outside = new Outside();
    const { clock } = outside;
    using value = memoize(async (id: string) => id, {
      name: 'value',
      onError: () => {},
      shared: sharedCache(outside.options),
    });
    const context = new AsyncLocalStorage<string>();
    const contexts: unknown[] = [];
    outside.silent.add('reads');
    void value('first');
    await clock.advance(FOUND_OUT + 10_000);
    outside.unanswered.push = (answer) => {
      contexts.push(context.getStore());
      return Array.prototype.push.call(outside.unanswered, answer);
    };
    await context.run('a request', () => value('second'));
    await settle();
    expect(contexts).toEqual([undefined]);
  });

  test('is asked again by a flush, however long it has been silent', async () => {
    const outside = new Outside();
    const { clock, silent } = outside;
    using value = memoize(async (id: string) => id, {
      name: 'value',
      onError: () => {},
      shared: sharedCache(outside.options),
    });
    for (const part of ['reads', 'writes', 'bus'] as const) silent.add(part);
    value.delete('a');
    await clock.advance(MINUTES * 60_000);
    silent.clear(); // What was asked before stays without an answer.
    expect(await value.flush()).toBe(true);
  });
});
