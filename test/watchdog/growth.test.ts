/** What is told of objects that become more, and when it is taken back. */
import { expect, test } from 'vitest';
import { type MemoizeOptions, memoize } from '../../src/memoize/index.js';
import { type LeakReport, Watchdog, type WatchdogOptions } from '../../src/watchdog/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { lineOf } from '../kit/line-of.js';

const newCache = (ttl: number, clock: FakeClock) =>
  memoize((url: string) => url, { name: 'page', ttl, clock });

/** A cache that gets 20 new entries in each minute, under a watchdog. */
class GrowingCache implements Disposable {
  readonly watchdog: Watchdog;
  readonly told: LeakReport[] = [];
  readonly retracted: LeakReport[] = [];
  readonly page: ReturnType<typeof newCache>;
  readonly #clock = new FakeClock();
  #next = 0;

  constructor(options: WatchdogOptions = {}, ttl = Number.POSITIVE_INFINITY) {
    this.watchdog = new Watchdog({ level: 'advanced', clock: this.#clock, ...options });
    this.watchdog.on('leak', (report) => this.told.push(report));
    this.watchdog.on('retracted', (report) => this.retracted.push(report));
    this.page = newCache(ttl, this.#clock);
    this.watchdog.watch(this.page);
  }

  async grow(minutes: number): Promise<void> {
    for (let minute = 0; minute < minutes; minute++) {
      for (let i = 0; i < 20; i++) this.page(`/${this.#next++}`); // where the entries are made
      await this.rest(1);
    }
  }

  async rest(minutes: number): Promise<void> {
    for (let minute = 0; minute < minutes; minute++) await this.#clock.advance(60_000);
  }

  [Symbol.dispose](): void {
    this.watchdog[Symbol.dispose]();
  }
}

const made = lineOf(import.meta.url, 'where the entries are made');

test('a cache that has come to rest is reported no more', async () => {
  using cache = new GrowingCache();
  await cache.grow(16);
  expect(await cache.watchdog.check()).toMatchObject([{ rule: 'growth', count: 320 }]);
  expect(cache.watchdog.stats().lost).toBe(1);
  await cache.rest(6);
  expect(await cache.watchdog.check()).toEqual([]);
  expect(cache.watchdog.stats()).toMatchObject({ lost: 0, retracted: 1 });
  expect(cache.retracted).toHaveLength(1);
});

test('a cache that keeps growing is one leak, which becomes surer and gets its line', async () => {
  using cache = new GrowingCache();
  await cache.grow(16);
  expect(await cache.watchdog.check()).toMatchObject([{ certainty: 'suspect' }]);
  await cache.grow(14);
  const [report, ...others] = await cache.watchdog.check();
  expect(others).toEqual([]);
  expect(report).toMatchObject({ certainty: 'probable', count: 600, site: { line: made } });
});

test('a cache is one suspect, also when its line is known later', async () => {
  using cache = new GrowingCache();
  await cache.grow(20);
  const [report, ...others] = await cache.watchdog.check();
  expect(others).toEqual([]);
  expect(report).toMatchObject({ certainty: 'suspect', count: 400, site: { line: made } });
});

test('a suppressed growth is one that counts, whatever the number of its objects', async () => {
  using known = new GrowingCache();
  await known.grow(20);
  const suppress = (await known.watchdog.check()).map(({ signature }) => signature);
  using cache = new GrowingCache({ suppress });
  await cache.grow(20);
  expect(await cache.watchdog.check()).toEqual([]);
  expect(cache.watchdog.stats()).toMatchObject({ lost: 0, suppressed: 1 });
});

test('a growth that gives its place in the report to a later leak is one that is not reported', async () => {
  using cache = new GrowingCache({ maxRecords: 1 });
  await cache.grow(20);
  const other = memoize((url: string) => url, { name: 'other' });
  cache.watchdog.watch(other);
  for (let minute = 0, n = 0; minute < 20; minute++) {
    for (let i = 0; i < 20; i++) other(`/${n++}`);
    await cache.grow(1);
  }
  await cache.watchdog.check();
  expect(cache.watchdog.stats()).toMatchObject({ lost: 2, unreported: 1 });
});

test('the entries of a cache become more until its ttl, and that is no leak', async () => {
  using cache = new GrowingCache({}, 3_600_000);
  for (let minute = 0; minute < 140; minute++) {
    await cache.grow(1);
    expect(await cache.watchdog.check()).toEqual([]);
  }
  expect(cache.told).toEqual([]);
  expect(cache.page.cacheInfo().size).toBeLessThanOrEqual(1_300);
});

/** Two caches of one name under one watchdog. */
class CachesOfOneName implements Disposable {
  readonly watchdog: Watchdog;
  readonly #clock = new FakeClock();

  constructor() {
    this.watchdog = new Watchdog({ level: 'advanced', clock: this.#clock });
  }

  /** A cache with such options, which is filled once. */
  add(options: MemoizeOptions<(id: number) => number> = {}) {
    const cache = memoize((id: number) => id, { name: 'lookup', clock: this.#clock, ...options });
    const watch = this.watchdog.watch(cache);
    cache(-1);
    return { cache, watch };
  }

  /** Fills a cache with 20 entries a minute. */
  async fill(cache: (id: number) => number, minutes: number): Promise<void> {
    for (let minute = 0, id = 0; minute < minutes; minute++) {
      for (let i = 0; i < 20; i++) cache(id++);
      await this.#clock.advance(60_000);
    }
  }

  [Symbol.dispose](): void {
    this.watchdog[Symbol.dispose]();
  }
}

test('a cache without a bound grows, also beside an older one of its name that has a bound', async () => {
  using caches = new CachesOfOneName();
  caches.add({ max: 10 });
  const { cache } = caches.add();
  await caches.fill(cache, 30);
  expect(await caches.watchdog.check()).toMatchObject([
    { rule: 'growth', state: { max: Number.POSITIVE_INFINITY } },
  ]);
});

test('a cache with a bound does not grow, also after an older one of its name that had none', async () => {
  using caches = new CachesOfOneName();
  const { watch } = caches.add();
  watch[Symbol.dispose]();
  const { cache } = caches.add({ max: 1_000_000 });
  await caches.fill(cache, 30);
  expect(await caches.watchdog.check()).toEqual([]);
});

test('entries expire as late as those of the cache of their name that keeps them longest', async () => {
  using caches = new CachesOfOneName();
  caches.add({ ttl: 1_000 });
  const { cache } = caches.add({ ttl: 3_600_000 });
  await caches.fill(cache, 30);
  expect(await caches.watchdog.check()).toEqual([]);
});
