/** The lock over a client of Redis whose answers a busy event loop works on. */
import { describe, expect, test, vi } from 'vitest';
import { redisLock } from '../../src/integrations/redis.js';
import type { LockRequest } from '../../src/memoize/shared/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { settle } from '../kit/settle.js';

const AT_ONCE: LockRequest = { ask: (request) => request() };

test('a busy event loop is not taken for a Redis that gives no answers', async () => {
  const clock = new FakeClock();
  const answers: (() => void)[] = [];
  const client = {
    status: 'ready',
    eval: () => new Promise<number>((resolve) => answers.push(() => resolve(1))),
    publish: async () => 0,
    duplicate: (): never => expect.unreachable(),
  };
  const lock = redisLock(client, { clock, leaseMillis: 3_600_000 });
  const work = async (): Promise<void> => {
    for (const answer of answers.splice(0)) {
      answer();
      clock.jump(100); // What the answer has the event loop do.
      await settle();
      await clock.advance(0);
    }
  };
  const acquired = Array.from({ length: 50 }, (_, name) => lock.acquire(`lock ${name}`, AT_ONCE));
  await work();
  const leases = await Promise.all(acquired);
  const released = Promise.all(leases.map((lease) => lease.release()));
  await work();
  await released;
});

describe('a lock with default options', () => {
  function setUp() {
    const clock = new FakeClock();
    const client = { eval: vi.fn(async (): Promise<unknown> => 1) };
    return { clock, client, lock: redisLock(client, { clock }) };
  }

  test('is for 5 seconds in Redis, and lost then if Redis extends it no more', async () => {
    const { clock, client, lock } = setUp();
    clock.jump(1_000_000);
    const lease = await lock.acquire('k', AT_ONCE);
    expect(client.eval).toHaveBeenCalledWith(
      expect.any(String),
      expect.objectContaining({ arguments: expect.arrayContaining(['5000']) }),
    );
    client.eval.mockRejectedValue(new Error('down'));
    await clock.advance(4_999);
    expect(lease.lost).toBe(false);
    await clock.advance(1);
    expect(lease.lost).toBe(true);
  });

  test('is asked for each 25 to 37 ms, and for 30 seconds at most', async () => {
    const random = vi.spyOn(Math, 'random').mockReturnValue(0.9);
    const { clock, client, lock } = setUp();
    client.eval.mockResolvedValue(0);
    const refused = expect(lock.acquire('k', AT_ONCE)).rejects.toThrow('not free within 30000 ms');
    await settle();
    await clock.advance(35);
    expect(client.eval).toHaveBeenCalledTimes(1);
    await clock.advance(2);
    expect(client.eval).toHaveBeenCalledTimes(2);
    await clock.advance(29_962);
    expect(clock.foregroundTimers).toBe(1);
    await clock.advance(100);
    await refused;
    random.mockRestore();
  });
});
