/** The rule *double-release*: a loan that is ended twice is told, also when the caller swallows the error. */
import { expect, test } from 'vitest';
import { createPool } from '../../src/pool/index.js';
import {
  formatReport,
  type LeakReport,
  LeaksFoundError,
  Watchdog,
  type WatchdogOptions,
} from '../../src/watchdog/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { lineOf } from '../kit/line-of.js';

function service(options: WatchdogOptions = {}) {
  const clock = new FakeClock();
  const watchdog = new Watchdog({ level: 'advanced', clock, ...options });
  const pool = createPool({ create: () => ({}), destroy: () => {} }, { name: 'db', clock });
  watchdog.watch(pool);
  const told: LeakReport[] = [];
  watchdog.on('leak', (report) => told.push(report));
  return {
    watchdog,
    pool,
    told,
    async [Symbol.asyncDispose](): Promise<void> {
      await pool.close();
      watchdog[Symbol.dispose]();
    },
  };
}

const swallow = (body: () => unknown): void => {
  try {
    body();
  } catch {
    // As a caller does who takes the error for harmless.
  }
};

test('a double release whose error is swallowed is told, with both lines', async () => {
  await using t = service();
  for (let i = 0; i < 3; i++) {
    await t.watchdog.scope(`GET /twice/${i}`, async () => {
      const lease = await t.pool.lease();
      void lease.release(); // the first release
      swallow(() => lease.release()); // the second release
    });
  }
  const reports = await t.watchdog.check();
  expect(reports).toMatchObject([
    {
      rule: 'double-release',
      certainty: 'certain',
      component: { kind: 'pool', name: 'db' },
      count: 3,
      call: 'release',
      scope: 'GET /twice/:id',
      site: { line: lineOf(import.meta.url, '// the second release') },
      earlier: { line: lineOf(import.meta.url, '// the first release') },
    },
  ]);
  expect(t.told.map(({ count }) => count)).toEqual([1, 2]);
  const text = formatReport(reports);
  expect(text).toContain('MISUSE  3 loans ended twice');
  expect(text).toMatch(/ {2}first ended {2}test\/watchdog\/double-release.test.ts:\d+/);
  expect(text).toMatch(/ {2}ended again {2}test\/watchdog\/double-release.test.ts:\d+/);
  expect(t.watchdog.stats()).toMatchObject({ lost: 0, loansOut: 0, retracted: 0 });
  await expect(t.watchdog.assertNoLeaks()).rejects.toThrow(LeaksFoundError);
});

test('each way to end a loan twice is told', async () => {
  await using t = service();
  const destroyed = await t.pool.lease();
  await destroyed.destroy();
  swallow(() => destroyed.release());
  await destroyed.destroy().catch(() => {});
  const detached = await t.pool.lease();
  detached.detach();
  swallow(() => detached.detach());
  const acquired = await t.pool.acquire();
  await t.pool.release(acquired);
  await Promise.resolve(t.pool.release(acquired)).catch(() => {});
  const gone = await t.pool.acquire();
  await t.pool.destroy(gone);
  await Promise.resolve(t.pool.release(gone)).catch(() => {});
  const calls = (await t.watchdog.check()).map(({ rule, call }) => `${rule} by ${call}`);
  expect(calls.sort()).toEqual([
    'double-release by destroy',
    'double-release by detach',
    'double-release by release',
    'double-release by release',
    'double-release by release',
  ]);
});

test('what is allowed is not told: disposing after a release, and a release after a forced close', async () => {
  await using t = service();
  {
    await using lease = await t.pool.lease();
    void lease.release();
  }
  const late = await t.pool.lease();
  await t.pool.close({ graceMillis: 0, force: true });
  void late.release();
  expect((await t.watchdog.check()).map(({ rule }) => rule)).toEqual([]);
});

test('lost loans and loans that ended twice are counted apart', async () => {
  await using t = service();
  const lost = await t.watchdog.scope('GET /', () => t.pool.lease());
  const lease = await t.pool.lease();
  void lease.release();
  swallow(() => lease.release());
  const text = formatReport(await t.watchdog.check());
  expect(text).toContain('LEAK LIKELY  1 leak, 1 lost loan, 1 loan ended twice');
  expect(t.watchdog.stats().lost).toBe(1);
  void lost.release();
});

test('the rule can be switched off, and a pool without a watchdog just throws', async () => {
  await using t = service({ rules: { 'double-release': false } });
  const twice = async (): Promise<void> => {
    const lease = await t.pool.lease();
    void lease.release();
    expect(() => lease.release()).toThrow('released already');
  };
  await twice();
  expect(await t.watchdog.check()).toEqual([]);
  t.watchdog[Symbol.dispose]();
  await twice();
});
