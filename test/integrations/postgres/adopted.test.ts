/** pg.Pool and knex's pool, adopted, on a real Postgres. */
import { randomUUID } from 'node:crypto';
import { knex as openKnex } from 'knex';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type LocalPostgres,
  startLocalPostgres,
} from '../../../examples/service/local-postgres.js';
import { adoptPool as adoptPgPool } from '../../../src/integrations/pg.js';
import { adoptPool as adoptTarnPool } from '../../../src/integrations/tarn.js';
import { keepsTheContract } from '../adoption/adoption-contract.js';
import { canStart, Overseer, until } from './postgres-server.js';

describe.skipIf(!canStart)('on a real Postgres', () => {
  let server: LocalPostgres;
  beforeAll(async () => {
    server = await startLocalPostgres();
  }, 60_000);
  afterAll(() => server[Symbol.asyncDispose]());

  const openPgPool = (max: number, name = 'adopted'): pg.Pool => {
    const peer = new pg.Pool({ connectionString: server.url, max, application_name: name });
    peer.on('error', () => {});
    return peer;
  };

  describe('pg.Pool', () => {
    keepsTheContract<pg.PoolClient>((max, options) => {
      const peer = openPgPool(max);
      return {
        pool: adoptPgPool(peer, options),
        take: () => peer.connect(),
        give: (client) => client.release(),
        work: (client) => client.query('select 1'),
        identify: (client) => client,
        isEnded: async () => peer.ended,
      };
    });

    test('a client that broke while it was held is discarded, and replaced', async () => {
      const name = `test-${randomUUID()}`;
      const pool = adoptPgPool(openPgPool(2, name), { name });
      await using overseer = await Overseer.of(server.url);
      const broken = pool.use(async (client, context) => {
        client.on('error', () => {});
        expect(await overseer.kill(name)).toBe(1);
        await client.query('select 1').finally(() => context.discard());
      });
      await expect(broken).rejects.toThrow();
      expect(await pool.use(answer)).toBe(1);
      await pool.close({ endPeer: true });
      await until(async () => (await overseer.backends(name)) === 0);
    });

    test('callers who leave by the dozen cost the pool nothing', async () => {
      const peer = openPgPool(3);
      const pool = adoptPgPool(peer);
      const leaving = new AbortController();
      const { signal } = leaving;
      const left = Array.from({ length: 30 }, () => pool.use(answer, { signal }).catch(String));
      const staying = Array.from({ length: 30 }, () => pool.use(answer));
      leaving.abort(new Error('left'));
      expect(new Set(await Promise.all(left))).toEqual(new Set(['Error: left']));
      expect(await Promise.all(staying)).toEqual(Array.from({ length: 30 }, () => 1));
      await until(() => peer.waitingCount === 0 && peer.idleCount === peer.totalCount);
      expect(pool.stats()).toMatchObject({ borrowed: 0, pending: 0, loans: 30 });
      await pool.close({ endPeer: true });
    });
  });

  describe('the pool of knex', () => {
    const open = (max: number) =>
      openKnex({ client: 'pg', connection: server.url, pool: { min: 0, max } });

    keepsTheContract<pg.Client>((max, options) => {
      const db = open(max);
      let isEnded = false;
      db.client.pool.on('poolDestroySuccess', () => {
        isEnded = true;
      });
      return {
        pool: adoptTarnPool<pg.Client>(db.client.pool, options),
        take: () => db.client.acquireConnection(),
        give: (client) => db.client.releaseConnection(client),
        work: (client) => client.query('select 1'),
        identify: (client) => client,
        isEnded: async () => isEnded,
      };
    });

    test('its own queries go on, on the same connections', async () => {
      const db = open(1);
      const pool = adoptTarnPool<pg.Client>(db.client.pool, { name: 'knex' });
      const lease = await pool.lease();
      const own = db.select(db.raw('1 as n')).first();
      expect(await answer(lease.resource)).toBe(1);
      void lease.release();
      expect(await own).toEqual({ n: 1 });
      const within = await pool.use(async (client) => db.raw('select 2 as n').connection(client));
      expect(within.rows).toEqual([{ n: 2 }]);
      await pool.close();
      await db.destroy();
    });
  });
});

async function answer(client: pg.ClientBase): Promise<number | undefined> {
  const { rows } = await client.query<{ n: number }>('select 1 as n');
  return rows[0]?.n;
}
