import { expect, test } from 'vitest';
import { Watchdog } from '../../src/watchdog/index.js';
import { settle } from '../kit/settle.js';
import { watchedPool } from './watched-pool.js';

test('a check of a scope tells its loans and those of scopes within it, and no others', async () => {
  using t = watchedPool();
  const lose = (): unknown => t.pool.lease(); // One line for every loan.
  const [first, second, clean] = ['first', 'second', 'clean'].map((name) =>
    t.watchdog.openScope(name),
  );
  first?.run(lose);
  second?.run(lose);
  second?.run(() => t.watchdog.scope('within', lose));
  for (const scope of [first, second, clean]) scope?.end();
  const countOf = async (scope = first): Promise<number[]> =>
    (await t.watchdog.check(scope && { scope })).map(({ count }) => count);
  expect(await countOf(first)).toEqual([1]);
  expect(await countOf(second)).toEqual([2]);
  expect(await countOf(clean)).toEqual([]);
  expect((await t.watchdog.check()).map(({ count }) => count)).toEqual([3]);
  const [report] = await t.watchdog.check(second && { scope: second });
  expect(report?.scopes.map(({ scope }) => scope).sort()).toEqual(['second', 'second > within']);
});

test('a check of a scope waits for its own loans only', async () => {
  using t = watchedPool();
  const [mine, other] = [t.watchdog.openScope('mine'), t.watchdog.openScope('other')];
  const lease = mine.run(() => t.pool.lease());
  other.run(() => t.pool.lease());
  mine.end();
  other.end();
  let found: unknown;
  const check = t.watchdog.check({ scope: mine, graceMillis: 100 }).then((reports) => {
    found = reports;
  });
  await settle();
  expect(found).toBe(undefined);
  lease.release();
  await check;
  expect(found).toEqual([]);
});

test.each([['of its scope'], ['of all']])(
  'a check %s judges the loans again whose expected time is over',
  async (whose) => {
    using t = watchedPool();
    const scope = t.watchdog.openScope('export');
    const lease = await scope.run(() => t.pool.lease());
    lease.expectHold(5_000);
    scope.end();
    const countOf = async (): Promise<number[]> => {
      const reports = await t.watchdog.check(whose === 'of all' ? {} : { scope });
      return reports.map(({ count }) => count);
    };
    expect(await countOf()).toEqual([]);
    await t.clock.advance(6_000);
    expect(await countOf()).toEqual([1]);
  },
);

test('the scope of a check has to be an open scope', async () => {
  using t = watchedPool();
  await expect(t.watchdog.check({ scope: 'name' as never })).rejects.toThrow(
    'watchdog.check: `scope` must be a scope of watchdog.openScope(), got "name".',
  );
  using off = new Watchdog({ level: 'off' });
  expect(await off.check({ scope: off.openScope('nothing') })).toEqual([]);
});
