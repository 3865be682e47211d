/** A peer that answers twice, throws when a resource comes back, or is asked with a signal of another make. */
import { expect, test, vi } from 'vitest';
import { AdoptedPool } from '../../../src/integrations/adoption/adopted-pool.js';
import type { PeerPool, PeerRequest } from '../../../src/integrations/adoption/peer-pool.js';
import type { Lease } from '../../../src/pool/index.js';
import { heapAtRest } from '../../kit/heap-at-rest.js';
import { settle } from '../../kit/settle.js';
import { outcomeOf, rejection } from '../../pool/outcome.js';

/** A peer that answers its requests when the test says so. */
class SlowPeer<T = object> implements PeerPool<T> {
  readonly pool = {};
  readonly requests: PeerRequest<T>[] = [];
  readonly giveBack = vi.fn<(resource: T) => unknown>();
  readonly destroy = vi.fn<(resource: T) => unknown>();

  request(request: PeerRequest<T>): void {
    this.requests.push(request);
  }

  figures() {
    return { size: 1, available: 0, borrowed: 1, pending: 0, creating: 0, min: 0, max: 1 };
  }

  end(): void {}
}

test('a second answer to a request takes the resource from nobody', async () => {
  const peer = new SlowPeer();
  const pool = new AdoptedPool(peer, {});
  const asked = pool.lease();
  const [request] = peer.requests;
  const resource = {};
  request?.deliver(resource);
  request?.deliver(resource);
  request?.refuse(new Error('refused'));
  await settle();
  using lease = await asked;
  expect(lease.resource).toBe(resource);
  expect(peer.giveBack).not.toHaveBeenCalled();
  expect(pool.stats()).toMatchObject({ loans: 1, pending: 0 });
});

test('what a peer throws when a resource comes back too late is printed', async () => {
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
  const peer = new SlowPeer();
  const pool = new AdoptedPool(peer, {});
  const controller = new AbortController();
  const asked = rejection(pool.lease({ signal: controller.signal }));
  controller.abort(new Error('left'));
  expect(await asked).toBe(controller.signal.reason);
  const error = new Error('not borrowed');
  peer.giveBack.mockImplementation(() => {
    throw error;
  });
  peer.requests[0]?.deliver({});
  await settle();
  expect(printed.mock.calls).toEqual([[expect.stringContaining('too late'), error]]);
  printed.mockRestore();
  await pool.close();
});

test('a signal that aborts while a listener is added ends the wait before the peer is asked', async () => {
  const peer = new SlowPeer();
  const pool = new AdoptedPool(peer, {});
  const signal = {
    aborted: false,
    reason: new Error('meanwhile'),
    addEventListener() {
      signal.aborted = true;
    },
    removeEventListener() {},
  };
  expect(await rejection(pool.lease({ signal: signal as never }))).toBe(signal.reason);
  expect(peer.requests).toEqual([]);
  await pool.close();
});

test.each(['prepares', 'prepares too late for its caller', 'fails to prepare'])(
  'a forced close has a resource destroyed once that `onAcquire` %s',
  async (outcome) => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
    const peer = new SlowPeer();
    let end = (): void => {};
    const pool = new AdoptedPool(peer, {
      onAcquire: () =>
        new Promise<void>((resolve, reject) => {
          end = outcome === 'fails to prepare' ? () => reject(new Error('refused')) : resolve;
        }),
    });
    const controller = new AbortController();
    const asked = outcomeOf(pool.lease({ signal: controller.signal }));
    peer.requests[0]?.deliver({});
    await settle();
    if (outcome === 'prepares too late for its caller') controller.abort();
    await settle();
    await pool.close({ graceMillis: 0, force: true });
    end();
    await settle();
    expect(asked().is).toBe('rejected');
    expect([peer.destroy.mock.calls.length, peer.giveBack.mock.calls.length]).toEqual([1, 0]);
    expect(pool.stats()).toMatchObject({ destroyed: 1, destroying: 0 });
    expect(printed).not.toHaveBeenCalled();
    printed.mockRestore();
  },
);

test('a peer that gives each loan of a resource another object gets that object back', async () => {
  const connection = {};
  const peer = Object.assign(new SlowPeer(), { identify: () => connection });
  const pool = new AdoptedPool(peer, {});
  for (const resource of [{ loan: 1 }, { loan: 2 }]) {
    const asked = pool.lease();
    peer.requests.at(-1)?.deliver(resource);
    const lease = await asked;
    expect(lease.resource).toBe(resource);
    await lease.release();
    expect(peer.giveBack).toHaveBeenLastCalledWith(resource);
  }
  await pool.close();
});

test.each<{ how: string; end: (lease: Lease<number>) => unknown }>([
  { how: 'given back', end: (lease) => lease.release() },
  { how: 'destroyed', end: (lease) => lease.destroy() },
])('resources that are numbers are not kept in memory when they were $how', async ({ end }) => {
  const peer = new SlowPeer<number>();
  const pool = new AdoptedPool(peer, {});
  let next = 0;
  const lend = async (times: number): Promise<void> => {
    for (let time = 0; time < times; time++) {
      const asked = pool.lease();
      peer.requests.pop()?.deliver(next++);
      await end(await asked);
    }
    peer.giveBack.mockClear();
    peer.destroy.mockClear();
  };
  await lend(500);
  const before = await heapAtRest();
  await lend(10_000);
  expect((await heapAtRest()) - before).toBeLessThan(1_500_000);
  await pool.close();
});
