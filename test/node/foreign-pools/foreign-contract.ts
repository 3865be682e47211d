/** What the watch over a pool of another package guarantees. Each package runs these tests, on a real server if it needs one. */
import { expect, test, vi } from 'vitest';
import { ForeignPool } from '../../../src/node/foreign-pools/foreign-pool.js';
import { watchForeignPools } from '../../../src/node/index.js';
import { type LeakReport, Watchdog } from '../../../src/watchdog/index.js';
import { FakeClock } from '../../kit/fake-clock.js';
import { lineOf } from '../../kit/line-of.js';
import { settle } from '../../kit/settle.js';

/** A pool under test. */
export interface ForeignPeer<R> {
  take(): Promise<R>;
  give(resource: R): unknown;
  /** Has the pool destroy a resource that is lent. */
  destroy(resource: R): unknown;
  end(): unknown;
}

/** A package under test. */
export interface ForeignPackage<R> {
  /** The name of its pools in reports. */
  readonly poolName: string;
  /** Its class, whose methods are replaced. */
  readonly prototype: object;
  readonly patchedMethods: readonly string[];
  make(max: number): ForeignPeer<R>;
  /** A pool whose acquisitions fail. */
  makeBroken(): ForeignPeer<R>;
}

export function keepsTheForeignContract<R>(given: () => ForeignPackage<R>): void {
  function setUp(max = 2, isBroken = false) {
    const clock = new FakeClock();
    const watchdog = new Watchdog({ level: 'advanced', clock, graceMillis: 0 });
    const foreign = watchForeignPools(watchdog);
    const { make, makeBroken } = given();
    const peer = isBroken ? makeBroken() : make(max);
    const retracted: LeakReport[] = [];
    watchdog.on('retracted', (report) => retracted.push(report));
    return {
      peer,
      watchdog,
      foreign,
      retracted,
      async [Symbol.asyncDispose](): Promise<void> {
        await peer.end();
        foreign[Symbol.dispose]();
        watchdog[Symbol.dispose]();
      },
    };
  }

  test('a loan that outlives its scope is named by its line, and retracted when it comes back', async () => {
    await using t = setUp();
    const resource = await t.watchdog.scope('GET /orders', () => t.peer.take()); // the leaking line
    const [report] = await t.watchdog.check();
    expect(report).toMatchObject({
      rule: 'orphaned',
      scope: 'GET /orders',
      component: { kind: 'pool', name: given().poolName },
      count: 1,
    });
    expect(report?.stack.find(({ file }) => file.endsWith('foreign-contract.ts'))?.line).toBe(
      lineOf(import.meta.url, '// the leaking line'),
    );
    expect(report?.state).toMatchObject({ borrowed: 1, max: 2, pending: 0 });
    await t.peer.give(resource);
    expect(await t.watchdog.check()).toEqual([]);
    expect(t.retracted).toHaveLength(1);
    expect(t.watchdog.stats()).toMatchObject({ loans: 1, loansOut: 0 });
  });

  test('a loan that is given back within its scope is no leak, also when it was destroyed', async () => {
    await using t = setUp();
    await t.watchdog.scope('job', async () => {
      await t.peer.give(await t.peer.take());
      await t.peer.destroy(await t.peer.take());
    });
    expect(await t.watchdog.check()).toEqual([]);
    expect(t.watchdog.stats()).toMatchObject({ loans: 2, loansOut: 0 });
  });

  test('a resource that goes straight to a waiter ends one loan and begins the next, of the scope that waited', async () => {
    await using t = setUp(1);
    const first = await t.watchdog.scope('first', () => t.peer.take());
    const waiting = t.watchdog.scope('second', () => t.peer.take());
    await settle();
    await t.peer.give(first);
    const second = await waiting;
    expect(t.watchdog.stats()).toMatchObject({ loans: 2, loansOut: 1 });
    expect((await t.watchdog.check()).map(({ scope }) => scope)).toEqual(['second']);
    await t.peer.give(second);
    expect(await t.watchdog.check()).toEqual([]);
  });

  test('many callers at once, with fewer resources: each loan is counted once and ends once', async () => {
    await using t = setUp(2);
    const job = async (): Promise<void> => {
      const resource = await t.peer.take();
      await settle();
      await t.peer.give(resource);
    };
    await Promise.all(Array.from({ length: 50 }, () => t.watchdog.scope('job', job)));
    expect(await t.watchdog.check()).toEqual([]);
    expect(t.watchdog.stats()).toMatchObject({ loans: 50, loansOut: 0, components: 1 });
  });

  test('an acquisition that fails rejects with the error of the package, and is no loan', async () => {
    await using t = setUp(1, true);
    using refused = vi.spyOn(ForeignPool.prototype, 'refused');
    const failure = await t.peer.take().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Error);
    expect((failure as Error).stack).not.toContain('foreign-pools/known-pools');
    expect(t.watchdog.stats()).toMatchObject({ loans: 0, loansOut: 0 });
    expect(refused).toHaveBeenCalledTimes(1);
  });

  test('a second release does no harm to the loan of the next holder', async () => {
    await using t = setUp(1);
    const first = await t.peer.take();
    await t.peer.give(first);
    const second = await t.watchdog.scope('second', () => t.peer.take());
    expect(t.watchdog.stats().loansOut).toBe(1);
    await t.peer.give(second);
    await Promise.resolve(t.peer)
      .then((peer) => peer.give(second))
      .catch(() => {});
    expect(t.watchdog.stats().loansOut).toBe(0);
  });

  test('the patched methods keep their names and lengths, and the originals come back at the end', () => {
    const { prototype, patchedMethods } = given();
    const read = () =>
      patchedMethods.map((name) => {
        const method = Reflect.get(prototype, name) as { name: string; length: number };
        return { method, shape: `${method.name}/${method.length}` };
      });
    const before = read();
    {
      using watchdog = new Watchdog();
      using _foreign = watchForeignPools(watchdog);
      expect(read().map(({ shape }) => shape)).toEqual(before.map(({ shape }) => shape));
      expect(read().map(({ method }) => method)).not.toContain(before[0]?.method);
    }
    expect(read()).toEqual(before);
  });

  test('when the watch ends, its loans are forgotten and later ones are not seen', async () => {
    await using t = setUp();
    const out = await t.watchdog.scope('job', () => t.peer.take());
    t.foreign[Symbol.dispose]();
    expect(t.watchdog.stats()).toMatchObject({ components: 0, loansOut: 0 });
    await t.peer.give(out);
    const later = await t.watchdog.scope('later', () => t.peer.take());
    expect(t.watchdog.stats()).toMatchObject({ loans: 1, loansOut: 0 });
    await t.peer.give(later);
  });

  test('a watchdog that is off leaves the pool as it is', async () => {
    const watchdog = new Watchdog({ level: 'off' });
    using _foreign = watchForeignPools(watchdog);
    const peer = given().make(1);
    await peer.give(await peer.take());
    await peer.end();
    expect(watchdog.stats()).toMatchObject({ loans: 0, components: 0 });
  });
}
