/** Shared caches over a real Redis Cluster of three shards, one of which stops. Their time stands still unless a test moves it. */
import KeyvRedis, { createCluster, type RedisClusterType } from '@keyv/redis';
import { Cluster } from 'ioredis';
import Keyv from 'keyv';
import { describe, expect, test } from 'vitest';
import { type RedisClient, redisBus, redisLock } from '../../../src/integrations/redis.js';
import { memoize } from '../../../src/memoize/index.js';
import { hashSlotOf, SLOTS } from '../../../src/memoize/shared/hash-slot.js';
import { sharedCache } from '../../../src/memoize/shared/index.js';
import { AsyncDisposableStack } from '../../../src/scope/index.js';
import { FakeClock } from '../../kit/fake-clock.js';
import { until } from '../../kit/until.js';
import { RedisCluster } from './redis-cluster.js';
import { canStart, connect, type RedisServer } from './redis-server.js';
import { SharedService } from './shared-service.js';

const PATIENCE = 120_000;
const STORE_TIMEOUT = 200;
/** Longer than a rest of the store. */
const REST = 6_000;
const IDS = Array.from({ length: 24 }, (_, at) => `k${at}`);

/** The shard of a name. */
function shardOf(name: string): number {
  return Math.floor((hashSlotOf(name) * 3) / SLOTS);
}

/** How a shard stops, and how it comes back. */
const STOPS: Readonly<
  Record<string, { stop(shard: RedisServer): unknown; resume(shard: RedisServer): unknown }>
> = {
  frozen: { stop: (shard) => shard.freeze(), resume: (shard) => shard.thaw() },
  'killed, then empty': { stop: (shard) => shard.kill(), resume: (shard) => shard.start() },
};

/** Clients of a cluster, and how they are closed. */
const CLIENTS: Readonly<
  Record<
    string,
    (cluster: RedisCluster) => Promise<{ readonly client: RedisClient; readonly close: () => void }>
  >
> = {
  redis: async ({ servers }) => {
    const client = createCluster({ rootNodes: servers.map(({ url }) => ({ url })) });
    client.on('error', () => {});
    await client.connect();
    return { client, close: () => client.destroy() };
  },
  ioredis: async ({ servers }) => {
    const client = new Cluster(servers.map(({ port }) => ({ host: '127.0.0.1', port })));
    client.on('error', () => {});
    return { client, close: () => client.disconnect() };
  },
};

/** Caches over a cluster, with a bus through one of its shards. */
class ClusterService extends SharedService {
  readonly #clock: FakeClock;
  readonly #clients: RedisClusterType[];

  constructor(cluster: RedisCluster, clock: FakeClock, busShard = 0) {
    const rootNodes = cluster.servers.map(({ url }) => ({ url }));
    const clients: RedisClusterType[] = [];
    super({
      url: (cluster.servers[busShard] as RedisServer).url,
      shared: { clock, storeTimeoutMillis: STORE_TIMEOUT },
      adapter: async () => {
        const client = createCluster({ rootNodes }) as RedisClusterType;
        client.on('error', () => {});
        await client.connect();
        clients.push(client);
        return new KeyvRedis<string>(client);
      },
    });
    this.#clock = clock;
    this.#clients = clients;
  }

  /** Waits for a call that the store may leave without an answer. The clock is moved by one `storeTimeoutMillis` at most. */
  async withinOneTimeout(call: Promise<string>, kept: readonly string[]): Promise<string> {
    let isAnswered = false;
    const answered = call.finally(() => {
      isAnswered = true;
    });
    await until(() => isAnswered || this.#clock.foregroundTimers > 0);
    if (isAnswered) return answered;
    await this.#clock.advance(STORE_TIMEOUT / 2);
    await this.#answersOf(kept);
    await this.#clock.advance(STORE_TIMEOUT / 2);
    return answered;
  }

  /** Moves the clock on until a promise settles. */
  async advanceUntil<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const settled = promise.finally(() => {
      isSettled = true;
    });
    await until(async () => {
      if (!isSettled) await this.#clock.advance(STORE_TIMEOUT / 2);
      return isSettled;
    });
    return settled;
  }

