import genericPool from 'generic-pool';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type AdoptedPool, adoptPool } from '../../../src/integrations/generic-pool.js';
import { watchForeignPools } from '../../../src/node/index.js';
import type { Lease } from '../../../src/pool/index.js';
import { Watchdog } from '../../../src/watchdog/index.js';
import { FailingClock } from '../../kit/failing-clock.js';
import { FakeClock } from '../../kit/fake-clock.js';
import { Gates } from '../../kit/gate.js';
import { settle } from '../../kit/settle.js';
import { keepsTheContract } from './adoption-contract.js';

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
  const peer = genericPool.createPool(factory, { max });
  return {
    pool: adoptPool(peer, options),
    take: () => peer.acquire(),
    give: (thing) => peer.release(thing),
    work: async (thing) => expect(thing.isAlive).toBe(true),
    identify: (thing) => thing,
    isEnded: async () =>
      peer.acquire().then(
        async (thing) => {
          await peer.release(thing);
          return false;
        },
        () => true,
      ),
  };
});

/** In which order callers of two priorities are served when a lease ends. The one of the lower priority asks first. */
async function orderOfPriorities(pool: AdoptedPool<Thing>, lease: Lease<Thing>): Promise<string[]> {
  const order: string[] = [];
  const waiting = [
    pool.use(() => order.push('later'), { priority: 1 }),
    pool.use(() => order.push('sooner'), { priority: 0 }),
  ];
  await lease.release();
  await Promise.all(waiting);
  return order;
}

test('a priority is passed to the peer', async () => {
  const peer = genericPool.createPool(factory, { max: 1, priorityRange: 2 });
  const pool = adoptPool(peer);
  const first = await pool.lease();
  expect(await orderOfPriorities(pool, first)).toEqual(['sooner', 'later']);
  await pool.close({ endPeer: true });
});

test('an adopted pool is exhausted although the peer refuses its callers before anybody looks', async () => {
  const clock = new FakeClock();
  using watchdog = new Watchdog({ clock, graceMillis: 0 });
  const peer = genericPool.createPool(factory, { max: 1, maxWaitingClients: 0 });
  const pool = adoptPool(peer, { clock });
  watchdog.watch(pool);
  const lost = await pool.lease();
  for (let i = 0; i < 8; i++) {
    await expect(pool.lease()).rejects.toThrow('max waitingClients');
    await clock.advance(10_000);
  }
  expect(await watchdog.check()).toMatchObject([{ rule: 'exhausted', count: 1 }]);
  expect(pool.stats().refusals).toBe(8);
  await lost.release();
  await pool.close({ endPeer: true });
});

test.each([['alone'], ['beside a watch over the peer']])(
  'an adopted pool is not exhausted while other users of the peer give back what they take; %s',
  async (how) => {
    const clock = new FakeClock();
    using watchdog = new Watchdog({ clock, graceMillis: 0 });
    using _foreign = how === 'alone' ? undefined : watchForeignPools(watchdog);
    const peer = genericPool.createPool(factory, { max: 2, priorityRange: 2 });
    const pool = adoptPool(peer, { clock });
    watchdog.watch(pool);
    const held = await pool.lease();
    let other = await peer.acquire();
    const waiting = pool.lease({ timeoutMillis: 600_000, priority: 1 });
    const told: string[] = [];
    watchdog.on('leak', ({ rule }) => told.push(rule));
    for (let i = 0; i < 20; i++) {
      const next = peer.acquire(0);
      await clock.advance(10_000);
      expect(told).toEqual([]);
      await peer.release(other);
      other = await next;
    }
    await clock.advance(80_000);
    expect(await watchdog.check()).toContainEqual(
      expect.objectContaining({
        rule: 'exhausted',
        component: expect.objectContaining({ name: pool.name }),
      }),
    );
    await peer.release(other);
    await (await waiting).release();
    await held.release();
    await pool.close({ endPeer: true });
  },
);

test('callers that leave while the peer hangs leave it no more requests than there were at one time', async () => {
  const peer = genericPool.createPool(factory, { max: 1 });
  const pool = adoptPool(peer);
  const lease = await pool.lease();
  for (let round = 0; round < 20; round++) {
    const callers = Array.from({ length: 3 }, () => new AbortController());
    const waits = callers.map(({ signal }) => pool.lease({ signal }));
    for (const caller of callers) caller.abort(new Error('left'));
    for (const wait of waits) await expect(wait).rejects.toThrow('left');
  }
  expect(peer.pending).toBe(3);
  expect(pool.stats().pending).toBe(0);
  const last = pool.lease();
  expect(pool.stats().pending).toBe(1);
  await lease.release();
  await (await last).release();
  await pool.close({ endPeer: true });
});

test('a caller that takes over the request of one that has left does not overtake those who have waited longer', async () => {
  const peer = genericPool.createPool(factory, { max: 1 });
  const pool = adoptPool(peer);
  const order: string[] = [];
  const first = await pool.lease();
  const controller = new AbortController();
  const left = pool.lease({ signal: controller.signal });
  const waiting = [pool.use(() => order.push('second'))];
  controller.abort(new Error('left'));
  await expect(left).rejects.toThrow('left');
  waiting.push(pool.use(() => order.push('third')));
  await first.release();
  await Promise.all(waiting);
  expect(order).toEqual(['second', 'third']);
  await pool.close({ endPeer: true });
});

