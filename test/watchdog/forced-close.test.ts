/** What becomes of a loan that a forced close takes back: it is judged before, and judged again when something changes. */
import genericPool from 'generic-pool';
import { expect, test } from 'vitest';
import { adoptPool } from '../../src/integrations/generic-pool.js';
import { createKeyedPool, createPool, type Lease } from '../../src/pool/index.js';
import { type Watchable, Watchdog, type WatchdogOptions } from '../../src/watchdog/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { settle } from '../kit/settle.js';
import { type MinimalLease, MinimalPool } from './minimal-pool.js';

const GRACE_MILLIS = 1_000;

const factory = { create: async () => ({}), destroy: async () => {} };

/** A pool of one kind, in the few steps of these tests. */
interface Source extends Watchable {
  lease(): Promise<Lease<object>>;
  closeByForce(): Promise<unknown>;
}

const SOURCES: Readonly<Record<string, (clock: FakeClock) => Source>> = {
  pool: (clock) => {
    const pool = createPool(factory, { clock });
    return Object.assign(pool, {
      closeByForce: () => pool.close({ graceMillis: 0, force: true }),
    });
  },
  'keyed pool': (clock) => {
    const pool = createKeyedPool((_key: string) => factory, { clock });
    const lease = pool.lease.bind(pool);
    return Object.assign(pool as object, {
      lease: () => lease('a key'),
      closeByForce: () => pool.close({ graceMillis: 0, force: true }),
    }) as Source;
  },
  'adopted pool': (clock) => {
    const peer = genericPool.createPool(factory, { max: 4 });
    const pool = adoptPool(peer, { clock });
    return Object.assign(pool, {
      closeByForce: () => pool.close({ graceMillis: 0, force: true, endPeer: true }),
    });
  },
};

function watched(makeSource: (clock: FakeClock) => Source, options: WatchdogOptions = {}) {
  const clock = new FakeClock();
  const watchdog = new Watchdog({
    level: 'advanced',
    clock,
    graceMillis: GRACE_MILLIS,
    ...options,
  });
  const source = makeSource(clock);
  watchdog.watch(source);
  const told: string[] = [];
  watchdog.on('leak', ({ rule, certainty }) => told.push(`${rule} ${certainty}`));
  watchdog.on('retracted', ({ rule }) => told.push(`${rule} retracted`));
  return {
    clock,
    watchdog,
    told,
    lease: () => source.lease(),
    async closeByForce(): Promise<void> {
      const closed = source.closeByForce();
      await clock.advance(0);
      await closed;
    },
    [Symbol.dispose]: () => watchdog[Symbol.dispose](),
  };
}

for (const [kind, make] of Object.entries(SOURCES)) {
  test(`${kind}: a loss that was judged at a forced close is retracted when its holder releases late`, async () => {
    using t = watched(make);
    const lease = await t.watchdog.scope('job', () => t.lease());
    await t.closeByForce();
    await t.clock.advance(GRACE_MILLIS);
    expect(t.told).toEqual(['orphaned probable']);
    await lease.release();
    expect(t.told).toEqual(['orphaned probable', 'orphaned retracted']);
    expect(await t.watchdog.check()).toEqual([]);
    expect(t.watchdog.stats()).toMatchObject({ lost: 0, retracted: 1 });
  });

  test(`${kind}: a loss that was judged at a forced close becomes certain when V8 collects the lease`, async () => {
    using t = watched(make);
    await t.watchdog.scope('job', async () => {
      await t.lease();
    });
    await t.closeByForce();
    await t.clock.advance(GRACE_MILLIS);
    const reports = await t.watchdog.check({ forceGc: true });
    expect(reports).toMatchObject([{ rule: 'orphaned', certainty: 'certain', count: 1 }]);
    expect(reports[0]?.evidence.v8).toBe('collected');
    expect(t.told).toEqual(['orphaned probable', 'orphaned certain']);
    expect(t.watchdog.stats().lost).toBe(1);
  });

  test(`${kind}: a loss that was judged at a forced close stays, while nothing changes`, async () => {
    using t = watched(make);
    const lease = await t.watchdog.scope('job', () => t.lease());
    await t.closeByForce();
    await t.clock.advance(3_600_000);
    expect(await t.watchdog.check({ forceGc: true })).toMatchObject([
      { rule: 'orphaned', certainty: 'probable', count: 1 },
    ]);
    expect(t.told).toEqual(['orphaned probable']);
    await lease.release();
  });

  test(`${kind}: a loan that was in use at the forced close is not lost by the end of its scope`, async () => {
    using t = watched(make);
    const scope = t.watchdog.openScope('job');
    const lease = await scope.run(() => t.lease());
    await t.closeByForce();
    scope.end();
    await t.clock.advance(60_000);
    expect(await t.watchdog.check({ forceGc: true })).toEqual([]);
    await lease.release();
    expect(t.told).toEqual([]);
  });

  test(`${kind}: a holder that releases after the forced close, and before its scope ends, makes no noise`, async () => {
    using t = watched(make);
    await t.watchdog.scope('job', async () => {
      const lease = await t.lease();
      await t.closeByForce();
      await lease.release();
    });
    await t.clock.advance(60_000);
    expect(await t.watchdog.check({ forceGc: true })).toEqual([]);
    expect(t.told).toEqual([]);
  });
}

