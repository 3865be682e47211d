/** Shared caches of several processes over a real Redis. The tests wait for conditions and never for a fixed time. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TcpProxy } from '../../kit/tcp-proxy.js';
import { until } from '../../kit/until.js';
import { canConnect, canStart, connect, RedisServer } from './redis-server.js';
import { type WorkerOptions, WorkerProcess } from './worker-process.js';

const PATIENCE = 60_000;

describe.skipIf(!canConnect)('a cache that processes share', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await RedisServer.any();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const workers = async (count: number, options: Partial<WorkerOptions> = {}) => {
    const own: WorkerOptions = {
      url: server.url,
      space: `tenure-test-${randomUUID()}`,
      client: 'redis',
      lockTtl: 500,
      ttl: 3_600_000,
      truthFrom: 'redis',
      ...options,
    };
    const started = await Promise.all(
      Array.from({ length: count }, () => WorkerProcess.start(own)),
    );
    return {
      all: started as [WorkerProcess, ...WorkerProcess[]],
      space: own.space,
      [Symbol.asyncDispose]: async () => {
        await Promise.all(started.map((worker) => worker.kill()));
      },
    };
  };

  test.each(['redis', 'ioredis'] as const)(
    '4 processes × 100 callers on one cold key make one load (%s): jaredwray/cacheable#1201, Julien-R44/bentocache#2',
    async (client) => {
      await using service = await workers(4, { client });
      await using redis = await connect(server.url);
      await redis.set(`${service.space}:truth:a`, 'first');
      const answers = await Promise.all(
        service.all.map((worker) => worker.call('a', { times: 100, delay: 100 })),
      );
      expect(answers.flat()).toEqual(Array.from({ length: 400 }, () => 'first'));
      expect(await redis.get(`${service.space}:loads:a`)).toBe('1');
      const infos = await Promise.all(service.all.map((worker) => worker.info()));
      expect(infos.map((info) => info.sharedHits).sort()).toEqual([0, 1, 1, 1]);
      expect(infos.map((info) => info.failures)).toEqual([0, 0, 0, 0]);
    },
    PATIENCE,
  );

  test(
    'kill -9 of the process that loads: the next process loads, and the others share its result',
    async () => {
      await using service = await workers(3);
      await using redis = await connect(server.url);
      await redis.set(`${service.space}:truth:a`, 'first');
      const [doomed, second, third] = service.all as [WorkerProcess, WorkerProcess, WorkerProcess];
      void doomed.call('a', { delay: 3_600_000 });
      await until(async () => (await redis.get(`${service.space}:loads:a`)) === '1');
      const answers = Promise.all([
        second.call('a', { times: 50 }),
        third.call('a', { times: 50 }),
      ]);
      await doomed.kill();
      expect(new Set((await answers).flat())).toEqual(new Set(['first']));
      expect(await redis.get(`${service.space}:loads:a`)).toBe('2');
    },
    PATIENCE,
  );

  test(
    'a slow holder keeps its lock as long as it runs',
    async () => {
      await using service = await workers(2, { lockTtl: 3_000 });
      await using redis = await connect(server.url);
      const answers = await Promise.all(service.all.map((one) => one.call('a', { delay: 5_000 })));
      expect(answers.flat()).toEqual(['null', 'null']);
      expect(await redis.get(`${service.space}:loads:a`)).toBe('1');
    },
    PATIENCE,
  );

  test(
    'a holder that is stopped for longer than its lock: its late result is stored nowhere',
    async () => {
      await using service = await workers(3);
      await using redis = await connect(server.url);
      const [frozen, second, third] = service.all as [WorkerProcess, WorkerProcess, WorkerProcess];
      const truth = `${service.space}:truth:a`;
      await redis.set(truth, 'old');
      await allTrust(service.all);
      const early = frozen.call('a', { delay: 500 });
      await until(async () => (await redis.get(`${service.space}:loads:a`)) === '1');
      frozen.freeze();
      await redis.set(truth, 'new');
      expect(await second.call('a')).toEqual(['new']);
      await second.info(); // Its pending writes have ended.
      frozen.thaw();
      expect(await early, 'a caller from before the change gets the old result').toEqual(['old']);
      await frozen.info();
      expect(await third.call('a')).toEqual(['new']);
      expect(await frozen.call('a')).toEqual(['new']);
      expect(await redis.get(`${service.space}:loads:a`)).toBe('2');
    },
    PATIENCE,
  );

  test.skipIf(!canStart).each(['redis', 'ioredis'] as const)(
    'a bus that is silent, without the end of its connection, is not trusted (%s)',
    async (client) => {
      await using own = await RedisServer.own();
      await using network = await TcpProxy.to(Number(new URL(own.url).port));
      const busUrl = `redis://127.0.0.1:${network.port}`;
      const storeTimeoutMillis = 300;
      await using service = await workers(1, { url: own.url, client, busUrl, storeTimeoutMillis });
      const { space, all } = service;
      await using neighbour = await WorkerProcess.start({ ...all[0].options, busUrl: own.url });
      await using redis = await connect(own.url);
      await redis.set(`${space}:truth:a`, 'old');
      await allTrust([...all, neighbour]);
      expect(await all[0].call('a')).toEqual(['old']);
      network.stall();
      await redis.set(`${space}:truth:a`, 'new');
      await neighbour.delete('a');
      await until(async () => (await all[0].call('a'))[0] === 'new');
      network.heal();
      await allTrust(all);
      expect(await all[0].call('a')).toEqual(['new']);
    },
    PATIENCE,
  );

  test.each(['redis', 'ioredis'] as const)(
    'an invalidation reaches every process, and no caller gets the old result afterwards (%s)',
    async (client) => {
      await using service = await workers(3, { client });
      await using redis = await connect(server.url);
      const truth = `${service.space}:truth:a`;
      await redis.set(truth, 'old');
      await allTrust(service.all);
      for (const worker of service.all) expect(await worker.call('a')).toEqual(['old']);
      await redis.set(truth, 'new');
      for (const worker of service.all)
        expect(await worker.call('a'), 'still cached').toEqual(['old']);
      await service.all[0].delete('a');
      expect(await service.all[0].call('a')).toEqual(['new']);
      for (const worker of service.all) {
        await until(async () => (await worker.call('a'))[0] === 'new');
        expect(new Set(await worker.call('a', { times: 100 }))).toEqual(new Set(['new']));
      }
    },
    PATIENCE,
  );

  test(
    'a load that began before an invalidation is stored nowhere',
    async () => {
      await using service = await workers(3);
      await using redis = await connect(server.url);
      const [slow, other, third] = service.all as [WorkerProcess, WorkerProcess, WorkerProcess];
      const truth = `${service.space}:truth:a`;
      await redis.set(truth, 'old');
      await allTrust(service.all);
      const early = slow.call('a', { delay: 500 });
      await until(async () => (await redis.get(`${service.space}:loads:a`)) === '1');
      await redis.set(truth, 'new');
      await other.delete('a');
      expect(await early, 'a caller from before the change gets the old result').toEqual(['old']);
      await slow.info(); // Its pending writes have ended.
      expect(await slow.call('a')).toEqual(['new']);
      expect(await other.call('a')).toEqual(['new']);
      expect(await third.call('a')).toEqual(['new']);
    },
    PATIENCE,
  );

  test.skipIf(!canStart)(
    'Redis is killed and restarted under load: no call fails, and invalidations arrive again',
    async () => {
      await using own = await RedisServer.own();
      await using service = await workers(2, {
        url: own.url,
        truthFrom: 'process',
        storeTimeoutMillis: 300,
      });
      const [one, other] = service.all as [WorkerProcess, WorkerProcess];
      await Promise.all([one.hammer(), other.hammer()]);
      await until(async () => (await one.info()).hits > 20);
      await own.kill();
      await until(async () => (await one.info()).sharedErrors > 0);
      const before = await one.info();
      await until(async () => (await one.info()).runs > before.runs + 20);
      const down = await one.info();
      expect(down.hits, 'a disconnected process does not trust its own entries').toBe(before.hits);
      await own.start();
      await until(async () => (await one.info()).hits > down.hits);
      const [mine, theirs] = await Promise.all([one.rest(), other.rest()]);
      expect([mine.failed, theirs.failed]).toEqual([0, 0]);
      await allTrust(service.all);
      const [value] = await other.call('z');
      expect(await other.call('z')).toEqual([value]);
      await one.delete('z');
      await until(async () => (await other.call('z'))[0] !== value);
    },
    PATIENCE,
  );
});

/** Waits until every process is connected to the bus. Only then does it trust its own entries. */
async function allTrust(workers: readonly WorkerProcess[]): Promise<void> {
  for (const [at, worker] of workers.entries()) {
    const id = `probe ${at}`;
    await until(async () => {
      const { hits } = await worker.info();
      await worker.call(id);
      await worker.call(id);
      return (await worker.info()).hits > hits;
    });
  }
}
