import { expect, test } from 'vitest';
import { runAsOwner } from '../../src/core/current-owner.js';
import { disposal } from '../../src/memoize/disposal/index.js';
import { memoize } from '../../src/memoize/index.js';
import { createPool, type Lease, type Pool } from '../../src/pool/index.js';
import { RefCounted } from '../../src/scope/index.js';
import { allowLeaks } from '../../src/testing/index.js';
import { InvalidArgumentError, Watchdog } from '../../src/watchdog/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gate, Gates } from '../kit/gate.js';
import { settle } from '../kit/settle.js';
import { MinimalPool } from './minimal-pool.js';
import { observerOf } from './observer-of.js';

function watched() {
  const clock = new FakeClock();
  const watchdog = new Watchdog({ level: 'advanced', clock, graceMillis: 0 });
  const pool = createPool({ create: () => ({}), destroy: () => {} }, { name: 'db', clock });
  watchdog.watch(pool);
  return {
    watchdog,
    pool,
    clock,
    async [Symbol.asyncDispose]() {
      await pool.close({ graceMillis: 0, force: true });
      watchdog[Symbol.dispose]();
    },
  };
}

test('a lease that is handed over belongs to the other scope, and is lost when that ends', async () => {
  await using t = watched();
  const upload = t.watchdog.openScope('upload');
  const lease = await t.watchdog.scope('POST /files', async () => {
    const taken = await t.pool.lease();
    taken.transfer(upload);
    return taken;
  });
  expect(await t.watchdog.check()).toEqual([]);
  upload[Symbol.dispose]();
  expect(upload.ended).toBe(true);
  expect(await t.watchdog.check()).toMatchObject([{ rule: 'orphaned', scope: 'upload', count: 1 }]);
  await lease.release();
  expect(await t.watchdog.check()).toEqual([]);
});

test('an orphan that finds a holder is no longer lost', async () => {
  await using t = watched();
  const lease = await t.watchdog.scope('GET /', () => t.pool.lease());
  expect(await t.watchdog.check()).toHaveLength(1);
  t.watchdog.handOver(lease, 'process');
  expect([await t.watchdog.check(), t.watchdog.stats().lost]).toEqual([[], 0]);
  await lease.release();
});

test("a hand-over is refused to what is no lease, and to a scope that has ended or is another watchdog's", async () => {
  await using t = watched();
  using other = new Watchdog();
  const lease = await t.pool.lease();
  const [ended, foreign] = [t.watchdog.openScope('ended'), other.openScope('foreign')];
  ended[Symbol.dispose]();
  for (const to of [ended, foreign, {}, undefined, 'elsewhere']) {
    expect(() => t.watchdog.handOver(lease, to as never)).toThrow(InvalidArgumentError);
  }
  expect(() => t.watchdog.handOver({} as never, 'process')).toThrow(InvalidArgumentError);
  expect(() => lease.transfer(undefined as never)).toThrow(InvalidArgumentError);
  expect(() => t.watchdog.openScope('')).toThrow(InvalidArgumentError);
  await lease.release();
  lease.transfer(t.watchdog.openScope('late')); // The loan has ended: without effect.
  expect(await t.watchdog.check()).toEqual([]);
});

test('a hand-over without a watchdog, and at the level off, has no effect', async () => {
  await using pool = createPool({ create: () => ({}), destroy: () => {} });
  using off = new Watchdog({ level: 'off' });
  const lease = await pool.lease();
  off.handOver(lease, off.openScope('ended from the start'));
  lease.transfer({});
  expect(off.openScope('x').run(() => 7)).toBe(7);
  expect([off.stats().scopes, off.scope('x', (scope) => scope.ended)]).toEqual([0, true]);
  await lease.release();
});

test('leases that no watchdog watches can be handed over, whatever gives them', async () => {
  using watchdog = new Watchdog();
  await using pool = createPool({ create: () => ({}), destroy: () => {} });
  await using shared = new RefCounted(() => ({}), { dispose: () => {} });
  const cached = memoize((id: number) => ({ id }), { dispose: disposal(() => {}) });
  using pooled = await pool.lease();
  using sharedLease = await shared.acquire();
  using cachedLease = cached.lease(1);
  for (const lease of [pooled, sharedLease, cachedLease]) watchdog.handOver(lease, 'process');
  expect(await watchdog.check()).toEqual([]);
});

