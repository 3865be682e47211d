/** A store that is slow, and answers in time: how much load the health checks add to it, and what a lost shard costs then. */
import { expect, test } from 'vitest';
import { memoize } from '../../src/memoize/index.js';
import { type SharedStore, sharedCache } from '../../src/memoize/shared/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { waitOf } from '../kit/wait-of.js';
import { Shards } from './shards.js';

const TIMEOUT = 1_000;
const shards = new Shards(3);

const HOME = shards.of('{value}');
const LOST = (HOME + 1) % shards.count;
const KEPT = (HOME + 2) % shards.count;

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
    if (this.isLost && names.some((name) => shards.of(name) === LOST)) await new Promise(() => {});
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
    const ids = shards.ids(2_000, HOME, LOST, KEPT);
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
  const [lost, kept] = [shards.ids(40, LOST), shards.ids(40, HOME, KEPT)];
  for (const id of [...lost, ...kept]) await value(id);
  await value.flush();
  store.latency = 0.6 * TIMEOUT;
  for (let call = 0; call < 40; call++) await waitOf(clock, value(kept[call] as string)); // No health check is left.
  [store.latency, store.isLost] = [1, true];
  expect(await waitOf(clock, value(lost[0] as string))).toBeGreaterThanOrEqual(TIMEOUT);
  await clock.advance(TIMEOUT);
  const waits: number[] = [];
  for (const id of lost.slice(1)) waits.push(await waitOf(clock, value(id)));
  expect(waits.filter((wait) => wait > 1).length, 'at a border of the shard').toBeLessThan(3);
  await clock.advance(10);
  for (const id of kept) expect(await waitOf(clock, value(id))).toBeLessThanOrEqual(1);
  const share = value.cacheInfo().shared?.restingShare;
  expect(share).toBeGreaterThan(0.5 / shards.count);
  expect(share).toBeLessThan(1.5 / shards.count);
});
