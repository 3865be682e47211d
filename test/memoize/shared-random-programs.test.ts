/**
 * Random programs of three processes that share a cache, over a store and a bus that take their time, reorder, lose values and refuse
 * writes. Each call gets a result that is not older than
 *
 * - the last invalidation by its own process before the call,
 * - the last invalidation that `flush` had confirmed before the call.
 *
 * In the end, when all is confirmed, each process has the newest result of each key.
 */
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { memoize } from '../../src/memoize/index.js';
import {
  type BusListener,
  type InvalidationBus,
  type SharedStore,
  sharedCache,
} from '../../src/memoize/shared/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { POLICIES } from '../kit/policies.js';

const KEYS = ['a', 'b'] as const;

const setting = fc.record({
  seed: fc.integer(),
  hasTags: fc.boolean(),
  hashKeys: fc.boolean(),
  refuses: fc.boolean(),
  localTtlMillis: fc.constantFrom(0, 2, Infinity),
  ttl: fc.constantFrom(3, 60_000),
  max: fc.constantFrom(1, 10),
  policy: fc.constantFrom(...POLICIES.map(({ options }) => options)),
  staleWhileRevalidate: fc.constantFrom(0, 2, 50_000),
  staleIfError: fc.constantFrom(0, 50_000),
});
type Setting = typeof setting extends fc.Arbitrary<infer S> ? S : never;

const step = fc.record({
  op: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom('call', 'call', 'refresh', 'all') },
    { weight: 4, arbitrary: fc.constantFrom('delete', 'delete', 'invalidateTags', 'clear') },
    { weight: 2, arbitrary: fc.constantFrom('wait', 'pause') },
    { weight: 1, arbitrary: fc.constantFrom('evict', 'bus') },
  ),
  process: fc.nat(2),
  key: fc.constantFrom(...KEYS),
  isFlushed: fc.boolean(),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** Numbers that look random, from 0 to 1 (mulberry32). */
function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Versioned {
  readonly key: string;
  readonly version: number;
}

/** What all processes have in common. */
class Network {
  readonly random: () => number;
  readonly clock = new FakeClock();
  readonly lines: Line[] = [];
  readonly #values = new Map<string, unknown>();
  readonly #setting: Setting;
  readonly #versions = new Map<string, number>();
  isCalm = false;

  constructor(setting: Setting) {
    this.#setting = setting;
    this.random = numbersFrom(setting.seed);
  }

  async takeTime(): Promise<void> {
    for (let jobs = Math.floor(this.random() * 12); jobs > 0; jobs--) await undefined;
  }

  version(key: string): number {
    return this.#versions.get(key) ?? 0;
  }

  change(key: string): void {
    this.#versions.set(key, this.version(key) + 1);
  }

  async load(key: string): Promise<Versioned> {
    const version = this.version(key);
    await this.takeTime();
    if (this.random() < 0.2) for (let waits = 0; waits < 20; waits++) await this.takeTime();
    return { key, version };
  }

