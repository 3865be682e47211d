/** `isInUse` of a factory: a watchdog does not suspect a loan while the pool says that its holder uses it. */
import { expect, test, vi } from 'vitest';
import { createKeyedPool, createPool, type Factory } from '../../src/pool/index.js';
import { Watchdog } from '../../src/watchdog/index.js';
import { FakeClock } from '../kit/fake-clock.js';

class Subscriber {
  isSubscribed = false;
}

function setUp(isInUse: Factory<Subscriber>['isInUse'] = ({ isSubscribed }) => isSubscribed) {
  const clock = new FakeClock();
  const factory: Factory<Subscriber> = {
    create: () => new Subscriber(),
    destroy() {},
    isInUse,
  };
  const watchdog = new Watchdog({ clock });
  return {
    clock,
    factory,
    watchdog,
    /** Minutes of short loans. */
    async passMinutes(use: () => Promise<unknown>): Promise<void> {
      for (let minute = 0; minute < 3; minute++) {
        for (let i = 0; i < 1_500; i++) await watchdog.scope('job', use);
        await clock.advance(60_000);
      }
    },
    [Symbol.dispose]: () => watchdog[Symbol.dispose](),
  };
}

test.each(['createPool', 'createKeyedPool'] as const)(
  '%s: a loan in use is no suspect, until it is used no more',
  async (kind) => {
    using t = setUp();
    const options = { max: 2, clock: t.clock };
    const opened = {
      createPool() {
        const pool = createPool(t.factory, options);
        return { pool, take: () => pool.lease(), use: () => pool.use(() => {}) };
      },
      createKeyedPool() {
        const pool = createKeyedPool<string, Subscriber>(() => t.factory, options);
        return {
          pool,
          take: () => pool.lease('a'),
          use: () => pool.use('a', () => {}),
        };
      },
    }[kind]();
    t.watchdog.watch(opened.pool);
    const lease = await opened.take();
    lease.resource.isSubscribed = true;
    await t.passMinutes(opened.use);
    expect(await t.watchdog.check()).toEqual([]);
    lease.resource.isSubscribed = false;
    await t.passMinutes(opened.use);
    expect(await t.watchdog.check()).toMatchObject([
      { rule: 'tenured', count: 1, lastTouch: { hint: 'in use' } },
    ]);
    void lease.release();
  },
);

test('is not asked of a loan that is out for less than a second', async () => {
  const isInUse = vi.fn(() => true);
  using t = setUp(isInUse);
  const pool = createPool(t.factory, { clock: t.clock });
  t.watchdog.watch(pool);
  const lease = await pool.lease();
  await t.watchdog.check();
  expect(isInUse).not.toHaveBeenCalled();
  await t.clock.advance(1_500);
  await t.watchdog.check();
  expect(isInUse).toHaveBeenCalledWith(lease.resource);
  void lease.release();
});

test('an error of it is printed, and the loan counts as one that is not in use', async () => {
  const print = vi.spyOn(console, 'error').mockImplementation(() => {});
  using t = setUp(() => {
    throw new Error('not connected');
  });
  const pool = createPool(t.factory, { max: 2, clock: t.clock });
  t.watchdog.watch(pool);
  await pool.acquire();
  await t.passMinutes(() => pool.use(() => {}));
  expect(await t.watchdog.check()).toMatchObject([{ rule: 'tenured', count: 1 }]);
  expect(String(print.mock.calls[0])).toContain("the factory's isInUse");
  print.mockRestore();
});
