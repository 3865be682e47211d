import { AsyncLocalStorage } from 'node:async_hooks';
import mysql from 'mysql2';
import mysqlPromise from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ForeignPool } from '../../../src/node/foreign-pools/foreign-pool.js';
import { watchForeignPools } from '../../../src/node/index.js';
import { Watchdog } from '../../../src/watchdog/index.js';
import { canStart, MariadbServer } from '../../integrations/mysql2/mariadb-server.js';
import { keepsTheForeignContract } from './foreign-contract.js';

describe.skipIf(!canStart)('mysql2, on a real MariaDB', () => {
  let server: MariadbServer;
  beforeAll(async () => {
    server = await MariadbServer.start();
  }, 60_000);
  afterAll(() => server?.[Symbol.asyncDispose]());

  const optionsOf = (max: number) => ({
    host: '127.0.0.1',
    port: server.port,
    user: 'root',
    connectionLimit: max,
  });
  const REFUSED = { host: '127.0.0.1', port: 1 };

  const prototype = (): object => {
    let found = mysql.createPool(REFUSED) as object;
    while (!Object.hasOwn(found, 'getConnection')) found = Object.getPrototypeOf(found) as object;
    return found;
  };
  const shape = {
    poolName: 'mysql2',
    patchedMethods: ['getConnection', 'releaseConnection', 'query', 'execute', 'end'],
  };

  describe('by callbacks', () => {
    keepsTheForeignContract<mysql.PoolConnection>(() => ({
      ...shape,
      prototype: prototype(),
      make: (max) => callbackPeer(mysql.createPool(optionsOf(max))),
      makeBroken: () => callbackPeer(mysql.createPool(REFUSED)),
    }));
  });

  describe('by promises', () => {
    keepsTheForeignContract<mysqlPromise.PoolConnection>(() => ({
      ...shape,
      prototype: prototype(),
      make: (max) => promisePeer(mysqlPromise.createPool(optionsOf(max))),
      makeBroken: () => promisePeer(mysqlPromise.createPool(REFUSED)),
    }));
  });

  test('a query and an execution of the pool are no loans', async () => {
    using watchdog = new Watchdog();
    using _foreign = watchForeignPools(watchdog);
    const pool = mysqlPromise.createPool(optionsOf(1));
    await pool.query('select 1');
    await pool.execute('select 1');
    await expect(pool.query('select nothing_known')).rejects.toThrow('nothing_known');
    expect(watchdog.stats().loans).toBe(0);
    await pool.end();
  });

  test.each(['query', 'execute'] as const)(
    'a call of `%s` that gets no connection counts as a rejected caller, and a wrong one does not',
    async (method) => {
      using refused = vi.spyOn(ForeignPool.prototype, 'refused');
      using watchdog = new Watchdog();
      using _foreign = watchForeignPools(watchdog);
      const pool = mysqlPromise.createPool({ ...optionsOf(1), queueLimit: 1 });
      const held = await pool.getConnection();
      const call = (sql: string): Promise<unknown> =>
        method === 'query' ? pool.query(sql) : pool.execute(sql);
      const waiting = call('select 1');
      await expect(call('select 1')).rejects.toThrow('Queue limit reached');
      expect(refused).toHaveBeenCalledTimes(1);
      held.release();
      await waiting;
      await expect(call('select nothing_known')).rejects.toThrow('nothing_known');
      expect(refused).toHaveBeenCalledTimes(1);
      await pool.end();
    },
  );

  test.each<[method: string, ask: (pool: mysql.Pool, answered: () => void) => void]>([
    [
      'getConnection',
      (pool, answered) =>
        pool.getConnection((_error, connection) => {
          connection.release();
          answered();
        }),
    ],
    ['query', (pool, answered) => pool.query('select 1', answered)],
    ['execute', (pool, answered) => pool.execute('select 1', answered)],
  ])(
    'a callback of %s runs in the context of its caller, whoever has given the connection back',
    async (_method, ask) => {
      using watchdog = new Watchdog();
      using _foreign = watchForeignPools(watchdog);
      const context = new AsyncLocalStorage<string>();
      const pool = mysql.createPool(optionsOf(1));
      const held = await pool.promise().getConnection();
      const seen = context.run(
        'caller',
        () => new Promise((resolve) => ask(pool, () => resolve(context.getStore()))),
      );
      context.run('holder', () => held.release());
      expect(await seen).toBe('caller');
      await pool.promise().end();
    },
  );

  test.each(['query', 'execute'] as const)(
    'a callback of %s of a connection runs in the context of its caller, whoever has opened the connection',
    async (method) => {
      const context = new AsyncLocalStorage<string>();
      const pool = mysql.createPool(optionsOf(1));
      const unpatched = Object.getPrototypeOf(mysql.Connection.prototype)[method];
      {
        using watchdog = new Watchdog();
        using _foreign = watchForeignPools(watchdog);
        const connection = await context.run(
          'opener',
          () =>
            new Promise<mysql.PoolConnection>((resolve) =>
              pool.getConnection((_error, opened) => resolve(opened)),
            ),
        );
        const seen = await context.run(
          'caller',
          () =>
            new Promise((resolve) =>
              connection[method]('select 1', () => resolve(context.getStore())),
            ),
        );
        expect(seen).toBe('caller');
        connection.release();
      }
      expect(Object.getPrototypeOf(mysql.Connection.prototype)[method]).toBe(unpatched);
      await pool.promise().end();
    },
  );

  test('a query that waits for a connection which the server ends is no loan', async () => {
    using watchdog = new Watchdog();
    using _foreign = watchForeignPools(watchdog);
    const pool = mysqlPromise.createPool(optionsOf(1));
    const held = await pool.getConnection();
    const answers = [pool.query('select 1'), pool.execute('select 1')];
    held.destroy();
    await Promise.all(answers);
    expect(watchdog.stats()).toMatchObject({ loans: 1, loansOut: 0 });
    await pool.end();
  });

  test('a connection that the server has ended is no loan any more: its place in the pool is free', async () => {
    using watchdog = new Watchdog();
    using _foreign = watchForeignPools(watchdog);
    const pool = mysqlPromise.createPool(optionsOf(1));
    const connection = await pool.getConnection();
    expect(watchdog.stats().loansOut).toBe(1);
    await server.kill(connection.threadId as number);
    await expect(connection.query('select 1')).rejects.toThrow();
    expect(watchdog.stats().loansOut).toBe(0);
    await pool.end();
  });

  test('the end of a pool ends its loans, since it takes nothing back any more', async () => {
    using watchdog = new Watchdog();
    using _foreign = watchForeignPools(watchdog);
    const pool = mysqlPromise.createPool(optionsOf(1));
    await pool.getConnection();
    await pool.end();
    expect(watchdog.stats().loansOut).toBe(0);
  });
});

function callbackPeer(pool: mysql.Pool) {
  return {
    take: () =>
      new Promise<mysql.PoolConnection>((resolve, reject) => {
        pool.getConnection((error, connection) => (error ? reject(error) : resolve(connection)));
      }),
    give: (connection: mysql.PoolConnection) => connection.release(),
    destroy: (connection: mysql.PoolConnection) => connection.destroy(),
    end: () => new Promise<void>((resolve) => pool.end(() => resolve())),
  };
}

function promisePeer(pool: mysqlPromise.Pool) {
  return {
    take: () => pool.getConnection(),
    give: (connection: mysqlPromise.PoolConnection) => connection.release(),
    destroy: (connection: mysqlPromise.PoolConnection) => connection.destroy(),
    end: () => pool.end(),
  };
}
