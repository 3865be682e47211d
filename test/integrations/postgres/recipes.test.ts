/** The recipes for Postgres in the documentation, run on a real server. */
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openOrdersDb } from '../../../examples/postgres/adopted-pool.js';
import { moveItems, openOrders } from '../../../examples/postgres/client-pool.js';
import { listen } from '../../../examples/postgres/listen.js';
import {
  type LocalPostgres,
  startLocalPostgres,
} from '../../../examples/service/local-postgres.js';
import { collectGarbage } from '../../kit/collect-garbage.js';
import { lineOf } from '../../kit/line-of.js';
import { until } from '../../kit/until.js';
import { canStart, Overseer } from './postgres-server.js';

describe.skipIf(!canStart)('recipes on a real Postgres', () => {
  let server: LocalPostgres;
  beforeAll(async () => {
    server = await startLocalPostgres();
  }, 60_000);
  afterAll(() => server[Symbol.asyncDispose]());

  async function setUp() {
    const name = `test-${randomUUID()}`;
    const config: pg.PoolConfig = { connectionString: server.url, application_name: name };
    const overseer = await Overseer.of(server.url);
    const pool = openOrders(config);
    const reports: string[] = [];
    const { peer, db } = openOrdersDb({ ...config, max: 2 }, (text) => reports.push(text));
    const table = `t${randomUUID().replaceAll('-', '')}`;
    await pool.use((client) => client.query(`create table ${table} (n int)`));
    return {
      name,
      overseer,
      pool,
      peer,
      db,
      reports,
      add: (n: number) => async (client: pg.ClientBase) =>
        (await client.query(`insert into ${table} values (${n}) returning n`)).rows,
      rows: async (): Promise<number[]> => {
        const { rows } = await pool.use((client) => client.query(`select n from ${table}`));
        return rows.map(({ n }) => n);
      },
      async [Symbol.asyncDispose](): Promise<void> {
        await pool.close();
        await db.close({ endPeer: true });
        await until(async () => (await overseer.backends(name)) === 0);
        await overseer[Symbol.asyncDispose]();
      },
    };
  }

  test('moveItems: both orders change, or neither', async () => {
    await using t = await setUp();
    await t.pool.use((client) =>
      client.query(
        'create table orders (id int primary key, items int); insert into orders values (1, 5), (2, 0)',
      ),
    );
    await moveItems(t.pool, 1, 2, 3);
    await expect(moveItems(t.pool, 1, 2, 3)).rejects.toThrow('order 1 has less than 3 items');
    const { rows } = await t.pool.use((client) =>
      client.query('select id, items from orders order by id'),
    );
    expect(rows).toEqual([
      { id: 1, items: 2 },
      { id: 2, items: 3 },
    ]);
    expect(t.pool.stats()).toMatchObject({ borrowed: 0, destroyed: 0 });
    await t.pool.use((client) => client.query('drop table orders'));
  });

  test('listen: every message arrives, and the place in the pool is free', async () => {
    await using t = await setUp();
    const heard: string[] = [];
    {
      await using _listening = await listen(t.pool, 'news', (message) => heard.push(message));
      await Promise.all([t.rows(), t.rows(), t.rows()]);
      expect(t.pool.size).toBeLessThanOrEqual(2);
      await t.pool.use((client) => client.query("notify news, 'first'; notify news, 'second'"));
      await until(() => heard.length === 2);
    }
    await t.pool.use((client) => client.query("notify news, 'without a listener'"));
    expect(heard).toEqual(['first', 'second']);
    expect(t.pool.stats()).toMatchObject({ borrowed: 0, detached: 1 });
  });

  test('listen: the end of the connection is told', async () => {
    await using t = await setUp();
    const end = new Promise<void>((resolve) => {
      void listen(t.pool, 'news', () => {}, resolve).then(() => t.overseer.kill(t.name));
    });
    await end;
    expect(await t.rows()).toEqual([]);
  });

  test('adopted: an idle client that breaks does not end the process, and the next query succeeds', async () => {
    await using t = await setUp();
    await t.db.use((client) => client.query('select 1'));
    await t.overseer.kill(t.name);
    await until(() => t.peer.totalCount === 0);
    expect(await t.db.use(t.add(1))).toEqual([{ n: 1 }]);
  });

  test('adopted: the report names the line that lost a client', async () => {
    await using t = await setUp();
    await (async () => {
      await t.db.lease(); // where a client is lost
    })();
    await until(async () => {
      await collectGarbage();
      return t.reports.length > 0;
    });
    const line = lineOf(import.meta.url, '// where a client is lost');
    expect(t.reports[0]).toContain('pool "orders-db"  certain ×1');
    expect(t.reports[0]).toContain(`recipes.test.ts:${line}`);
    await t.db.close({ graceMillis: 0, force: true });
  });
});