test('a report has the path from a root, the counters of the site, and the owner', async () => {
  await using t = watched();
  await t.watchdog.scope('GET /orders/7', async () => {
    const take = () => t.pool.lease();
    await (await take()).release();
    await take();
  });
  const [leak] = await t.watchdog.check();
  expect(leak?.path?.at(0)).toBe('pool "db"');
  expect(leak?.path?.at(-1)).toMatch(
    /^lease "db" .*owners\.test\.ts:\d+:\d+ in GET \/orders\/:id$/,
  );
  expect(leak?.counters).toMatchObject({ born: 2, live: [1, 0, 0], freed: [1, 0, 0] });
});

test('full collections are counted by the heap, begun by time in a quiet service', async () => {
  await using t = watched();
  const collections = (): number => t.watchdog.heap.gc.getStats()[2].collections;
  expect(collections()).toBe(0);
  await t.clock.advance(600_000);
  expect(collections()).toBeGreaterThanOrEqual(9);
  expect(t.clock.foregroundTimers).toBe(0);
});

test("full collections follow CPython's rule in a busy service that grows", async () => {
  using watchdog = new Watchdog({ clock: new FakeClock(), youngCollectionEvery: 10 });
  const pool = new MinimalPool();
  watchdog.watch(pool);
  for (let i = 0; i < 5_000; i++) pool.addResource();
  const [young, middle, full] = watchdog.heap.gc.getStats().map(({ collections }) => collections);
  expect([young, middle].every((count = 0) => count > 10)).toBe(true);
  expect(full).toBeGreaterThan(2);
  expect(watchdog.heap.stats().promoted[0]).toBeGreaterThan(0);
});

test('a component that has ended is no longer watched, once its loans have come back', async () => {
  await using t = watched();
  const lease = await t.pool.lease();
  const closing = t.pool.close();
  expect(t.watchdog.stats().components).toBe(1);
  await lease.release();
  await closing;
  expect(t.watchdog.stats()).toMatchObject({ components: 0, loansOut: 0 });
  t.watchdog.heap.assertInvariants();
});

test('an expectation is refused for what cannot be collected, and for an empty reason', () => {
  using watchdog = new Watchdog();
  expect(() => watchdog.expectCollected(7 as never, 'a number')).toThrow(InvalidArgumentError);
  expect(() => watchdog.expectCollected({}, '')).toThrow(InvalidArgumentError);
});

test('a node that is removed orphans a new loan that belongs to what the node held', async () => {
  await using t = watched();
  const observer = observerOf(t.watchdog);
  const entry = observer.allocated('entry', observer.root);
  const node = observer.allocated('value', entry);
  const lease = await runAsOwner({ observer, node }, () => t.pool.lease());
  observer.freed(entry);
  expect(await t.watchdog.check()).toMatchObject([{ rule: 'orphaned', count: 1 }]);
  await lease.release();
});

test('the removal of a node that no loan refers to settles none', async () => {
  await using t = watched();
  const observer = observerOf(t.watchdog);
  const entry = observer.allocated('entry', observer.root);
  const lease = await t.pool.lease();
  await t.clock.advance(50);
  observer.freed(entry);
  expect(t.watchdog.oldestLoanMillis()).toBe(0);
  await lease.release();
});

/** Ways in which a creation comes to nothing, in a pool with this `max`. */
const FAILED_CREATIONS: Readonly<Record<string, { max: number; play: (t: Creations) => unknown }>> =
  {
    'fails at once': {
      max: 1,
      async play({ outer, creates }) {
        const asked = outer.lease().catch(() => {});
        await settle();
        creates.at(0).fail('refused');
        await asked;
      },
    },
    'fails after its timeout': {
      max: 1,
      async play({ outer, creates, clock }) {
        const asked = outer.lease().catch(() => {});
        await clock.advance(1_000);
        await asked;
        creates.at(0).fail('refused');
      },
    },
    'succeeds after its timeout, and another has its place': {
      max: 1,
      async play(t) {
        const asked = t.outer.lease().catch(() => {});
        await t.clock.advance(1_000);
        await asked;
        await leaseMade(t, 1);
        t.creates.at(0).open();
      },
    },
    'gives an object that the pool has': {
      max: 2,
      async play(t) {
        await leaseMade(t, 0);
        const asked = t.outer.lease().catch(() => {});
        await settle();
        t.creates.at(1).open();
        await asked;
      },
    },
    'gives an object that the pool has, after its timeout': {
      max: 2,
      async play(t) {
        await leaseMade(t, 0);
        const asked = t.outer.lease().catch(() => {});
        await t.clock.advance(1_000);
        await asked;
        t.creates.at(1).open();
      },
    },
  };

