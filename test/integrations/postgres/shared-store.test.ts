/** Shared caches over a Keyv in a real Postgres: its names have at most 255 characters, and its requests overtake each other. */
import { randomUUID } from 'node:crypto';
import KeyvPostgres from '@keyv/postgres';
import Keyv from 'keyv';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type LocalPostgres,
  startLocalPostgres,
} from '../../../examples/service/local-postgres.js';
import { memoize } from '../../../src/memoize/index.js';
import { sharedCache } from '../../../src/memoize/shared/index.js';
import { AsyncDisposableStack } from '../../../src/scope/index.js';
import { until } from '../../kit/until.js';
import { canStart } from './postgres-server.js';

const PATIENCE = 60_000;

describe.skipIf(!canStart)('a cache that processes share in Postgres', () => {
  let server: LocalPostgres;
  beforeAll(async () => {
    server = await startLocalPostgres();
  }, PATIENCE);
  afterAll(() => server[Symbol.asyncDispose]());

  /** Caches of one function, as processes of a service have them. */
  async function service(storeTimeoutMillis = 10_000) {
    const adapter = new KeyvPostgres({ uri: server.url });
    await adapter.get('its table is made');
    const namespace = randomUUID();
    const caches = new AsyncDisposableStack();
    const made = {
      source: 'old',
      loads: 0,
      member: () => {
        const cache = memoize(
          async (_: string) => {
            made.loads++;
            return made.source;
          },
          {
            name: 'teas',
            ttl: 3_600_000,
            tags: (_, id) => [`tag of ${id.slice(0, 1)}`],
            onError: () => {},
            shared: sharedCache({
              store: new Keyv({ store: adapter, namespace }),
              storeTimeoutMillis,
            }),
          },
        );
        caches.defer(async () => {
          await cache.flush();
          cache[Symbol.dispose]();
        });
        return cache;
      },
      async [Symbol.asyncDispose]() {
        await caches.disposeAsync();
        await adapter.disconnect();
      },
    };
    return made;
  }

  test('results that are loaded at one time into an empty store are all shared', async () => {
    await using shop = await service();
    const [one, other] = [shop.member(), shop.member()];
    const ids = Array.from({ length: 100 }, (_, id) => `tea ${id}`);
    await Promise.all(ids.map((id) => one(id)));
    expect(await one.flush()).toBe(true);
    await Promise.all(ids.map((id) => other(id)));
    expect(shop.loads).toBe(ids.length);
  });

  test('a long argument is shared and invalidated like any other', async () => {
    await using shop = await service();
    const one = shop.member();
    const long = 'x'.repeat(1_000);
    await one(long);
    await one.flush();
    expect([await shop.member()(long), shop.loads]).toEqual(['old', 1]);
    shop.source = 'new';
    one.delete(long);
    expect(await one.flush()).toBe(true);
    expect(await shop.member()(long)).toBe('new');
  });

  test(
    'while its table is locked, calls load without it, and no invalidated result is served',
    async () => {
      await using shop = await service(500);
      const [one, other] = [shop.member(), shop.member()];
      await one('assam');
      expect(await one.flush()).toBe(true);
      const locker = new pg.Client({ connectionString: server.url });
      await locker.connect();
      await locker.query('begin; lock table keyv in access exclusive mode');
      shop.source = 'new';
      one.delete('assam');
      expect([await one('assam'), await one('oolong')]).toEqual(['new', 'new']);
      expect(await other('sencha')).toBe('new');
      expect(one.cacheInfo().shared).toMatchObject({ store: 'resting', pendingInvalidations: 1 });
      await locker.query('rollback');
      await locker.end();
      await until(() => one.flush());
      expect(await shop.member()('assam')).toBe('new');
    },
    PATIENCE,
  );
});
