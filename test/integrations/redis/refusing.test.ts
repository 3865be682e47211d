/** Shared caches over a real Redis that refuses, hangs, forgets or has foreign data. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type KeyvRedis from '@keyv/redis';
import Keyv6 from 'keyv-6';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/core/clock.js';
import type { SharedStore } from '../../../src/memoize/shared/index.js';
import { FakeClock } from '../../kit/fake-clock.js';
import { until } from '../../kit/until.js';
import { canStart, connect, RedisServer } from './redis-server.js';
import { type Member, SharedService } from './shared-service.js';

const PATIENCE = 60_000;

type Admin = Awaited<ReturnType<typeof connect>>;

/** States in which Redis refuses writes, and how it leaves them. */
const REFUSALS: Readonly<
  Record<string, { refuse(admin: Admin): Promise<unknown>; relent(admin: Admin): Promise<unknown> }>
> = {
  'READONLY, as after a failover (jaredwray/keyv#1472, redis/node-redis#2326)': {
    refuse: (admin) => admin.sendCommand(['REPLICAOF', '127.0.0.1', '1']),
    relent: (admin) => admin.sendCommand(['REPLICAOF', 'NO', 'ONE']),
  },
  'OOM (opencollective/opencollective-api#10005)': {
    refuse: (admin) => admin.sendCommand(['CONFIG', 'SET', 'maxmemory', '1']),
    relent: (admin) => admin.sendCommand(['CONFIG', 'SET', 'maxmemory', '0']),
  },
  NOPERM: {
    refuse: (admin) => admin.sendCommand(['ACL', 'SETUSER', 'default', '-set']),
    relent: (admin) => admin.sendCommand(['ACL', 'SETUSER', 'default', '+set']),
  },
  MISCONF: {
    async refuse(admin) {
      const { dir } = await admin.configGet('dir');
      await rm(dir as string, { recursive: true });
      await admin.sendCommand(['CONFIG', 'SET', 'save', '3600 1']);
      await admin.sendCommand(['BGSAVE']).catch(() => {});
      await until(async () => (await admin.info('persistence')).includes('bgsave_status:err'));
    },
    relent: (admin) => admin.sendCommand(['CONFIG', 'SET', 'stop-writes-on-bgsave-error', 'no']),
  },
};

/** How many reads and writes a server was sent, refused ones too. */
async function commandsOf(admin: Admin): Promise<number> {
  const lines = (await admin.info('commandstats')).split('\r\n');
  const counts = lines.filter((line) => /^cmdstat_(get|mget|set|del|unlink):/.test(line));
  return counts
    .flatMap((line) => [...line.matchAll(/\b(?:rejected_)?calls=(\d+)/g)])
    .reduce((sum, [, count]) => sum + Number(count), 0);
}

/** Waits until the attempts that are underway have ended: no error comes for some round trips. */
async function settled(member: Member): Promise<void> {
  let [last, quiet] = [-1, 0];
  await until(() => {
    const { sharedErrors } = member.cacheInfo();
    quiet = sharedErrors === last ? quiet + 1 : 0;
    last = sharedErrors;
    return quiet === 5;
  });
}

function keyv6(store: KeyvRedis<string>, namespace: string): SharedStore {
  return new Keyv6({ store, namespace });
}

async function ownServer(): Promise<RedisServer> {
  return RedisServer.own(['--dir', await mkdtemp(join(tmpdir(), 'tenure-redis-'))]);
}