const createSource = SOURCES['pool'] as (clock: FakeClock) => Source;

test('a release within the grace after a forced close makes no noise', async () => {
  using t = watched(createSource);
  const lease = await t.watchdog.scope('job', () => t.lease());
  await t.closeByForce();
  await t.clock.advance(GRACE_MILLIS / 2);
  await lease.release();
  await t.clock.advance(60_000);
  expect(t.told).toEqual([]);
});

test('a suspect keeps its rule after a forced close, and becomes certain under a surer one', async () => {
  using t = watched(createSource, { youngCollectionEvery: 100 });
  await (async () => {
    await t.lease();
  })();
  for (let i = 0; i < 3_000; i++) {
    const lease = await t.watchdog.scope('GET /', () => t.lease());
    await lease.release();
  }
  await t.clock.advance(60_000);
  expect(t.told).toEqual(['tenured suspect']);
  await t.closeByForce();
  await t.clock.advance(60_000);
  expect(await t.watchdog.check()).toMatchObject([{ rule: 'tenured', certainty: 'suspect' }]);
  expect(await t.watchdog.check({ forceGc: true })).toMatchObject([
    { rule: 'abandoned', certainty: 'certain', count: 1 },
  ]);
});

test.each<[string, (lease: Lease<object>) => unknown]>([
  ['destroy()', (lease) => lease.destroy()],
  ['`using`', (lease) => lease[Symbol.dispose]()],
  ['`await using`', (lease) => lease[Symbol.asyncDispose]()],
])('a lease that ends by %s after a forced close retracts its loss', async (_, end) => {
  using t = watched(createSource);
  const lease = await t.watchdog.scope('job', () => t.lease());
  await t.closeByForce();
  await t.clock.advance(GRACE_MILLIS);
  await end(lease);
  expect(t.told).toEqual(['orphaned probable', 'orphaned retracted']);
});

test('a use() that settles after a forced close retracts its loss', async () => {
  using t = watched(createSource);
  const pool = createPool(factory, { clock: t.clock });
  t.watchdog.watch(pool);
  let finish = (): void => {};
  let used: Promise<unknown> = Promise.resolve();
  await t.watchdog.scope('job', async () => {
    used = pool.use(() => new Promise<void>((resolve) => (finish = resolve)));
    await settle();
  });
  const closed = pool.close({ graceMillis: 0, force: true });
  await t.clock.advance(GRACE_MILLIS);
  await closed;
  expect(t.told).toEqual(['orphaned probable']);
  finish();
  await used.catch(() => {});
  expect(t.told).toEqual(['orphaned probable', 'orphaned retracted']);
});

test('a resource of acquire() that is released after a forced close retracts its loss, and is no misuse', async () => {
  using t = watched(createSource);
  const pool = createPool(factory, { clock: t.clock });
  t.watchdog.watch(pool);
  const resource = await t.watchdog.scope('job', () => pool.acquire());
  const closed = pool.close({ graceMillis: 0, force: true });
  await t.clock.advance(GRACE_MILLIS);
  await closed;
  const late = { code: 'TENURE_POOL_RELEASE_AFTER_DESTROY' };
  await expect(pool.release(resource)).rejects.toMatchObject(late);
  expect(t.told).toEqual(['orphaned probable', 'orphaned retracted']);
  expect(await t.watchdog.check()).toEqual([]);
});

test('a holder that expects to keep its loan is not told of after a forced close', async () => {
  using t = watched(createSource);
  const scope = t.watchdog.openScope('job');
  const lease = await scope.run(() => t.lease());
  lease.expectHold(Number.POSITIVE_INFINITY);
  await t.closeByForce();
  scope.end();
  await t.clock.advance(60_000);
  expect(await t.watchdog.check()).toEqual([]);
  await lease.release();
});

test('the end of a watch, unlike that of its component, concludes what was judged', async () => {
  using watchdog = new Watchdog({ clock: new FakeClock() });
  const pool = new MinimalPool('db');
  pool.addResource();
  const watch = watchdog.watch(pool);
  let loan!: number;
  watchdog.scope('job', () => {
    loan = pool.lendWithoutLease();
  });
  pool.takeBack(loan, true);
  watch[Symbol.dispose]();
  pool.takeBack(loan);
  expect(await watchdog.check()).toMatchObject([{ rule: 'orphaned', count: 1 }]);
});

test('ten thousand loans are judged on after a forced close, and older ones stay as they are', async () => {
  using watchdog = new Watchdog({ clock: new FakeClock(), graceMillis: 0 });
  const pool = new MinimalPool('db');
  pool.addResource();
  watchdog.watch(pool);
  const leases: MinimalLease[] = [];
  watchdog.scope('job', () => {
    for (let i = 0; i < 10_001; i++) leases.push(pool.lease());
  });
  for (let loan = 2; loan <= 10_002; loan++) pool.takeBack(loan, true);
  expect(watchdog.stats()).toMatchObject({ lost: 10_001, loansOut: 0 });
  leases.at(0)?.release();
  expect(watchdog.stats().lost).toBe(10_001);
  leases.at(-1)?.release();
  expect(watchdog.stats().lost).toBe(10_000);
  expect(watchdog.heap.stats().liveByKind.get('lease') ?? 0).toBe(0);
  watchdog.heap.assertInvariants();
});