/** A pool whose `create` leases of another pool, and gives always the same object. */
interface Creations {
  readonly outer: Pool<object>;
  readonly creates: Gates;
  readonly clock: FakeClock;
  /** Has the next creation lease nothing. */
  keepsNext(): void;
}

/** Leases a resource whose creation, the one at `place`, leases nothing. */
async function leaseMade({ outer, creates, keepsNext }: Creations, place: number): Promise<void> {
  keepsNext();
  const lease = outer.lease();
  await settle();
  creates.at(place).open();
  await lease;
}

test.each(Object.entries(FAILED_CREATIONS))(
  'what a creation has leased is lost when it %s',
  async (_, { max, play }) => {
    allowLeaks();
    const clock = new FakeClock();
    using watchdog = new Watchdog({ clock, graceMillis: 0 });
    const inner = createPool({ create: () => ({}), destroy: () => {} }, { name: 'inner', clock });
    const creates = new Gates();
    const resource = {};
    let leasesNothing = false;
    const outer = createPool(
      {
        async create() {
          const gate = creates.next();
          if (!leasesNothing) await inner.lease();
          leasesNothing = false;
          await gate;
          return resource;
        },
        destroy: () => {},
      },
      { max, clock, createTimeoutMillis: 1_000, createAttempts: 1 },
    );
    watchdog.watch(inner);
    watchdog.watch(outer);
    const keepsNext = (): void => {
      leasesNothing = true;
    };
    await play({ outer, creates, clock, keepsNext });
    await settle();
    expect(await watchdog.check()).toMatchObject([{ rule: 'orphaned', count: 1 }]);
    const closed = [outer, inner].map((pool) => pool.close({ graceMillis: 0, force: true }));
    await clock.advance(10_000);
    await Promise.all(closed);
  },
);

test.each(['clear', 'delete'] as const)(
  'an entry that leaves by %s has what it leased until its result is disposed of',
  async (how) => {
    await using t = watched();
    const told: string[] = [];
    t.watchdog.on('leak', ({ rule }) => told.push(rule));
    const end = new Gate();
    const connection = memoize(async (_key: string) => t.pool.lease(), {
      dispose: disposal(async (lease) => {
        await end.passed;
        await lease.release();
      }),
    });
    t.watchdog.watch(connection);
    await t.watchdog.scope('GET /', () => connection('a'));
    if (how === 'clear') connection.clear();
    else connection.delete('a');
    await t.clock.advance(30_000);
    expect(await t.watchdog.check()).toEqual([]);
    end.open();
    await settle();
    expect([t.pool.borrowed, told]).toEqual([0, []]);
  },
);

test.each(['a cached result', 'a shared value'])(
  'what was leased for %s is a suspect when its disposal takes more than four minutes',
  async (kind) => {
    await using t = watched();
    const end = new Gate();
    const hangs = async (lease: Lease<object>): Promise<void> => {
      await end.passed;
      await lease.release();
    };
    const create = (): Promise<Lease<object>> => t.pool.lease();
    const traffic = async (minutes: number): Promise<void> => {
      for (let minute = 0; minute < minutes; minute++) {
        for (let i = 0; i < 1_500; i++) await t.pool.use(() => {});
        await t.clock.advance(60_000);
      }
    };
    let dispose: () => unknown;
    if (kind === 'a cached result') {
      const cached = memoize(async (_key: string) => create(), { dispose: disposal(hangs) });
      t.watchdog.watch(cached);
      await cached('a');
      dispose = () => cached.delete('a');
    } else {
      const shared = new RefCounted(create, { dispose: hangs, clock: t.clock });
      t.watchdog.watch(shared);
      const lease = await shared.acquire();
      dispose = () => {
        void lease.release();
        void shared.invalidate();
      };
    }
    await traffic(30);
    dispose();
    await settle();
    await traffic(3);
    expect(await t.watchdog.check()).toEqual([]);
    await traffic(3);
    expect(await t.watchdog.check()).toMatchObject([
      { rule: 'tenured', certainty: 'suspect', count: 1, component: { name: 'db' } },
    ]);
    end.open();
    await settle();
    expect(await t.watchdog.check()).toEqual([]);
  },
);
