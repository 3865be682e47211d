/** A store that is slow, and answers in time: how much load the health checks add to it, and what a lost shard costs then. */
import { expect, test } from 'vitest';
import { memoize } from '../../src/memoize/index.js';
import { hashSlotOf, SLOTS } from '../../src/memoize/shared/hash-slot.js';
import { type SharedStore, sharedCache } from '../../src/memoize/shared/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { settle } from '../kit/settle.js';

const TIMEOUT = 1_000;
const SHARDS = 3;

function shardOf(name: string): number {
  return Math.floor((hashSlotOf(name) * SHARDS) / SLOTS);
}

const LOST = (shardOf('{value}') + 1) % SHARDS;

function idsOn(isWanted: (shard: number) => boolean, count: number): string[] {
  const ids: string[] = [];
  for (let number = 0; ids.length < count; number++) {
    if (isWanted(shardOf(`{["k${number}"]}`))) ids.push(`k${number}`);
  }
  return ids;
}

/** A store whose answers take `latency` milliseconds. */
class SlowStore implements SharedStore {
  readonly clock = new FakeClock();
  readonly #values = new Map<string, unknown>();
  latency = 0;
  isLost = false;
  /** How many requests were made for calls. The rest are reads of single names. */
  requests = 0;
  reads = 0;

  get(name: string): Promise<unknown> {
    this.reads++;
    return this.#answer([name], () => this.#values.get(name));
  }

  getMany(names: string[]): Promise<unknown[]> {
    this.requests++;
    return this.#answer(names, () => names.map((name) => this.#values.get(name)));
  }

  set(name: string, value: unknown): Promise<unknown> {
    this.requests++;
    return this.#answer([name], () => this.#values.set(name, value).size > 0);
  }

  delete(name: string): Promise<unknown> {
    this.requests++;
    return this.#answer([name], () => this.#values.delete(name));
  }

  cache() {
    const shared = sharedCache({
      store: this,
      clock: this.clock,
      localTtlMillis: 0,
      storeTimeoutMillis: TIMEOUT,
    });
    return memoize(async (id: string) => id, { name: 'value', onError: () => {}, shared });
  }

  async #answer<T>(names: readonly string[], give: () => T): Promise<T> {
    if (this.isLost && names.some((name) => shardOf(name) === LOST)) await new Promise(() => {});
    if (this.latency > 0) {
      await new Promise<void>((answer) => void this.clock.setTimer(answer, this.latency));
    }
    return give();
  }
}

test.each([
  { rate: 10, seconds: 30 },
  { rate: 1_000, seconds: 3 },
])(
  'gets no more reads from health checks than requests: $rate calls/s',
  async ({ rate, seconds }) => {
    const store = new SlowStore();
    const { clock } = store;
    using value = store.cache();
    const ids = idsOn(() => true, 2_000);
    for (const id of ids) await value(id);
    await value.flush();
    store.latency = 0.6 * TIMEOUT;
    let calls = 0;
    const use = async (millis: number): Promise<void> => {
      for (const end = clock.now() + millis; clock.now() < end; await clock.advance(1_000 / rate)) {
        void value(ids[calls++ % ids.length] as string);
      }
    };
    await use(5_000);
    [store.requests, store.reads] = [0, 0];
    await use(1_000 * seconds);
    expect(store.requests).toBeGreaterThan(0.9 * rate * seconds);
    expect(store.reads).toBeLessThanOrEqual(1.1 * store.requests);
    expect(value.cacheInfo().shared).toMatchObject({ restingShare: 0 });
  },
);

test('that loses a shard costs one call its timeout, too, and keeps the others', async () => {
  const store = new SlowStore();
  const { clock } = store;
  using value = store.cache();
  const [lost, kept] = [idsOn((shard) => shard === LOST, 40), idsOn((shard) => shard !== LOST, 40)];
  for (const id of [...lost, ...kept]) await value(id);
  await value.flush();
  const waitOf = async (id: string): Promise<number> => {
    const began = clock.now();
    let isDone = false;
    void value(id).finally(() => {
      isDone = true;
    });
    for (await settle(); !isDone; await settle()) await clock.advance(1);
    return clock.now() - began;
  };
  store.latency = 0.6 * TIMEOUT;
  for (let call = 0; call < 40; call++) await waitOf(kept[call] as string); // No health check is left.
  [store.latency, store.isLost] = [1, true];
  expect(await waitOf(lost[0] as string)).toBeGreaterThanOrEqual(TIMEOUT);
  await clock.advance(TIMEOUT);
  const waits: number[] = [];
  for (const id of lost.slice(1)) waits.push(await waitOf(id));
  expect(waits.filter((wait) => wait > 1).length, 'at a border of the shard').toBeLessThan(3);
  await clock.advance(10);
  for (const id of kept) expect(await waitOf(id)).toBeLessThanOrEqual(1);
  const share = value.cacheInfo().shared?.restingShare;
  expect(share).toBeGreaterThan(0.5 / SHARDS);
  expect(share).toBeLessThan(1.5 / SHARDS);
});
