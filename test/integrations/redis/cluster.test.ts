/** Shared caches over a real Redis Cluster of three shards, one of which stops. Their time stands still unless the test moves it. */
import KeyvRedis, { createCluster } from '@keyv/redis';
import { describe, expect, test } from 'vitest';
import { FakeClock } from '../../kit/fake-clock.js';
import { until } from '../../kit/until.js';
import { RedisCluster } from './redis-cluster.js';
import { canStart, type RedisServer } from './redis-server.js';
import { SharedService } from './shared-service.js';

const PATIENCE = 60_000;
const STORE_TIMEOUT = 200;
/** Longer than a rest of the store. */
const REST = 6_000;
const IDS = Array.from({ length: 24 }, (_, at) => `k${at}`);

/** How a shard stops, and how it comes back. */
const STOPS: Readonly<
  Record<string, { stop(shard: RedisServer): unknown; resume(shard: RedisServer): unknown }>
> = {
  frozen: { stop: (shard) => shard.freeze(), resume: (shard) => shard.thaw() },
  'killed, then empty': { stop: (shard) => shard.kill(), resume: (shard) => shard.start() },
};

/** Caches over a cluster, with a bus through its first shard. */
function serviceOver(cluster: RedisCluster, clock: FakeClock): SharedService {
  const rootNodes = cluster.servers.map(({ url }) => ({ url }));
  return new SharedService({
    url: (cluster.servers[0] as RedisServer).url,
    shared: { clock, storeTimeoutMillis: STORE_TIMEOUT },
    adapter: async () => {
      const client = createCluster({ rootNodes });
      client.on('error', () => {});
      await client.connect();
      return new KeyvRedis<string>(client);
    },
  });
}

/** A shard that has neither the bus nor the tokens of the cache, and the keys that are on it. */
async function spareShard(cluster: RedisCluster) {
  const names = await cluster.names();
  const at = names.findIndex((each, i) => i > 0 && !each.some((name) => name.includes(':cache:')));
  const isThere = (id: string): boolean =>
    names[at]?.some((name) => name.includes(`"${id}"`)) === true;
  return {
    shard: cluster.servers[at] as RedisServer,
    lost: IDS.filter(isThere) as [string, string, ...string[]],
    kept: IDS.filter((id) => !isThere(id)) as [string, string, ...string[]],
  };
}

/** Waits for a call that the store may leave without an answer. The clock is moved by one `storeTimeoutMillis` at most. */
async function withinOneTimeout(clock: FakeClock, call: Promise<string>): Promise<string> {
  let isAnswered = false;
  const answered = call.finally(() => {
    isAnswered = true;
  });
  await until(() => isAnswered || clock.foregroundTimers > 0);
  if (!isAnswered) await clock.advance(STORE_TIMEOUT);
  return answered;
}

describe.skipIf(!canStart)('a Redis Cluster with one shard that stops', () => {
  test(
    'a result is on the shard of its token, and the tokens of the cache are on one shard',
    async () => {
      await using cluster = await RedisCluster.start();
      await using service = serviceOver(cluster, new FakeClock());
      const one = await service.member();
      for (const id of IDS) await one(id);
      await one.flush();
      const names = await cluster.names();
      const shardsOf = (text: string): number[] =>
        names.flatMap((each, at) => (each.some((name) => name.includes(text)) ? [at] : []));
      for (const id of IDS) expect(shardsOf(`["${id}"]`)).toHaveLength(1);
      expect(shardsOf(':cache:')).toEqual(shardsOf(':tags:'));
    },
    PATIENCE,
  );

  test.each(Object.entries(STOPS))(
    'keys of other shards stay shared, no call fails or waits twice, and no invalidated result is served: %s',
    async (_, { stop, resume }) => {
      const clock = new FakeClock();
      await using cluster = await RedisCluster.start();
      await using service = serviceOver(cluster, clock);
      const one = await service.member();
      const [other, reader] = [await service.member(), await service.member()];
      for (const id of IDS) await one(id);
      expect(await one.flush()).toBe(true);
      const { shard, lost, kept } = await spareShard(cluster);
      for (const id of [kept[0], lost[0], kept[1], lost[1]]) await other(id);
      expect(service.errors).toEqual([]);
      expect(service.loads).toBe(IDS.length);
      await stop(shard);
      try {
        for (const id of kept) expect(await reader(id)).toBe('old');
        expect(service.loads, 'keys of other shards are still shared').toBe(IDS.length);
        expect(await withinOneTimeout(clock, reader(lost[0]))).toBe('old');
        for (const id of [...lost, 'new 1', 'new 2']) expect(await reader(id)).toBe('old');
        for (const id of [...lost, ...kept]) expect(await reader(id)).toBe('old');
        expect(reader.cacheInfo()).toMatchObject({ loadFailures: 0, shared: { store: 'resting' } });
        await clock.advance(REST);
        await reader('probe');
        await until(() => reader.cacheInfo().shared?.store === 'answering');

        service.source = () => 'new';
        one.delete(kept[0]);
        expect(await one.flush()).toBe(true);
        one.delete(lost[0]);
        expect(await withinOneTimeout(clock, one(lost[0]))).toBe('new');
        expect(await one(kept[0])).toBe('new');
        await until(async () => (await other(kept[0])) === 'new');
        const heard = async (): Promise<boolean> =>
          (await withinOneTimeout(clock, other(lost[0]))) === 'new';
        await until(heard);
        expect([await other(kept[0]), await other(lost[0])]).toEqual(['new', 'new']);
        expect(one.cacheInfo().shared).toMatchObject({ pendingInvalidations: 1 });
      } finally {
        await resume(shard);
      }
      await until(async () => {
        await clock.advance(REST);
        return one.flush();
      });
      const late = await service.member();
      for (const id of [kept[0], lost[0]]) expect(await late(id)).toBe('new');
    },
    PATIENCE,
  );
});
