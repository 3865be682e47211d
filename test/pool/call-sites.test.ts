import { expect, test } from 'vitest';
import {
  createKeyedPool,
  createPool,
  type LeasesOutError,
  type PoolOptions,
} from '../../src/pool/index.js';
import { allowLeaks } from '../../src/testing/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { lineOf } from '../kit/line-of.js';
import { outcomeOf, rejection } from './outcome.js';
import { StrictFactory } from './strict-factory.js';

const HERE = 'test/pool/call-sites.test.ts';

function at(lineNumber: number): string {
  return `${HERE}:${lineNumber}:`;
}

function poolOf(options: PoolOptions = {}) {
  const clock = new FakeClock();
  return {
    clock,
    pool: createPool(new StrictFactory(200), { name: 'db', max: 2, clock, ...options }),
  };
}

test('an acquire timeout names the lines of the holders, so a nested lease is seen at once', async () => {
  const { pool, clock } = poolOf({ max: 1 });
  async function loadOrder() {
    await using _outer = await pool.lease(); // the outer lease
    await pool.lease({ timeoutMillis: 100 });
  }
  const loading = outcomeOf(loadOrder());
  await clock.advance(100);
  const outcome = loading();
  const message = outcome.is === 'rejected' ? String(outcome.error) : outcome.is;
  expect(message).toContain(at(lineOf(import.meta.url, 'the outer lease')));
  expect(message).toContain('in loadOrder');
});

test('close reports each loan that is still out, with its function, its age and its line', async () => {
  const { pool, clock } = poolOf();
  async function forget() {
    await pool.acquire(); // forgotten
  }
  await forget();
  await clock.advance(3_000);
  const error = (await rejection(pool.close({ graceMillis: 0 }))) as LeasesOutError;
  expect(error.loans).toHaveLength(1);
  expect(error.loans[0]).toMatchObject({ takenBy: 'acquire', holder: 'forget', heldMillis: 3_000 });
  expect(error.loans[0]?.site).toContain(at(lineOf(import.meta.url, '// forgotten')));
  expect(error.message).toContain(at(lineOf(import.meta.url, '// forgotten')));
  await pool.close({ graceMillis: 0, force: true });
});

test('the error of a lease that is ended twice names both lines', async () => {
  const { pool } = poolOf();
  const lease = await pool.lease();
  void lease.release(); // the first end
  let message = '';
  try {
    void lease.release(); // the second end
  } catch (error) {
    message = String(error);
  }
  expect(message).toContain(`already at ${at(lineOf(import.meta.url, 'the first end'))}`);
  expect(message).toContain(`again at ${at(lineOf(import.meta.url, 'the second end'))}`);
  expect(() => lease.resource).toThrow(
    `released at ${at(lineOf(import.meta.url, 'the first end'))}`,
  );
});

test('the error of a bare resource that is given back twice names both lines', async () => {
  const { pool } = poolOf();
  const resource = await pool.acquire();
  await pool.release(resource); // the first release
  const twice = String(await rejection(pool.release(resource))); // the second release
  expect(twice).toContain(`already at ${at(lineOf(import.meta.url, 'the first release'))}`);
  expect(twice).toContain(`again at ${at(lineOf(import.meta.url, 'the second release'))}`);
  const other = await pool.acquire();
  await pool.destroy(other); // the destruction
  const late = String(await rejection(pool.release(other))); // the late release
  expect(late).toContain(`already at ${at(lineOf(import.meta.url, 'the destruction'))}`);
  expect(late).toContain(`again at ${at(lineOf(import.meta.url, 'the late release'))}`);
});

test('a second release is never taken for a release by the next holder', async () => {
  allowLeaks();
  const { pool } = poolOf({ max: 1 });
  const first = await pool.lease();
  void first.release();
  const second = await pool.lease();
  expect(() => first.release()).toThrow(/released already/);
  expect([second.resource.id, pool.borrowed]).toEqual([0, 1]);
});

test('lines are captured for the first loans in each second, for all loans, or for none', async () => {
  const taken: Record<string, number> = {};
  for (const callSites of ['sampled', 'all', 'none'] as const) {
    const { pool, clock } = poolOf({ max: 200, callSites });
    for (let i = 0; i < 100; i++) await pool.acquire();
    await clock.advance(1_000);
    for (let i = 0; i < 100; i++) await pool.acquire();
    taken[callSites] = pool.loans().filter(({ site }) => site !== undefined).length;
    await pool.close({ graceMillis: 0, force: true });
  }
  expect(taken).toEqual({ sampled: 128, all: 200, none: 0 });
});

test('a second after one with more than 1,600 loans has the lines of 16', async () => {
  const { pool, clock } = poolOf({ max: 200 });
  for (let i = 0; i < 1_601; i++) await pool.use(() => {});
  await clock.advance(1_000);
  for (let i = 0; i < 100; i++) await pool.acquire();
  expect(pool.loans().filter(({ site }) => site !== undefined)).toHaveLength(16);
  await pool.close({ graceMillis: 0, force: true });
});

test('a sample lasts a second, however often the pool looks for idle resources', async () => {
  const { pool, clock } = poolOf({ max: 200, evictionRunIntervalMillis: 100 });
  for (const ticks of [5, 4, 0]) {
    for (let i = 0; i < 66; i++) await pool.acquire();
    for (let i = 0; i < ticks; i++) await clock.advance(100);
  }
  expect(pool.loans().filter(({ site }) => site !== undefined)).toHaveLength(128);
  await pool.close({ graceMillis: 0, force: true });
});

test('the pools of a keyed pool share one sample, and those that are forgotten at once leave it to the next', async () => {
  const clock = new FakeClock();
  const pools = createKeyedPool(() => new StrictFactory(1_000), { maxTotal: 200, clock });
  const linesOf = async (first: number): Promise<number> => {
    const leases = [];
    for (let key = first; key < first + 100; key++) leases.push(await pools.lease(key));
    const lines = pools.loans().filter(({ site }) => site !== undefined);
    for (const lease of leases) await lease.destroy();
    return lines.length;
  };
  expect(await linesOf(0)).toBe(64);
  clock.jump(500);
  expect(await linesOf(100), 'in the same second').toBe(0);
  clock.jump(500);
  expect(await linesOf(200), 'a second later, although no pool has lived so long').toBe(64);
  await pools.close();
});