describe.skipIf(!canStart)('a Redis that refuses writes', () => {
  test.each(
    Object.entries(REFUSALS).flatMap(([name, refusal]) => [
      [`${name}, Keyv 5`, refusal, {}] as const,
      [`${name}, Keyv 6`, refusal, { keyv: keyv6 }] as const,
    ]),
  )(
    'an invalidated result is served by no process, and the invalidation arrives later: %s',
    async (_, { refuse, relent }, keyv) => {
      await using server = await ownServer();
      await using admin = await connect(server.url);
      await using service = new SharedService({ url: server.url, ...keyv });
      const [one, other] = [await service.member(), await service.member()];
      expect([await one('k'), await one.flush(), await other('k')]).toEqual(['old', true, 'old']);
      expect(service.loads).toBe(1);

      await refuse(admin);
      service.source = () => 'new';
      one.delete('k');
      expect(await one.flush()).toBe(false);
      expect(one.cacheInfo().shared).toMatchObject({ pendingInvalidations: 1 });
      expect(await one('k')).toBe('new');
      await until(async () => (await other('k')) === 'new');
      expect(await other('k')).toBe('new');

      await relent(admin);
      await until(() => one.flush());
      expect(one.cacheInfo().shared).toMatchObject({ pendingInvalidations: 0 });
      const late = await service.member();
      expect([await late('k'), await one('k'), await other('k')]).toEqual(['new', 'new', 'new']);
    },
    PATIENCE,
  );

  test.each(Object.entries(REFUSALS))(
    'it is sent few commands while thousands of invalidations are pending, and gets all when it takes writes again: %s',
    async (_, { refuse, relent }) => {
      await using server = await ownServer();
      await using admin = await connect(server.url);
      const clock = new FakeClock();
      await using service = new SharedService({
        url: server.url,
        parts: [],
        shared: { clock, storeTimeoutMillis: Number.POSITIVE_INFINITY },
      });
      const one = await service.member();
      await one('k');
      await one.flush();
      await refuse(admin);
      const before = await commandsOf(admin);
      for (let id = 0; id < 5_000; id++) one.delete(`k${id}`);
      await until(() => one.cacheInfo().sharedErrors > 0);
      await settled(one);
      const atFirst = await commandsOf(admin);
      expect(atFirst - before).toBeLessThan(3_000);
      for (let round = 0; round < 10; round++) {
        const { sharedErrors } = one.cacheInfo();
        await clock.advance(1_000);
        await until(() => one.cacheInfo().sharedErrors > sharedErrors);
        await settled(one);
      }
      expect((await commandsOf(admin)) - atFirst).toBeLessThan(10 * 80);
      expect(one.cacheInfo().shared).toMatchObject({ pendingInvalidations: 5_000 });

      await relent(admin);
      await clock.advance(1_000);
      await until(() => one.cacheInfo().shared?.pendingInvalidations === 0);
    },
    PATIENCE,
  );

  test(
    'a slow load that an invalidation overtook is believed by no later process, without a bus',
    async () => {
      await using server = await ownServer();
      await using admin = await connect(server.url);
      await using service = new SharedService({ url: server.url, parts: [] });
      const one = await service.member();
      let land = (_: string): void => {};
      service.source = () =>
        new Promise((resolve) => {
          land = resolve;
        });
      const early = one('k');
      await until(() => service.loads === 1);
      await REFUSALS['OOM (opencollective/opencollective-api#10005)']?.refuse(admin);
      one.delete('k');
      expect(await one.flush()).toBe(false);
      await REFUSALS['OOM (opencollective/opencollective-api#10005)']?.relent(admin);
      land('old');
      expect(await early).toBe('old');
      await until(() => one.flush());
      service.source = () => 'new';
      const late = await service.member();
      expect([await late('k'), await one('k')]).toEqual(['new', 'new']);
    },
    PATIENCE,
  );

  test(
    'a refused key holds back no other: useautumn/autumn#2619',
    async () => {
      await using server = await ownServer();
      await using admin = await connect(server.url);
      await using service = new SharedService({ url: server.url });
      const [one, other] = [await service.member(), await service.member()];
      for (const id of ['a', 'b']) await one(id);
      await one.flush();
      for (const id of ['a', 'b']) await other(id);
      // No write of the token of `a` is allowed: the ACL selector of all other names stays.
      await admin.sendCommand([
        'ACL',
        'SETUSER',
        'default',
        'resetkeys',
        '%R~*',
        `%W~*"b"*`,
        '%W~*cache*',
        '%W~*tags*',
      ]);
      service.source = () => 'new';
      one.delete('a');
      one.delete('b');
      await one.flush();
      expect(one.cacheInfo().shared).toMatchObject({ pendingInvalidations: 1 });
      await until(async () => (await other('b')) === 'new');
      await until(async () => (await other('a')) === 'new');
      const late = await service.member();
      expect(await late('b')).toBe('new');
      await admin.sendCommand(['ACL', 'SETUSER', 'default', 'resetkeys', '~*']);
      await until(() => one.flush());
      expect(await (await service.member())('a')).toBe('new');
    },
    PATIENCE,
  );
});

