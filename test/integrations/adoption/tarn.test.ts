import { Pool } from 'tarn';
import { expect, test, vi } from 'vitest';
import { adoptPool } from '../../../src/integrations/tarn.js';
import { ForeignPool } from '../../../src/node/foreign-pools/foreign-pool.js';
import { watchForeignPools } from '../../../src/node/index.js';
import { Watchdog } from '../../../src/watchdog/index.js';
import { keepsTheContract } from './adoption-contract.js';
import { refusesCallersOfAnEndedPeer } from './ended-peer.js';

interface Thing {
  isAlive: boolean;
}

const factory = {
  create: async (): Promise<Thing> => ({ isAlive: true }),
  destroy: async (thing: Thing): Promise<void> => {
    thing.isAlive = false;
  },
};

keepsTheContract<Thing>((max, options) => {
  const peer = new Pool({ ...factory, min: 0, max });
  let isEnded = false;
  peer.on('poolDestroySuccess', () => {
    isEnded = true;
  });
  return {
    pool: adoptPool(peer, options),
    take: () => peer.acquire().promise,
    give: (thing) => peer.release(thing),
    work: async (thing) => expect(thing.isAlive).toBe(true),
    identify: (thing) => thing,
    isEnded: async () => isEnded,
  };
});

refusesCallersOfAnEndedPeer(() => {
  const peer = new Pool({ ...factory, min: 0, max: 1 });
  return {
    pool: adoptPool(peer),
    end: () => peer.destroy(),
    endLoan: (lease) => lease.release(),
  };
}, /is destroyed|aborted/);

test('lease.destroy() settles when the resource is gone, and creates no other', async () => {
  let created = 0;
  const peer = new Pool({
    ...factory,
    create: async () => {
      created++;
      return factory.create();
    },
    min: 0,
    max: 3,
  });
  const warnings: string[] = [];
  Object.assign(peer, { log: (message: string) => warnings.push(message) });
  const pool = adoptPool(peer);
  const leases = [await pool.lease(), await pool.lease(), await pool.lease()];
  const things = leases.map(({ resource }) => resource);
  await leases[0]?.release();
  await leases[1]?.destroy();
  expect(things.map(({ isAlive }) => isAlive)).toEqual([true, false, true]);
  await leases[2]?.destroy();
  expect(things.map(({ isAlive }) => isAlive)).toEqual([true, false, false]);
  expect(pool.stats()).toMatchObject({ size: 1, available: 1, pending: 0 });
  expect([created, warnings]).toEqual([3, []]);
  await pool.close({ endPeer: true });
});

test("the peer's own validation still runs", async () => {
  const peer = new Pool({ ...factory, min: 0, max: 1, validate: (thing) => thing.isAlive });
  const pool = adoptPool(peer);
  const first = await pool.use((thing) => thing);
  first.isAlive = false;
  expect(await pool.use((thing) => thing)).not.toBe(first);
  await pool.close({ endPeer: true });
});

test('a destruction is no refused caller for a watch over the peer', async () => {
  using watchdog = new Watchdog();
  using _foreign = watchForeignPools(watchdog);
  using refused = vi.spyOn(ForeignPool.prototype, 'refused');
  const peer = new Pool({ ...factory, min: 0, max: 1 });
  peer.release(await peer.acquire().promise);
  const pool = adoptPool(peer);
  const lease = await pool.lease();
  await lease.destroy();
  expect(refused).not.toHaveBeenCalled();
  await pool.close({ endPeer: true });
});

test('leases on equal strings, as of a semaphore, end one by one, and a watchdog tells of no return past a lease', async () => {
  const peer = new Pool({ create: async () => 'permit', destroy: () => {}, min: 0, max: 3 });
  using watchdog = new Watchdog({ level: 'simple', graceMillis: 0 });
  const pool = adoptPool(peer);
  watchdog.watch(pool);
  const [first, second, third] = [await pool.lease(), await pool.lease(), await pool.lease()];
  await watchdog.check();
  await first.release();
  await watchdog.check();
  expect([pool.loans().length, peer.numUsed()]).toEqual([2, 2]);
  await third.destroy();
  await second.release();
  expect([pool.loans().length, peer.numUsed()]).toEqual([0, 0]);
  expect(pool.stats().destroyedBy).toEqual({ discarded: 1 });
  expect(await watchdog.check()).toEqual([]);
  await pool.close({ endPeer: true });
});
