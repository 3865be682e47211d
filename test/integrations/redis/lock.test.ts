/** The lock over a real Redis. The clock is a fake, so no lease is extended or lost by chance. */
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { createClientPool } from 'redis';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { redisBus, redisLock } from '../../../src/integrations/redis.js';
import type { ClusterLock, LockRequest } from '../../../src/memoize/shared/index.js';
import { FailingClock } from '../../kit/failing-clock.js';
import { TcpProxy } from '../../kit/tcp-proxy.js';
import { until } from '../../kit/until.js';
import { canConnect, connect, RedisServer } from './redis-server.js';

const AT_ONCE: LockRequest = { ask: (request) => request() };

class IoRedis extends Redis implements AsyncDisposable {
  async [Symbol.asyncDispose](): Promise<void> {
    this.disconnect();
  }
}

describe.skipIf(!canConnect)('a lock over Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await RedisServer.any();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  async function setUp() {
    const client = await connect(server.url);
    const clock = new FailingClock();
    const prefix = `tenure-test-${randomUUID()}:`;
    const lock = redisLock(client, { prefix, clock, leaseMillis: 60_000, waitMillis: 0 });
    const key = `${prefix}{k}`;
    const acquire = () => lock.acquire('k', AT_ONCE);
    return {
      client,
      clock,
      key,
      lock,
      prefix,
      acquire,
      [Symbol.asyncDispose]: client[Symbol.asyncDispose],
    };
  }

  test('a holder whose lock ran out does not release that of its successor', async () => {
    await using own = await setUp();
    const first = await own.acquire();
    await own.client.del(own.key); // The time of the lock is over.
    const second = await own.acquire();
    const held = await own.client.get(own.key);
    await first.release();
    expect(await own.client.get(own.key)).toBe(held);
    expect([first.lost, second.lost, second.fence > first.fence]).toEqual([true, false, true]);
    await second.release();
    expect(await own.client.get(own.key)).toBe(null);
  });

  test('a holder whose lock ran out does not extend that of its successor, and learns that it is lost', async () => {
    await using own = await setUp();
    const first = await own.acquire();
    await own.client.set(own.key, 'of a successor', { PX: 1_000_000 });
    await own.clock.advance(20_000);
    await until(() => first.lost);
    expect(await own.client.pTTL(own.key)).toBeGreaterThan(60_000);
    expect(own.clock.pendingTimers).toBe(0);
  });

  test('a clock that throws leaves no lock behind', async () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
    await using own = await setUp();
    own.clock.fails = true;
    own.clock.failsToClear = true;
    const lease = await own.acquire();
    await lease.release();
    expect(await own.client.get(own.key)).toBe(null);
    printed.mockRestore();
  });

  test('a holder extends its lock as long as it runs', async () => {
    await using own = await setUp();
    const lease = await own.acquire();
    for (let third = 0; third < 6; third++) {
      await own.client.pExpire(own.key, 1_000);
      await own.clock.advance(20_000);
      await until(async () => (await own.client.pTTL(own.key)) > 1_000);
    }
    expect(lease.lost).toBe(false);
    await lease.release();
    expect(own.clock.pendingTimers).toBe(0);
  });

  test('a lock is not taken if Redis refuses its fencing token: sebleier/django-redis-cache#128', async () => {
    await using own = await setUp();
    await own.client.lPush(`${own.key}:fence`, 'of another program');
    await expect(own.acquire()).rejects.toThrow('WRONGTYPE');
    expect(await own.client.exists(own.key)).toBe(0);
    await own.client.del(`${own.key}:fence`);
    await (await own.acquire()).release();
  });

  test.each(['del', 'get', 'pttl', 'pexpire', 'incr', 'set'])(
    'a user without the right to %s leaves no lock behind',
    async (right) => {
      await using own = await setUp();
      await using admin = await connect(server.url);
      const user = `${own.prefix}user`;
      const rights = ['~*', '+@all', `-${right}`];
      await admin.sendCommand(['ACL', 'SETUSER', user, 'on', 'nopass', ...rights]);
      await own.client.sendCommand(['AUTH', user, 'any']);
      const lease = await own.acquire().catch((error: unknown) => {
        expect(String(error)).toMatch(/can't run this command|has no permissions to run/);
      });
      await lease?.release();
      expect(await admin.exists(own.key)).toBe(0);
      await admin.sendCommand(['ACL', 'DELUSER', user]);
    },
  );

  test.each([null, undefined, 'text'])(
    'an answer that is no number rejects: %s',
    async (answer) => {
      await using own = await setUp();
      vi.spyOn(own.client, 'eval').mockResolvedValue(answer as never);
      await expect(own.acquire()).rejects.toMatchObject({ code: 'TENURE_SHARED_STORE' });
    },
  );

  test('a lock that Redis gives after its caller has left holds up no other', async () => {
    await using own = await setUp();
    const leave = async <T>(request: () => Promise<T>): Promise<T> => {
      void request();
      throw new Error('left');
    };
    await expect(own.lock.acquire('k', { ask: leave })).rejects.toThrow('left');
    await until(async () => (await own.client.exists(own.key)) === 0);
    await (await own.acquire()).release();
  });

  test('a lock that Redis gives after its client has given up holds up no other', async () => {
    await using own = await setUp();
    await using client = new IoRedis(server.url, { commandTimeout: 1_000 });
    const lock = redisLock(client, { prefix: own.prefix, clock: own.clock, leaseMillis: 60_000 });
    await client.ping();
    await own.client.sendCommand(['CLIENT', 'PAUSE', '100000', 'WRITE']);
    await expect(lock.acquire('k', AT_ONCE)).rejects.toThrow('timed out');
    await own.client.sendCommand(['CLIENT', 'UNPAUSE']);
    await until(async () => (await own.client.exists(`${own.key}:fence`)) === 1);
    await until(async () => (await own.client.exists(own.key)) === 0);
  });

  describe('whose answer a broken connection has lost', () => {
    async function loseAnswer(
      own: Awaited<ReturnType<typeof setUp>>,
      network: TcpProxy,
      lock: ClusterLock,
    ) {
      network.stallAnswers();
      const answer = lock.acquire('k', AT_ONCE);
      await until(async () => (await own.client.exists(own.key)) === 1);
      network.cut();
      return answer;
    }

    test('holds up no other if its client does not ask again', async () => {
      await using own = await setUp();
      await using network = await TcpProxy.to(Number(new URL(server.url).port));
      await using client = await connect(`redis://127.0.0.1:${network.port}`);
      const lock = redisLock(client, { prefix: own.prefix, clock: own.clock, leaseMillis: 60_000 });
      await expect(loseAnswer(own, network, lock)).rejects.toThrow();
      await until(async () => (await own.client.exists(own.key)) === 0);
    });

    test('is taken if its client asks again', async () => {
      await using own = await setUp();
      await using network = await TcpProxy.to(Number(new URL(server.url).port));
      await using client = new IoRedis(`redis://127.0.0.1:${network.port}`);
      client.on('error', () => {});
      await client.ping();
      const options = { prefix: own.prefix, clock: own.clock, leaseMillis: 60_000, waitMillis: 0 };
      const lease = await loseAnswer(own, network, redisLock(client, options));
      expect(String(lease.fence)).toBe(await own.client.get(`${own.key}:fence`));
      await lease.release();
      expect(await own.client.exists(own.key)).toBe(0);
    });
  });

  test('a lock over a pool of clients is taken and released', async () => {
    await using own = await setUp();
    const pool = createClientPool({ url: server.url });
    await pool.connect();
    const lock = redisLock(pool, { prefix: own.prefix, clock: own.clock });
    const lease = await lock.acquire('k', AT_ONCE);
    expect(await own.client.exists(own.key)).toBe(1);
    await lease.release();
    expect(await own.client.exists(own.key)).toBe(0);
    expect(() => redisBus(pool as never)).toThrow(/`createClient`, and no pool of clients/);
    pool.destroy();
  });

  test('a caller that waits too long is told so without the name of the lock', async () => {
    await using own = await setUp();
    await own.acquire();
    const error = await own.acquire().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'TENURE_REDIS_LOCK_TIMEOUT' });
    expect(String(error)).not.toContain(own.key);
  });

  test.each<{ what: string; random: () => number }>([
    {
      what: 'throws',
      random: () => {
        throw new Error('random');
      },
    },
    { what: 'gives no number', random: () => Number.NaN },
    { what: 'gives a number below 0', random: () => -1e9 },
  ])('a source of random numbers that $what does not end or hurry the wait', async ({ random }) => {
    vi.spyOn(console, 'error').mockImplementation(() => {});
    await using own = await setUp();
    const { client, clock, prefix } = own;
    const asked = vi.spyOn(client, 'eval');
    const first = await own.acquire();
    const lock = redisLock(client, { prefix, clock, retryMillis: 1_000, random });
    const second = lock.acquire('k', { ask: (request) => request() });
    await until(() => clock.foregroundTimers === 1);
    await clock.advance(999);
    expect(asked).toHaveBeenCalledTimes(2);
    await first.release();
    await clock.advance(501);
    await (await second).release();
  });

  test.each([
    [{ ttl: 1 }, /unknown option `ttl`.*leaseMillis/],
    [{ waitMillis: -1 }, /`waitMillis`/],
  ])('a malformed option is refused: %j', async (options, message) => {
    await using own = await setUp();
    expect(() => redisLock(own.client, options as never)).toThrow(message);
  });
});