test('a request is taken over by a caller of its own priority only', async () => {
  const peer = genericPool.createPool(factory, { max: 1, priorityRange: 2 });
  const pool = adoptPool(peer);
  const first = await pool.lease();
  const controller = new AbortController();
  const left = pool.lease({ signal: controller.signal, priority: 0 });
  controller.abort(new Error('left'));
  await expect(left).rejects.toThrow('left');
  expect(await orderOfPriorities(pool, first)).toEqual(['sooner', 'later']);
  await pool.close({ endPeer: true });
});

test('a caller whose request was refused for one that has left asks the peer itself, once', async () => {
  const answers = new Gates<Thing>();
  const peer = genericPool.createPool(factory, { max: 1 });
  peer.acquire = () => answers.next();
  const pool = adoptPool(peer);
  const controller = new AbortController();
  const left = pool.lease({ signal: controller.signal });
  controller.abort(new Error('left'));
  await expect(left).rejects.toThrow('left');
  const wait = pool.lease();
  expect(answers.arrived).toBe(1);
  answers.at(0).fail(new Error('the caller that has left has waited too long'));
  await settle();
  expect(answers.arrived).toBe(2);
  answers.at(1).fail(new Error('no server'));
  await expect(wait).rejects.toThrow('no server');
  expect(answers.arrived).toBe(2);
  expect(pool.stats().pending).toBe(0);
});

test('a rejection of the peer is passed to the caller', async () => {
  const peer = genericPool.createPool(factory, { max: 1, maxWaitingClients: 0 });
  const pool = adoptPool(peer);
  const first = await pool.lease();
  await expect(pool.lease()).rejects.toThrow('max waitingClients count exceeded');
  await first.release();
  await pool.close({ endPeer: true });
});

test('a resource that was given back without its lease causes an error', async () => {
  const peer = genericPool.createPool(factory, { max: 1 });
  const pool = adoptPool(peer, { name: 'workers' });
  const lease = await pool.lease();
  await peer.release(lease.resource);
  expect(() => lease.release()).toThrow(/workers: the pool underneath does not take/);
  expect(pool.loans()).toEqual([]);
  await pool.close({ endPeer: true });
});

test('a resource that is created after its caller has given up, or after the close, goes back to the peer', async () => {
  const gates = new Gates();
  const create = async (): Promise<Thing> => {
    await gates.next();
    return { isAlive: true };
  };
  const peer = genericPool.createPool({ ...factory, create }, { max: 2 });
  const pool = adoptPool(peer);
  const leaving = new AbortController();
  const left = pool.lease({ signal: leaving.signal }).catch((reason: Error) => reason.message);
  const late = pool.lease().catch((error: { code: string }) => error.code);
  leaving.abort(new Error('left'));
  await pool.close();
  expect(await Promise.all([left, late])).toEqual(['left', 'TENURE_POOL_CLOSED']);
  expect(pool.stats()).toMatchObject({ size: 2, available: 0, borrowed: 0, creating: 2 });
  for (const gate of [0, 1]) gates.at(gate).open();
  const both = await Promise.all([peer.acquire(), peer.acquire()]);
  expect([peer.size, peer.borrowed, new Set(both).size]).toEqual([2, 2, 2]);
  await Promise.all(both.map((thing) => peer.release(thing)));
  await pool.close({ endPeer: true });
});

test.each([
  [
    'of the pool',
    (peer: genericPool.Pool<Thing>, release: () => Promise<void>) =>
      Object.assign(peer, { release }),
  ],
  [
    'of a class of its own',
    (peer: genericPool.Pool<Thing>, release: () => Promise<void>) =>
      Object.setPrototypeOf(
        peer,
        Object.create(Object.getPrototypeOf(peer), { release: { value: release } }),
      ),
  ],
])('a release %s that fails later is reported, and the lease ends', async (_, replace) => {
  const print = vi.spyOn(console, 'error').mockImplementation(() => {});
  onTestFinished(() => print.mockRestore());
  const peer = genericPool.createPool(factory, { max: 1 });
  replace(peer, () => Promise.reject(new Error('the release fails')));
  const pool = adoptPool(peer, { name: 'things' });
  const lease = await pool.lease();
  await lease.release();
  expect(print.mock.calls.flat().join(' ')).toContain('the release fails');
  expect(pool.loans()).toEqual([]);
});

test('a caller whose timeout cannot be timed is rejected, and asks the peer for nothing', async () => {
  const peer = genericPool.createPool(factory, { max: 1 });
  const clock = new FailingClock();
  const pool = adoptPool(peer, { clock, acquireTimeoutMillis: 1_000 });
  clock.fails = true;
  await expect(pool.lease()).rejects.toThrow('no timer');
  expect([pool.stats().pending, peer.pending, peer.borrowed]).toEqual([0, 0, 0]);
  clock.fails = false;
  await pool.use(() => {});
  await pool.close();
});