  /** Waits until the shards of these keys have answered all that was sent to them. */
  async #answersOf(ids: readonly string[]): Promise<void> {
    const names = ids.map((id) => `{["${id}"]}`);
    for (const client of this.#clients) await Promise.all(names.map((name) => client.get(name)));
  }
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

describe.skipIf(!canStart)('a Redis Cluster with one shard that stops', () => {
  test(
    'a result is on the shard of its token, and the tokens of the cache are on one shard',
    async () => {
      await using cluster = await RedisCluster.start();
      await using service = new ClusterService(cluster, new FakeClock());
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
      await using service = new ClusterService(cluster, clock);
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
        const [askedBefore, askedAfter] = [kept.slice(0, 8), kept.slice(8)];
        for (const id of askedBefore) expect(await reader(id)).toBe('old');
        expect(await service.withinOneTimeout(reader(lost[0]), kept)).toBe('old');
        expect(service.loads).toBe(IDS.length + 1);
        for (const id of lost) expect(await reader(id), 'no call waits again').toBe('old');
        for (const id of askedAfter) expect(await reader(id)).toBe('old');
        expect(service.loads, 'keys of other shards are still shared').toBe(
          IDS.length + lost.length,
        );
        const { shared, loadFailures } = reader.cacheInfo();
        expect([loadFailures, shared?.store]).toEqual([0, 'answering']);
        expect(shared?.restingShare).toBeGreaterThan(0.2);
        expect(shared?.restingShare).toBeLessThan(0.5);

        service.source = () => 'new';
        one.delete(kept[0]);
        expect(await one.flush()).toBe(true);
        one.delete(lost[0]);
        expect(await service.withinOneTimeout(one(lost[0]), kept)).toBe('new');
        expect(await one(kept[0])).toBe('new');
        await until(async () => (await other(kept[0])) === 'new');
        const heard = async (): Promise<boolean> =>
          (await service.withinOneTimeout(other(lost[0]), kept)) === 'new';
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

  test.each(Object.entries(STOPS))(
    'keys of other shards stay shared without a bus, if it was on that shard, and invalidations arrive later: %s',
    async (_, { stop, resume }) => {
      const clock = new FakeClock();
      await using cluster = await RedisCluster.start();
      const busShard = (shardOf('{value}') + 1) % cluster.servers.length;
      await using service = new ClusterService(cluster, clock, busShard);
      const one = await service.member();
      const [other, reader] = [await service.member(), await service.member()];
      const kept = IDS.filter((id) => shardOf(`{["${id}"]}`) !== busShard) as [string, string];
      for (const id of IDS) await one(id);
      expect(await one.flush()).toBe(true);
      for (const id of kept) await other(id);
      const shard = cluster.servers[busShard] as RedisServer;
      const all = [one, other, reader];
      const areAll = (state: string): boolean =>
        all.every((member) => member.cacheInfo().shared?.bus === state);
      await stop(shard);
      try {
        await until(() => areAll('disconnected'));
        for (const id of kept) expect([await reader(id), await other(id)]).toEqual(['old', 'old']);
        expect(service.loads, 'keys of other shards are still shared').toBe(IDS.length);
        service.source = () => 'new';
        one.delete(kept[0]);
        expect(await service.advanceUntil(one.flush()), 'the bus has not taken it').toBe(false);
        for (const member of all) expect(await member(kept[0])).toBe('new');
        expect(await other(kept[1])).toBe('old');
        expect(one.cacheInfo().shared).toMatchObject({
          store: 'answering',
          pendingInvalidations: 1,
        });
      } finally {
        await resume(shard);
      }
      await until(() => areAll('connected'));
      await until(() => service.advanceUntil(one.flush()));
      expect(one.cacheInfo().shared).toMatchObject({ pendingInvalidations: 0 });
      one.delete(kept[1]);
      await until(async () => (await service.advanceUntil(other(kept[1]))) === 'new'); // The shard may be joining still.
    },
    PATIENCE,
  );

  test(
    'while a slot moves to another shard, no call fails, and no invalidated result is served',
    async () => {
      await using cluster = await RedisCluster.start();
      await using service = new ClusterService(cluster, new FakeClock());
      const [one, other] = [await service.member(), await service.member()];
      const id = IDS[0] as string;
      for (const member of [one, other]) await member(id);
      expect([await one.flush(), service.loads]).toEqual([true, 1]);
      const invalidate = async (value: string): Promise<void> => {
        service.source = () => value;
        one.delete(id);
        await until(() => service.advanceUntil(one.flush()));
        await until(async () => (await service.advanceUntil(other(id))) === value);
        const late = await service.member();
        for (const member of [one, late])
          expect(await service.advanceUntil(member(id))).toBe(value);
        expect(late.cacheInfo().loadFailures).toBe(0);
      };
      const slot = await cluster.beginMove(hashSlotOf(`{["${id}"]}`));
      expect(slot.names).toHaveLength(2);
      await invalidate('before its names move');
      for (const [at, name] of slot.names.entries()) {
        await slot.move(name);
        await invalidate(`after ${at + 1} of its names`);
      }
      await slot.end();
      await invalidate('at last');
      const loads = service.loads;
      await one.flush();
      expect(await (await service.member())(id)).toBe('at last');
      expect(service.loads, 'its results are shared again').toBe(loads);
    },
    PATIENCE,
  );

  test.each(Object.entries(CLIENTS))(
    'the bus and the lock take a client of the cluster: %s',
    async (_, connectTo) => {
      await using cluster = await RedisCluster.start();
      await using closers = new AsyncDisposableStack();
      let [loads, source] = [0, 'old'];
      const errors: unknown[] = [];
      const member = async () => {
        const { client, close } = await connectTo(cluster);
        closers.defer(close);
        const rootNodes = cluster.servers.map(({ url }) => ({ url }));
        const store = new KeyvRedis<string>(
          (await createCluster({ rootNodes }).connect()) as RedisClusterType,
        );
        closers.defer(() => store.disconnect(true));
        const cache = memoize(
          async (_id: string) => {
            loads++;
            return source;
          },
          {
            name: 'value',
            ttl: 3_600_000,
            onError: (error) => errors.push(error),
            shared: sharedCache({
              store: new Keyv({ store }),
              bus: redisBus(client, { heartbeatMillis: 3_600_000 }),
              lock: redisLock(client),
              storeTimeoutMillis: 10_000,
            }),
          },
        );
        closers.defer(async () => {
          await cache.flush();
          cache[Symbol.dispose]();
        });
        await until(() => cache.cacheInfo().shared?.bus === 'connected');
        return cache;
      };
      const [one, other] = [await member(), await member()];
      await one('whose load makes the tokens of the cache');
      await one.flush();
      loads = 0;
      await Promise.all([one, other].flatMap((cache) => IDS.map((id) => cache(id))));
      expect(loads).toBe(IDS.length);
      source = 'new';
      for (const id of IDS) one.delete(id);
      expect(await one.flush()).toBe(true);
      for (const id of IDS) await until(async () => (await other(id)) === 'new');
      expect(errors).toEqual([]);
    },
    PATIENCE,
  );

  test.each(Object.entries(CLIENTS))(
    'an entry is not served whose message was lost while a client of the cluster subscribed again: %s',
    async (_, connectTo) => {
      await using cluster = await RedisCluster.start();
      await using closers = new AsyncDisposableStack();
      let source = 'old';
      const member = async () => {
        const { client, close } = await connectTo(cluster);
        closers.defer(close);
        const shared = sharedCache({ bus: redisBus(client, { heartbeatMillis: 500 }) });
        const cache = memoize(async (_id: string) => source, {
          name: 'value',
          onError: () => {},
          shared,
        });
        closers.use(cache);
        await until(() => cache.cacheInfo().shared?.bus === 'connected');
        return cache;
      };
      const [one, other] = [await member(), await member()];
      const admins = await Promise.all(cluster.servers.map(({ url }) => connect(url)));
      for (const admin of admins) closers.use(admin);
      const drop = ['CLIENT', 'KILL', 'TYPE', 'pubsub'];
      for (let round = 0; round < 8; round++) {
        await other('a');
        await Promise.all(admins.map((admin) => admin.sendCommand(drop)));
        source = `value ${round}`;
        one.delete('a');
        await until(async () => (await other('a')) === source);
      }
    },
    PATIENCE,
  );
});
