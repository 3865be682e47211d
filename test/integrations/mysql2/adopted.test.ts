/** An adopted pool of mysql2, on a real MariaDB. */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import genericPool from 'generic-pool';
import callbacks from 'mysql2';
import mysql from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { adoptPool as adoptGenericPool } from '../../../src/integrations/generic-pool.js';
import { type AdoptedPool, adoptPool } from '../../../src/integrations/mysql2.js';
import { Watchdog } from '../../../src/watchdog/index.js';
import { FakeClock } from '../../kit/fake-clock.js';
import { until } from '../../kit/until.js';
import { keepsTheContract } from '../adoption/adoption-contract.js';
import { refusesCallersOfAnEndedPeer } from '../adoption/ended-peer.js';
import { outlivesFailures } from '../adoption/failure-contract.js';
import { canStart, MariadbServer } from './mariadb-server.js';

describe.skipIf(!canStart)('on a real MariaDB', () => {
  let server: MariadbServer;
  beforeAll(async () => {
    server = await MariadbServer.start();
  }, 60_000);
  afterAll(() => server[Symbol.asyncDispose]());

  const config = (max: number): mysql.PoolOptions => ({
    host: '127.0.0.1',
    port: server.port,
    user: 'root',
    connectionLimit: max,
  });

  describe('with promises', () => {
    keepsTheContract<mysql.PoolConnection>((max, options) => {
      const peer = mysql.createPool(config(max));
      return {
        pool: adoptPool(peer, options),
        take: () => peer.getConnection(),
        give: (connection) => connection.release(),
        work: (connection) => connection.query('select 1'),
        identify: (connection) => connection.threadId,
        isEnded: () => isRefused(peer.query('select 1')),
      };
    });

    outlivesFailures<mysql.PoolConnection>(
      (port, max) => ({
        pool: adoptPool(mysql.createPool({ ...config(max), port })),
        ask: answer,
      }),
      () => server,
    );

    test.each(['by a lease', 'from the peer'])(
      'a loan taken %s stays told as lost when the peer ends its connections',
      async (how) => {
        const clock = new FakeClock();
        const peer = mysql.createPool(config(1));
        const pool = adoptPool(peer, { clock, acquireTimeoutMillis: 1e9 });
        using watchdog = new Watchdog({ clock, graceMillis: 0 });
        watchdog.watch(pool);
        const events: string[] = [];
        watchdog.on('leak', ({ rule }) => events.push(rule));
        watchdog.on('retracted', () => events.push('retracted'));
        const take = (): Promise<unknown> =>
          how === 'by a lease' ? pool.lease() : peer.getConnection();
        const taken = await watchdog.scope('request', take);
        const waiting = pool.lease().catch(String);
        await clock.advance(200_000);
        const told = await watchdog.check();
        expect(told).toHaveLength(1);
        await peer.end();
        await clock.advance(2_000);
        expect((await watchdog.check()).map(({ rule }) => rule)).toEqual([told[0]?.rule]);
        expect(events).not.toContain('retracted');
        expect(events).not.toContain('direct-release');
        expect(taken).toBeDefined();
        await pool.close({ force: true, graceMillis: 0 });
        await waiting;
      },
    );

    test('a listener of the peer that throws fails no release', async () => {
      const print = vi.spyOn(console, 'error').mockImplementation(() => {});
      const peer = mysql.createPool(config(1));
      const pool = adoptPool(peer);
      peer.once('release', () => {
        throw new Error('no metrics');
      });
      const lease = await pool.lease();
      await lease.release();
      expect(String(print.mock.calls[0])).toContain('no metrics');
      print.mockRestore();
      expect(await pool.use(answer)).toBe(1);
      expect(pool.stats()).toMatchObject({ size: 1, available: 1, borrowed: 0 });
      await pool.close({ endPeer: true });
    });

    test('a connection that is killed during a loan is discarded and replaced', async () => {
      const pool = adoptPool(mysql.createPool(config(1)), { name: 'db' });
      const killed = pool.use(async (connection, context) => {
        await server.kill(connection.threadId);
        await connection.query('select 1').finally(() => context.discard('killed'));
      });
      await expect(killed).rejects.toThrow();
      expect(await pool.use(answer)).toBe(1);
      expect(pool.stats()).toMatchObject({ size: 1, borrowed: 0, destroyedBy: { killed: 1 } });
      await pool.close({ endPeer: true });
    });

    test('a connection that is killed during a statement fails that statement only', async () => {
      const pool = adoptPool(mysql.createPool(config(1)), { name: 'db' });
      let threadId = 0;
      const inStatement = pool.use((connection) => {
        threadId = connection.threadId;
        return connection.query('select sleep(60)');
      });
      const failed = expect(inStatement).rejects.toThrow();
      const waiting = pool.use(answer);
      await until(() => server.isRunning('select sleep(60)'));
      await server.kill(threadId);
      await failed;
      expect(await waiting).toBe(1);
      expect(pool.stats()).toMatchObject({ size: 1, borrowed: 0, pending: 0, loans: 2 });
      await pool.close({ endPeer: true });
    });

    test('a connection that is killed while it is idle is replaced, and no caller sees it', async () => {
      const pool = adoptPool(mysql.createPool(config(2)), { name: 'db' });
      const threadId = await pool.use((connection) => connection.threadId);
      expect(pool.stats()).toMatchObject({ size: 1, available: 1 });
      await server.kill(threadId);
      await until(() => pool.stats().size === 0);
      expect(await pool.use(answer)).toBe(1);
      expect(pool.stats()).toMatchObject({ size: 1, available: 1, borrowed: 0 });
      expect(await server.connections()).toBe(1);
      await pool.close({ endPeer: true });
      await until(async () => (await server.connections()) === 0);
    });

    test('many callers that give up cost the pool nothing', async () => {
      const pool = adoptPool(mysql.createPool(config(3)));
      const leaving = new AbortController();
      const { signal } = leaving;
      const left = Array.from({ length: 30 }, () => pool.use(answer, { signal }).catch(String));
      const staying = Array.from({ length: 30 }, () => pool.use(answer));
      leaving.abort(new Error('left'));
      expect(new Set(await Promise.all(left))).toEqual(new Set(['Error: left']));
      expect(await Promise.all(staying)).toEqual(Array.from({ length: 30 }, () => 1));
      await until(() => pool.stats().borrowed === 0); // Connections for callers that left may still come.
      expect(pool.stats()).toMatchObject({ borrowed: 0, pending: 0, loans: 30 });
      await pool.close({ endPeer: true });
    });

    refusesCallersOfAnEndedPeer(() => {
      const peer = mysql.createPool(config(1));
      return {
        pool: adoptPool(peer),
        end: () => peer.end(),
        endLoan: (lease) => lease.destroy(),
      };
    }, /Pool is closed/);

    test("a getConnection that is not mysql2's own is called for each loan", async () => {
      const replaced = mysql.createPool(config(1));
      const getConnection = vi.spyOn(replaced, 'getConnection');
      const pool = adoptPool(replaced);
      expect(await pool.use(answer)).toBe(1);
      expect(await pool.use(answer)).toBe(1);
      expect(getConnection).toHaveBeenCalledTimes(2);
      await pool.close({ endPeer: true });
    });

    test('a getConnection that is replaced later is called from then on', async () => {
      const peer = mysql.createPool(config(1));
      const pool = adoptPool(peer);
      expect(await pool.use(answer)).toBe(1);
      vi.spyOn(peer, 'getConnection').mockRejectedValue(new Error('not today'));
      await expect(pool.use(answer)).rejects.toThrow('not today');
      await pool.close({ endPeer: true });
    });

    test('a subclass with a getConnection of its own is asked by that', async () => {
      const peer = mysql.createPool(config(1));
      class Counted extends (peer.constructor as new (pool: unknown) => mysql.Pool) {
        asked = 0;
        override getConnection(): Promise<mysql.PoolConnection> {
          this.asked++;
          return super.getConnection();
        }
      }
      const counted = new Counted(peer.pool);
      const pool = adoptPool(counted);
      expect(await pool.use(answer)).toBe(1);
      expect(counted.asked).toBe(1);
      await pool.close({ endPeer: true });
    });

    /** Releases a connection that has rows left to read, and expects another one for the next caller. */
    const replacesUnread = async (pool: AdoptedPool<mysql.PoolConnection>): Promise<void> => {
      const print = vi.spyOn(console, 'error').mockImplementation(() => {});
      await pool.use(async ({ connection }) => {
        const rows = core(connection).query(MANY_ROWS).stream();
        await once(rows, 'data');
        rows.pause();
      });
      expect(await pool.use(answer)).toBe(1);
      expect(pool.stats().destroyedBy).toEqual({ reset: 1 });
      print.mockRestore();
      await pool.close({ endPeer: true });
      await until(async () => (await server.connections()) === 0);
    };

    test('a connection that was released before its rows are read is destroyed if they are not read in time', async () => {
      await replacesUnread(adoptPool(mysql.createPool(config(1)), { hookTimeoutMillis: 50 }));
    });

    test('a connection in a pool of generic-pool that was released before its rows are read is destroyed if they are not read in time', async () => {
      const peer = genericPool.createPool({
        create: () => mysql.createConnection(config(1)) as Promise<mysql.PoolConnection>,
        async destroy({ connection }) {
          (connection as unknown as { stream: Duplex }).stream.destroy();
        },
      });
      await replacesUnread(adoptGenericPool(peer, { hookTimeoutMillis: 50 }));
    });

    test('a connection that was released before its rows are read serves on if they are read in time', async () => {
      const pool = adoptPool(mysql.createPool(config(1)));
      const lease = await pool.lease();
      const rows = core(lease.resource.connection).query(ROWS).stream();
      const released = lease.release();
      expect(await rows.toArray()).toHaveLength(5_000);
      await released;
      expect(await pool.use(answer)).toBe(1);
      expect(pool.stats()).toMatchObject({ size: 1, destroyed: 0 });
      await pool.close({ endPeer: true });
    });

    test('each loan of a connection gives the same object', async () => {
      const pool = adoptPool(mysql.createPool(config(1)));
      const first = await pool.use((connection) => ({ connection }));
      const second = await pool.use((connection) => ({ connection }));
      expect(second.connection).toBe(first.connection);
      await pool.close({ endPeer: true });
    });

    test("a failing connection attempt rejects with mysql2's own error", async () => {
      const pool = adoptPool(mysql.createPool({ ...config(1), user: 'nobody', password: 'x' }));
      await expect(pool.lease()).rejects.toMatchObject({ code: 'ER_ACCESS_DENIED_ERROR' });
      expect(pool.stats()).toMatchObject({ borrowed: 0, pending: 0 });
      await pool.close({ endPeer: true });
    });
  });

  describe('with callbacks', () => {
    keepsTheContract<callbacks.PoolConnection>((max, options) => {
      const peer = callbacks.createPool(config(max));
      return {
        pool: adoptPool(peer, options),
        take: () =>
          new Promise((resolve, reject) => {
            peer.getConnection((error, connection) =>
              error === null ? resolve(connection) : reject(error),
            );
          }),
        give: (connection) => connection.release(),
        work: (connection) => connection.promise().query('select 1'),
        identify: (connection) => connection.threadId,
        isEnded: () => isRefused(peer.promise().query('select 1')),
      };
    });
  });
});

const MANY_ROWS = 'select * from mysql.help_topic a, mysql.help_topic b';
const ROWS = 'select seq from mysql.seq_1_to_5000';

function core(connection: unknown): callbacks.Connection {
  return connection as callbacks.Connection;
}

async function answer(connection: mysql.Connection): Promise<unknown> {
  const [rows] = await connection.query<mysql.RowDataPacket[]>('select 1 as n');
  return rows[0]?.['n'];
}

async function isRefused(query: Promise<unknown>): Promise<boolean> {
  return query.then(
    () => false,
    (error: unknown) => String(error).includes('Pool is closed'),
  );
}
