import { AsyncLocalStorage } from 'node:async_hooks';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  type LocalPostgres,
  startLocalPostgres,
} from '../../../examples/service/local-postgres.js';
import { ForeignPool } from '../../../src/node/foreign-pools/foreign-pool.js';
import { watchForeignPools } from '../../../src/node/index.js';
import { Watchdog } from '../../../src/watchdog/index.js';
import { canStart } from '../../integrations/postgres/postgres-server.js';
import { keepsTheForeignContract } from './foreign-contract.js';

describe.skipIf(!canStart)('pg, on a real Postgres', () => {
  let server: LocalPostgres;
  beforeAll(async () => {
    server = await startLocalPostgres();
  }, 60_000);
  afterAll(() => server?.[Symbol.asyncDispose]());

  const open = (max: number): pg.Pool => new pg.Pool({ connectionString: server.url, max });

  const given = (take: (pool: pg.Pool) => Promise<pg.PoolClient>) => () => ({
    poolName: 'pg postgres',
    prototype: Object.getPrototypeOf(pg.Pool.prototype) as object,
    patchedMethods: ['connect', '_release', 'query'],
    make: (max: number) => peerOf(open(max), take),
    makeBroken: () => peerOf(new pg.Pool({ host: '127.0.0.1', port: 1 }), take),
  });

  describe('by promises', () =>
    keepsTheForeignContract<pg.PoolClient>(given((pool) => pool.connect())));

  describe('by callbacks', () => {
    keepsTheForeignContract<pg.PoolClient>(
      given(
        (pool) =>
          new Promise((resolve, reject) => {
            pool.connect((error, client) =>
              client === undefined ? reject(error) : resolve(client),
            );
          }),
      ),
    );
  });

  test('the third argument of a callback ends the loan, too', async () => {
    using watchdog = new Watchdog();
    using _foreign = watchForeignPools(watchdog);
    const pool = open(1);
    await new Promise<void>((resolve) => {
      pool.connect((_error, _client, release) => {
        expect(watchdog.stats().loansOut).toBe(1);
        release();
        resolve();
      });
    });
    expect(watchdog.stats()).toMatchObject({ loans: 1, loansOut: 0 });
    await pool.end();
  });

  test('a client is at work while its holder listens for notifications, and only then', async () => {
    using watchdog = new Watchdog({ graceMillis: 0 });
    using _foreign = watchForeignPools(watchdog);
    const pool = open(1);
    const client = await watchdog.scope('job', () => pool.connect());
    expect((await watchdog.check())[0]?.lastTouch).toBeUndefined();
    client.on('notification', () => {});
    expect((await watchdog.check())[0]?.lastTouch).toMatchObject({ hint: 'in use' });
    client.release();
    await pool.end();
  });

  test('what a callback takes belongs to the scope of its caller, whoever has given the client back', async () => {
    using watchdog = new Watchdog({ graceMillis: 0 });
    using _foreign = watchForeignPools(watchdog);
    const context = new AsyncLocalStorage<string>();
    const pool = open(1);
    const other = open(1);
    const held = await pool.connect();
    const taken = watchdog.scope(
      'caller',
      () =>
        new Promise<pg.PoolClient>((resolve) => {
          void pool.query('select 1', () =>
            other.connect((_error, client) => resolve(client as pg.PoolClient)),
          );
        }),
    );
    const seen = context.run(
      'caller',
      () =>
        new Promise((resolve) => {
          pool.connect((_error, _client, release) => {
            release();
            resolve(context.getStore());
          });
        }),
    );
    context.run('holder', () => watchdog.scope('holder', () => held.release()));
    const client = await taken;
    expect(await seen).toBe('caller');
    expect(await watchdog.check()).toMatchObject([{ scope: 'caller', count: 1 }]);
    client.release();
    await Promise.all([pool.end(), other.end()]);
  });

  test('what a callback of a client takes belongs to the scope of its caller, whoever has opened the connection', async () => {
    const { query } = pg.Client.prototype;
    const pool = open(1);
    const other = open(1);
    {
      using watchdog = new Watchdog({ graceMillis: 0 });
      using _foreign = watchForeignPools(watchdog);
      const client = await watchdog.scope('opener', async () => {
        const first = await pool.connect();
        first.release();
        return first;
      });
      expect(await pool.connect()).toBe(client);
      const taken = await watchdog.scope(
        'caller',
        () =>
          new Promise<pg.PoolClient>((resolve) => {
            client.query('select 1', () => {
              void other.connect().then(resolve);
            });
          }),
      );
      expect(await watchdog.check()).toMatchObject([{ scope: 'caller', count: 1 }]);
      expect((await client.query({ text: 'select 1 as one' })).rows).toEqual([{ one: 1 }]);
      taken.release();
      client.release();
    }
    expect(pg.Client.prototype.query).toBe(query);
    await Promise.all([pool.end(), other.end()]);
  });

  test('a query of the pool is no loan, in each of its forms', async () => {
    using watchdog = new Watchdog();
    using _foreign = watchForeignPools(watchdog);
    const pool = open(2);
    await pool.query('select 1');
    await new Promise<void>((resolve, reject) => {
      void pool.query('select 1', (error) => (error ? reject(error) : resolve()));
    });
    await expect(pool.query('select nothing_known')).rejects.toThrow('nothing_known');
    expect(watchdog.stats().loans).toBe(0);
    await pool.end();
  });

  test('a caller that waits too long is rejected by pg, and the client that came too late is no loan', async () => {
    using watchdog = new Watchdog();
    using _foreign = watchForeignPools(watchdog);
    const pool = new pg.Pool({ connectionString: server.url, max: 1 });
    const held = await pool.connect();
    pool.options.connectionTimeoutMillis = 20; // From now on: the first connection may take longer.
    await expect(pool.connect()).rejects.toThrow('timeout exceeded');
    held.release();
    expect(watchdog.stats()).toMatchObject({ loans: 1, loansOut: 0 });
    await pool.end();
  });

  test('a query that gets no client counts as a rejected caller, and a wrong one does not', async () => {
    using refused = vi.spyOn(ForeignPool.prototype, 'refused');
    using watchdog = new Watchdog();
    using _foreign = watchForeignPools(watchdog);
    const pool = new pg.Pool({ connectionString: server.url, max: 1 });
    const held = await pool.connect();
    pool.options.connectionTimeoutMillis = 20; // From now on: the first connection may take longer.
    await expect(pool.query('select 1')).rejects.toThrow('timeout exceeded');
    const failed = new Promise((resolve) => pool.query('select 1', resolve));
    expect(await failed).toMatchObject({ message: expect.stringContaining('timeout exceeded') });
    expect(refused).toHaveBeenCalledTimes(2);
    held.release();
    await expect(pool.query('select nothing_known')).rejects.toThrow('nothing_known');
    expect(refused).toHaveBeenCalledTimes(2);
    await pool.end();
  });

  test('the name of the pool has the database, and nothing else of its URL', async () => {
    using watchdog = new Watchdog({ graceMillis: 0 });
    using _foreign = watchForeignPools(watchdog);
    const url = server.url
      .replace('postgres@', 'postgres:s3cret@')
      .replace(/postgres$/, 'template1');
    const pool = new pg.Pool({ connectionString: `${url}?application_name=hush` });
    const client = await watchdog.scope('job', () => pool.connect());
    const [report] = await watchdog.check();
    expect(report?.component.name).toBe('pg template1');
    expect(JSON.stringify(report)).not.toMatch(/s3cret|hush/);
    client.release();
    await pool.end();
  });
});

function peerOf(pool: pg.Pool, take: (pool: pg.Pool) => Promise<pg.PoolClient>) {
  pool.on('error', () => {});
  return {
    take: () => take(pool),
    give: (client: pg.PoolClient) => client.release(),
    destroy: (client: pg.PoolClient) => client.release(true),
    end: () => pool.end(),
  };
}
