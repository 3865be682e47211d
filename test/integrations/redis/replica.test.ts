/** A shared cache that reads from a replica of a real Redis. A replica may lag behind its primary: here its link is cut. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Keyv from 'keyv';
import { expect, test } from 'vitest';
import { until } from '../../kit/until.js';
import { canStart, connect, RedisServer } from './redis-server.js';
import { SharedService } from './shared-service.js';

const PATIENCE = 60_000;

test.skipIf(!canStart)(
  'an invalidation that a replica lacks is pending, and believed where it was made and where its message arrived',
  async () => {
    await using primary = await RedisServer.own();
    const folder = await mkdtemp(join(tmpdir(), 'tenure-redis-')); // A replica writes what it has loaded.
    await using replica = await RedisServer.own([
      ...['--dir', folder, '--replicaof', '127.0.0.1', `${primary.port}`],
    ]);
    await using writes = await connect(primary.url);
    await using reads = await connect(replica.url);
    const isInStep = async (): Promise<boolean> =>
      (await reads.info('replication')).includes('master_link_status:up');
    await until(isInStep);
    const map = {
      get: (name: string) => reads.get(name),
      set: (name: string, value: string, ttl?: number) =>
        writes.set(name, value, ttl === undefined ? {} : { PX: Math.ceil(ttl) }),
      delete: async (name: string) => (await writes.del(name)) > 0,
      clear: () => {},
    };
    const shared = { store: new Keyv({ store: map as never }) };
    await using service = new SharedService({ url: primary.url, shared });
    await using unconnected = new SharedService({ url: primary.url, parts: [], shared });
    unconnected.source = () => 'new';
    const [one, other] = [await service.member(), await service.member()];
    expect(await one('a')).toBe('old');
    await one.flush();
    await until(async () => (await reads.dbSize()) === (await writes.dbSize()));

    await reads.sendCommand(['REPLICAOF', '127.0.0.1', '1']);
    service.source = () => 'new';
    one.delete('a');
    expect(await one.flush()).toBe(false);
    expect([await one('a'), await other('a')]).toEqual(['new', 'new']);
    const third = await unconnected.member();
    expect(await third('a'), 'without the bus').toBe('old');

    await reads.sendCommand(['REPLICAOF', '127.0.0.1', `${primary.port}`]);
    await until(isInStep);
    await until(() => one.flush());
    third[Symbol.dispose]();
    const fourth = await unconnected.member();
    expect(await fourth('a')).toBe('new');
  },
  PATIENCE,
);

test.skipIf(!canStart)(
  'a Redis that restarts from a snapshot brings no old result back whose invalidation it had confirmed',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tenure-redis-'));
    await using server = await RedisServer.own(['--dir', folder]);
    await using service = new SharedService({ url: server.url, options: { max: 1 } });
    const [one, other] = [await service.member(), await service.member()];
    await one('a');
    await one.flush();
    await using admin = await connect(server.url);
    await admin.sendCommand(['SAVE']);
    service.source = () => 'new';
    one.delete('a');
    expect(await one.flush()).toBe(true);
    for (const value of [one, other]) {
      expect(await value('a')).toBe('new');
      await value('b'); // `a` leaves this process.
      await value.flush();
    }

    await server.kill();
    await server.start();
    await until(() => one.cacheInfo().shared?.bus === 'disconnected');
    await until(() => one.cacheInfo().shared?.bus === 'connected');
    await until(() => one.flush());
    expect([await one('a'), await other('a')]).toEqual(['new', 'new']);
    const third = await service.member();
    expect(await third('a'), 'a new process').toBe('new');
  },
  PATIENCE,
);