describe.skipIf(!canStart)('a Redis that gives no answers', () => {
  /** The real time, which the test can put forward. */
  function skippingClock() {
    const clock = { ...systemClock, skipped: 0, now: () => systemClock.now() + clock.skipped };
    return clock;
  }

  test.each([{ parts: ['bus'] }, { parts: ['bus', 'lock'] }] as const)(
    'calls go on without it after the first, and come back to it: $parts',
    async ({ parts }) => {
      await using server = await ownServer();
      const clock = skippingClock();
      await using service = new SharedService({
        url: server.url,
        parts,
        shared: { clock, storeTimeoutMillis: 100 },
      });
      const one = await service.member();
      await one('warm');
      await one.flush();
      server.freeze();
      try {
        expect(await one('cold')).toBe('old');
        expect(one.cacheInfo().shared).toMatchObject({ store: 'resting' });
        const errors = service.errors.length;
        for (let id = 0; id < 500; id++) expect(await one(`cold ${id}`)).toBe('old');
        expect(one.cacheInfo().loads).toBeGreaterThanOrEqual(502);
        expect(service.errors.length - errors, 'one kind of error is one report').toBeLessThan(5);
        service.source = () => 'new';
        one.delete('warm');
        expect(await one('warm')).toBe('new');
      } finally {
        server.thaw();
      }
      clock.skipped = 60_000;
      await until(async () => {
        await one('probe');
        return one.cacheInfo().shared?.store === 'answering';
      });
      await until(() => one.flush());
      const late = await service.member();
      expect(await late('warm')).toBe('new');
    },
    PATIENCE,
  );

  test(
    'a restart without data costs loads and nothing else',
    async () => {
      await using server = await ownServer();
      await using service = new SharedService({ url: server.url, parts: ['bus', 'lock'] });
      const [one, other] = [await service.member(), await service.member()];
      await one('k');
      await one.flush();
      await other('k');
      await server.kill();
      service.source = () => 'new';
      one.delete('k');
      expect(await one('k')).toBe('new');
      await server.start();
      await until(() => one.flush());
      await until(async () => (await other('k')) === 'new');
      expect(await (await service.member())('k')).toBe('new');
    },
    PATIENCE,
  );

  test(
    'a restart with old data, during which Redis refuses all but to load it, costs loads and nothing else',
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'tenure-redis-'));
      await using server = await RedisServer.own([
        ...['--dir', folder, '--enable-debug-command', 'yes'],
        ...['--key-load-delay', '1000', '--loading-process-events-interval-bytes', '1024'],
      ]);
      await using service = new SharedService({ url: server.url, parts: ['bus', 'lock'] });
      const [one, other] = [await service.member(), await service.member()];
      for (const member of [one, other]) await member('k');
      await one.flush();
      await using saver = await connect(server.url);
      await saver.sendCommand(['DEBUG', 'POPULATE', '100000']);
      await saver.sendCommand(['SAVE']);
      saver.destroy();
      await server.kill();

      const started = server.start();
      await until(() => isLoading(server.url));
      service.source = () => 'new';
      one.delete('k');
      expect(await one.flush()).toBe(false);
      for (const member of [one, other, one]) expect(await member('k')).toBe('new');
      expect(await isLoading(server.url)).toBe(true);
      expect(one.cacheInfo().loadFailures).toBe(0);

      await using hastener = await connect(server.url);
      await hastener.sendCommand(['CONFIG', 'SET', 'key-load-delay', '0']);
      await started;
      await until(() => one.flush());
      for (const member of [await service.member(), one]) expect(await member('k')).toBe('new');
      await until(async () => (await other('k')) === 'new');
    },
    PATIENCE,
  );
});

/** Whether a server answers that it is loading its data. */
async function isLoading(url: string): Promise<boolean> {
  try {
    await using client = await connect(url);
    await client.get('k');
    return false;
  } catch (error) {
    return String(error).includes('LOADING');
  }
}

describe.skipIf(!canStart)('foreign data in Redis', () => {
  test(
    'a lock without an end holds up a load no longer than the ttl of locks',
    async () => {
      await using server = await ownServer();
      await using admin = await connect(server.url);
      await using service = new SharedService({ url: server.url, parts: ['lock'] });
      const one = await service.member();
      await admin.set(`${service.space}:lock:${service.space}:value:lock:{["k"]}`, 'foreign');
      const called = one('k');
      await until(async () => (await admin.keys(`${service.space}:lock:*`)).length > 0);
      await until(
        async () =>
          (await admin.pTTL(`${service.space}:lock:${service.space}:value:lock:{["k"]}`)) > 0,
      );
      expect(await called).toBe('old');
    },
    PATIENCE,
  );
});
