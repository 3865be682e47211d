import { afterEach, expect, test, vi } from 'vitest';
import { CeilingShare } from '../../src/pool/ceiling/ceiling-share.js';
import { createKeyedPool, type KeyedPoolOptions, type Lease } from '../../src/pool/index.js';

afterEach(() => {
  vi.restoreAllMocks();
});

const LOOKS = ['size', 'shortfall', 'idle', 'firstTicket'] as const;

/** How often a ceiling looks at one of its pools while `work` runs with this many keys. */
async function looksAt(keys: number, work: (keys: number) => Promise<void>): Promise<number> {
  const spies = [
    vi.spyOn(CeilingShare.prototype, 'isStarved'),
    ...LOOKS.map((name) => vi.spyOn(CeilingShare.prototype, name, 'get')),
  ];
  await work(keys);
  const looks = spies.reduce((sum, { mock }) => sum + mock.calls.length, 0);
  vi.restoreAllMocks();
  return looks;
}

const pools = (options: KeyedPoolOptions) =>
  createKeyedPool(() => ({ create: async () => ({}), destroy: async () => {} }), options);

/** Lends a resource of each key. */
const lendAll = (
  pool: ReturnType<typeof pools>,
  keys: number,
  from = 0,
): Promise<Lease<object>[]> =>
  Promise.all(Array.from({ length: keys }, (_, key) => pool.lease(from + key)));

const WORK: Readonly<Record<string, (keys: number) => Promise<void>>> = {
  async 'callers of all keys wait for two places'(keys) {
    const pool = pools({ maxTotal: 2 });
    await Promise.all(Array.from({ length: keys }, (_, key) => pool.use(key, async () => {})));
    await pool.close();
  },
  async 'callers of all keys leave the queue'(keys) {
    const pool = pools({ maxTotal: 1 });
    const held = await pool.lease('held');
    const waiting = Array.from({ length: keys }, (_, key) => {
      const controller = new AbortController();
      const left = pool.lease(key, { signal: controller.signal }).catch(() => {});
      return { controller, left };
    });
    await Promise.resolve();
    for (const { controller } of waiting) controller.abort();
    await Promise.all(waiting.map(({ left }) => left));
    await held.release();
    await pool.close();
  },
  async 'each key gives up its idle resource to another'(keys) {
    const pool = pools({ maxTotal: keys });
    for (const lease of await lendAll(pool, keys)) void lease.release();
    for (const lease of await lendAll(pool, keys, keys)) void lease.release();
    await pool.close();
  },
  async 'all keys want to fill up, and there is room for two'(keys) {
    const pool = pools({ min: 1, maxTotal: 2 });
    for (let key = 0; key < keys; key++) pool.pool(key).start();
    for (let i = 0; i < keys; i++) await (await pool.lease(i % 2)).destroy();
    await pool.close();
  },
  async 'the limit becomes one'(keys) {
    const pool = pools({ maxTotal: keys });
    for (const lease of await lendAll(pool, keys)) void lease.release();
    pool.resize({ maxTotal: 1 });
    await pool.close();
  },
};

test.each(Object.entries(WORK))(
  'the work for a key does not grow with the keys when %s',
  async (_, work) => {
    const few = await looksAt(20, work);
    const many = await looksAt(200, work);
    expect(few).toBeGreaterThan(20);
    expect(many / few, 'ten times the keys').toBeLessThan(15);
  },
);