  store(): SharedStore {
    const answer = async <T>(carryOut: () => T): Promise<T> => {
      await this.takeTime();
      const result = carryOut();
      await this.takeTime();
      return result;
    };
    return {
      get: (name) => answer(() => structuredClone(this.#values.get(name))),
      getMany: (names) =>
        answer(() => names.map((name) => structuredClone(this.#values.get(name)))),
      set: (name, value) =>
        answer(() => {
          const isRefused = this.#setting.refuses && !this.isCalm && this.random() < 0.1;
          if (!isRefused) this.#values.set(name, structuredClone(value));
          return true;
        }),
      delete: (name) => answer(() => this.#values.delete(name)),
    };
  }

  evict(): void {
    const names = [...this.#values.keys()];
    this.#values.delete(names[Math.floor(this.random() * names.length)] as string);
  }
}

/** The bus, as one process has it. */
class Line implements InvalidationBus {
  readonly #network: Network;
  #listener: BusListener | undefined = undefined;
  isConnected = true;

  constructor(network: Network) {
    this.#network = network;
    network.lines.push(this);
  }

  async publish(text: string): Promise<void> {
    await this.#network.takeTime();
    for (const line of this.#network.lines) if (line.isConnected) line.#listener?.message(text);
  }

  subscribe(listener: BusListener): Disposable {
    this.#listener = listener;
    listener.connected(true);
    return { [Symbol.dispose]: () => {} };
  }

  connect(state: boolean): void {
    this.isConnected = state;
    this.#listener?.connected(state);
  }
}

/** One process, and the oldest versions that its callers may get. */
class Process {
  readonly network: Network;
  readonly line: Line;
  readonly cache;
  readonly #own = new Map<string, number>();
  readonly #confirmed: Map<string, number>;
  readonly answers: Promise<unknown>[] = [];

  constructor(network: Network, confirmed: Map<string, number>, setting: Setting) {
    const { hasTags, hashKeys, localTtlMillis, refuses: _, seed: __, policy, ...options } = setting;
    this.network = network;
    this.#confirmed = confirmed;
    this.line = new Line(network);
    this.cache = memoize((key: string) => network.load(key), {
      name: 'value',
      clock: network.clock,
      onError: () => {},
      ...options,
      ...policy,
      ...(hasTags ? { tags: (_: unknown, key: string) => [key] } : {}),
      shared: sharedCache({
        store: network.store(),
        bus: this.line,
        clock: network.clock,
        storeTimeoutMillis: Infinity,
        hashKeys,
        localTtlMillis,
      }),
    });
  }

  call(keys: readonly string[], how: (keys: readonly string[]) => Promise<Versioned[]>): void {
    const least = keys.map((key) =>
      Math.max(this.#own.get(key) ?? 0, this.#confirmed.get(key) ?? 0),
    );
    const answer = how(keys).then((found) => {
      for (const [at, { key, version }] of found.entries()) {
        expect(key).toBe(keys[at]);
        expect(version, `the version of ${key}`).toBeGreaterThanOrEqual(least[at] as number);
      }
    });
    this.answers.push(answer);
  }

  invalidate(keys: readonly string[], isFlushed: boolean, how: () => void): void {
    for (const key of keys) this.network.change(key);
    how();
    const versions = keys.map((key) => [key, this.network.version(key)] as const);
    for (const [key, version] of versions) this.#own.set(key, version);
    if (!isFlushed) return;
    const flushed = this.cache.flush().then((isConfirmed) => {
      if (!isConfirmed) return;
      for (const [key, version] of versions) {
        this.#confirmed.set(key, Math.max(version, this.#confirmed.get(key) ?? 0));
      }
    });
    this.answers.push(flushed);
  }

  toggle(): void {
    this.line.connect(!this.line.isConnected);
  }
}

async function run(setting: Setting, steps: readonly Step[]): Promise<void> {
  const network = new Network(setting);
  const confirmed = new Map<string, number>();
  const processes = [0, 1, 2].map(() => new Process(network, confirmed, setting));
  const pass = async (millis: number): Promise<void> => {
    vi.setSystemTime(Date.now() + millis);
    await network.clock.advance(millis);
  };
  for (const { op, process: at, key, isFlushed } of steps) {
    const process = processes[at] as Process;
    const { cache } = process;
    if (op === 'call') process.call([key], async () => [await cache(key)]);
    if (op === 'refresh') process.call([key], async () => [await cache.refresh(key)]);
    if (op === 'all') process.call(KEYS, () => cache.getMany(KEYS.map((each) => [each])));
    if (op === 'delete') process.invalidate([key], isFlushed, () => void cache.delete(key));
    if (op === 'clear') process.invalidate(KEYS, isFlushed, () => cache.clear());
    if (op === 'invalidateTags' && setting.hasTags) {
      process.invalidate([key], isFlushed, () => void cache.invalidateTags(key));
    }
    if (op === 'evict') network.evict();
    if (op === 'bus') process.toggle();
    if (op === 'wait') await network.takeTime();
    if (op === 'pause') await pass(1);
  }
  network.isCalm = true;
  await Promise.all(processes.flatMap(({ answers }) => answers));
  for (const { line } of processes) if (!line.isConnected) line.connect(true);
  for (let round = 0; round < 5; round++) for (const { cache } of processes) await cache.flush();
  for (const { cache } of processes) expect(await cache.flush()).toBe(true);
  await pass(1);
  for (const { cache } of processes) {
    for (const key of KEYS) {
      expect((await cache(key)).version, `the last version of ${key}`).toBe(network.version(key));
    }
    await cache.flush();
    cache[Symbol.dispose]();
  }
}

test('no process gets a result from before an invalidation that it can know of', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 });
  try {
    const program = fc.asyncProperty(
      setting,
      fc.array(step, { minLength: 10, maxLength: 60, size: 'max' }),
      run,
    );
    await fc.assert(program, { numRuns: 1_000 });
  } finally {
    vi.useRealTimers();
  }
}, 120_000);
