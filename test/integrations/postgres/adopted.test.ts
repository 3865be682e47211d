/** Adopted pools of pg and of knex, on a real Postgres. */
import { randomUUID } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import genericPool from 'generic-pool';
import { type Knex, knex as openKnex } from 'knex';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  type LocalPostgres,
  startLocalPostgres,
} from '../../../examples/service/local-postgres.js';
import { adoptPool as adoptGenericPool } from '../../../src/integrations/generic-pool.js';
import { type AdoptedPool, adoptPool as adoptPgPool } from '../../../src/integrations/pg.js';
import { adoptPool as adoptTarnPool } from '../../../src/integrations/tarn.js';
import type { Lease } from '../../../src/pool/index.js';
import { until } from '../../kit/until.js';
import { keepsTheContract } from '../adoption/adoption-contract.js';
import { refusesCallersOfAnEndedPeer } from '../adoption/ended-peer.js';
import { type FallibleServer, outlivesFailures } from '../adoption/failure-contract.js';
import { expectNoSuspectInUse } from '../long-use.js';
import { LONG_USES } from './long-uses.js';
import { OpenCopy, OpenCursor, type OpenQuery } from './open-queries.js';
import { canStart, Overseer } from './postgres-server.js';

describe.skipIf(!canStart)('on a real Postgres', () => {
  let server: LocalPostgres;
  beforeAll(async () => {
    server = await startLocalPostgres();
  }, 60_000);
  afterAll(() => server[Symbol.asyncDispose]());

  const openPgPool = (max: number, name = 'adopted'): pg.Pool => {
    return new pg.Pool({ connectionString: server.url, max, application_name: name });
  };

  const fallibleAt = (port: number): pg.ClientConfig => ({
    connectionString: `postgres://postgres@127.0.0.1:${port}/postgres`,
    application_name: 'fallible',
  });

  const fallible = (): FallibleServer => ({
    port: server.port,
    crash: () => server.stop('immediate'),
    start: () => server.start(),
    async connections() {
      await using overseer = await Overseer.of(server.url);
      return await overseer.backends('fallible');
    },
    async endConnections() {
      await using overseer = await Overseer.of(server.url);
      return await overseer.kill('fallible');
    },
  });

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

    outlivesFailures<pg.PoolClient>((port, max) => {
      const peer = new pg.Pool({ ...fallibleAt(port), max });
      return { pool: adoptPgPool(peer), ask: answer };
    }, fallible);

    test('a client that broke during a loan is discarded and replaced', async () => {
      const name = `test-${randomUUID()}`;
      const pool = adoptPgPool(openPgPool(2, name), { name });
      await using overseer = await Overseer.of(server.url);
      const broken = pool.use(async (client, context) => {
        expect(await overseer.kill(name)).toBe(1);
        await client.query('select 1').finally(() => context.discard());
      });
      await expect(broken).rejects.toThrow();
      expect(await pool.use(answer)).toBe(1);
      await pool.close({ endPeer: true });
      await until(async () => (await overseer.backends(name)) === 0);
    });

    test('a client that breaks during a statement or between two statements does not end the process', async () => {
      const name = `test-${randomUUID()}`;
      const pool = adoptPgPool(openPgPool(2, name), { name });
      await using overseer = await Overseer.of(server.url);
      const idler = await pool.lease();
      const ended = new Promise((resolve) => idler.resource.once('end', resolve));
      const inStatement = pool.use((client, context) =>
        client.query('select pg_sleep(60)').finally(() => context.discard()),
      );
      const failed = expect(inStatement).rejects.toThrow();
      await until(async () => (await overseer.backends(name, 'active')) === 1);
      expect(await overseer.kill(name)).toBe(2);
      await failed;
      await ended;
      await expect(idler.resource.query('select 1')).rejects.toThrow();
      void idler.release();
      expect(await Promise.all([pool.use(answer), pool.use(answer)])).toEqual([1, 1]);
      expect(pool.stats()).toMatchObject({ borrowed: 0, pending: 0, loans: 4 });
      await pool.close({ endPeer: true });
    });

    test('a client has one listener for errors, however many loans and adoptions it has', async () => {
      const peer = openPgPool(1);
      const pool = adoptPgPool(peer);
      const twin = adoptPgPool(peer);
      const listeners = await pool.use((client) => client.listenerCount('error'));
      for (let loan = 0; loan < 12; loan++) await pool.use(answer);
      expect(await twin.use((client) => client.listenerCount('error'))).toBe(listeners);
      await twin.close();
      await pool.close({ endPeer: true });
    });

    test('a client whose listeners a holder has removed does not end the process when it breaks in a later loan', async () => {
      const name = `test-${randomUUID()}`;
      const pool = adoptPgPool(openPgPool(1, name));
      await using overseer = await Overseer.of(server.url);
      await pool.use((client) => void client.removeAllListeners('error'));
      await using later = await pool.lease();
      const ended = new Promise((resolve) => later.resource.once('end', resolve));
      await overseer.kill(name);
      await ended;
      await later.destroy();
      await pool.close({ endPeer: true });
    });

    test('a client that was given back without its lease is not taken from its next holder', async () => {
      const peer = openPgPool(1);
      const pool = adoptPgPool(peer);
      const stale = await pool.lease();
      stale.resource.release();
      const stranger = await peer.connect();
      expect(() => stale.release()).toThrow(
        expect.objectContaining({ code: 'TENURE_POOL_DOUBLE_RELEASE' }),
      );
      expect(peer.idleCount).toBe(0);
      expect(await answer(stranger)).toBe(1);
      stranger.release();
      await pool.close({ endPeer: true });
    });

    describe.each<[what: string, open: () => OpenQuery]>([
      ['a cursor', () => new OpenCursor()],
      ['a COPY', () => new OpenCopy()],
    ])('a client that was released with %s open', (_what, open) => {
      test('is destroyed if that does not end in time, and its next holder is served', async () => {
        const print = vi.spyOn(console, 'error').mockImplementation(() => {});
        const pool = adoptPgPool(openPgPool(1), { hookTimeoutMillis: 50 });
        await pool.use(async (client) => void client.query(open()));
        expect(await pool.use(answer)).toBe(1);
        expect(pool.stats().destroyedBy).toEqual({ reset: 1 });
        expect(String(print.mock.calls[0])).toMatch(/a cursor, a stream or a COPY/);
        print.mockRestore();
        await pool.close({ endPeer: true });
      });

      test('leaves no listener on its connection, however often that ends in time', async () => {
        const pool = adoptPgPool(openPgPool(1));
        const listeners = ({ connection }: { connection?: EventEmitter }) =>
          ['readyForQuery', 'end'].map((event) => connection?.listenerCount(event));
        const before = await pool.use(async (client) => listeners(client as object));
        for (let loan = 0; loan < 3; loan++) {
          const query = open();
          const lease = await pool.lease();
          lease.resource.query(query);
          const released = lease.release();
          await query.submitted;
          query.end();
          await released;
        }
        expect(await pool.use(async (client) => listeners(client as object))).toEqual(before);
        expect(pool.stats().destroyed).toBe(0);
        await pool.close({ endPeer: true });
      });

      test('serves on if that ends in time', async () => {
        const pool = adoptPgPool(openPgPool(1));
        const query = open();
        const lease = await pool.lease();
        lease.resource.query(query);
        void lease.resource.query('select 1').catch(() => {});
        const released = lease.release();
        await query.submitted;
        query.end();
        await released;
        expect(await pool.use(answer)).toBe(1);
        expect(pool.stats()).toMatchObject({ size: 1, destroyed: 0 });
        await pool.close({ endPeer: true });
      });
    });

    test('a client whose statements are not answered yet is given back at once', async () => {
      const pool = adoptPgPool(openPgPool(1));
      const lease = await pool.lease();
      const sleeping = lease.resource.query('select pg_sleep(0.01)');
      expect(lease.release()).toBeUndefined();
      await sleeping;
      const failing = pool.use((client) => client.query('select 1/0'));
      await expect(failing).rejects.toMatchObject({ code: '22012' });
      expect(pool.stats()).toMatchObject({ resetting: 0, available: 1 });
      await pool.close({ endPeer: true });
    });

    refusesCallersOfAnEndedPeer(() => {
      const peer = openPgPool(1);
      return {
        pool: adoptPgPool(peer),
        end: () => peer.end(),
        endLoan: (lease) => lease.release(),
      };
    }, /after calling end on the pool/);

    type Answer = (error: unknown, client: pg.PoolClient) => void;
    test.each(['callback', 'promise', 'both'])(
      'a connect() of a subclass that fetches a token first is asked as it is; it answers by: %s: node-postgres#1873',
      async (way) => {
        const peer = openPgPool(1);
        const own = peer.connect.bind(peer);
        const token = vi.fn(async () => {});
        peer.connect = (async (answer: Answer) => {
          await token();
          if (way === 'callback') return own(answer as never);
          const client = await own();
          if (way === 'both') answer(undefined, client);
          return client;
        }) as typeof peer.connect;
        const pool = adoptPgPool(peer, { acquireTimeoutMillis: 2_000 });
        for (let loan = 0; loan < 3; loan++) {
          const { rows } = await pool.use((client) => client.query('select 1 as it'));
          expect(rows).toEqual([{ it: 1 }]);
        }
        token.mockRejectedValueOnce(new Error('no token'));
        await expect(pool.lease()).rejects.toThrow('no token');
        expect(pool.stats()).toMatchObject({ size: 1, available: 1, borrowed: 0, pending: 0 });
        await pool.close({ endPeer: true });
      },
    );

    type Take = (pool: AdoptedPool<pg.PoolClient>, peer: pg.Pool) => Promise<Taken>;
    test.each<[how: string, take: Take]>([
      ['by a lease', async (pool) => takenBy(await pool.lease())],
      [
        'from the peer',
        async (_pool, peer) => {
          const client = await peer.connect();
          return { client, give: () => client.release() };
        },
      ],
      [
        'by a lease that was detached',
        async (pool) => {
          const client = (await pool.lease()).detach();
          return { client, give: () => client.release() };
        },
      ],
    ])('a client that was taken %s is no suspect while its holder listens', async (_how, take) => {
      const peer = openPgPool(2);
      await expectNoSuspectInUse(
        ({ clock }) => {
          const pool = adoptPgPool(peer, { clock });
          return { pool, take: () => take(pool, peer) };
        },
        (client) => LONG_USES[0][1](client, server.url),
      );
      await peer.end();
    });

    test.each(LONG_USES)('a client is no suspect while its holder %s', async (_does, use) => {
      const peer = openPgPool(2);
      await expectNoSuspectInUse(
        ({ clock }) => {
          const pool = adoptPgPool(peer, { clock });
          return { pool, take: async () => takenBy(await pool.lease()) };
        },
        (client) => use(client, server.url),
      );
      await peer.end();
    });

    test.each(['releases', 'destroys'] as const)(
      'a listener of the peer that throws while a holder %s its client loses no place of the pool',
      async (end) => {
        const print = vi.spyOn(console, 'error').mockImplementation(() => {});
        const peer = openPgPool(1);
        const pool = adoptPgPool(peer, { acquireTimeoutMillis: 2_000 });
        peer.once('release', () => {
          throw new Error('no metrics');
        });
        const lease = await pool.lease();
        const next = pool.use(answer);
        await (end === 'releases' ? lease.release() : lease.destroy());
        expect(await next).toBe(1);
        expect(String(print.mock.calls[0])).toContain('no metrics');
        print.mockRestore();
        await pool.close({ endPeer: true });
        expect(peer.totalCount).toBe(0);
      },
    );

    test('many callers that give up cost the pool nothing', async () => {
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

  test('a client of generic-pool that was released with a cursor open is destroyed', async () => {
    const print = vi.spyOn(console, 'error').mockImplementation(() => {});
    const peer = genericPool.createPool<pg.Client>(
      {
        async create() {
          const client = new pg.Client(server.url);
          await client.connect();
          return client;
        },
        destroy: (client) => client.end(),
      },
      { max: 1 },
    );
    const pool = adoptGenericPool(peer, { hookTimeoutMillis: 50 });
    await pool.use(async (client) => void client.query(new OpenCursor()));
    expect(await pool.use(answer)).toBe(1);
    expect(pool.stats().destroyedBy).toEqual({ reset: 1 });
    print.mockRestore();
    await pool.close({ endPeer: true });
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

    outlivesFailures<pg.Client>((port, max) => {
      const connection = fallibleAt(port) as Knex.PgConnectionConfig;
      const log = { warn: () => {} }; // knex logs each connection that breaks.
      const db = openKnex({ client: 'pg', connection, log, pool: { min: 0, max } });
      return { pool: adoptTarnPool<pg.Client>(db.client.pool), ask: answer };
    }, fallible);

    test('a client that was released with a cursor open is destroyed', async () => {
      const print = vi.spyOn(console, 'error').mockImplementation(() => {});
      const db = open(1);
      const pool = adoptTarnPool<pg.Client>(db.client.pool, { hookTimeoutMillis: 50 });
      await pool.use(async (client) => void client.query(new OpenCursor()));
      expect(await db.select(db.raw('1 as n')).first()).toEqual({ n: 1 });
      expect(pool.stats().destroyedBy).toEqual({ reset: 1 });
      print.mockRestore();
      await pool.close();
      await db.destroy();
    });

    test('a client is no suspect while its holder listens', async () => {
      const db = open(2);
      await expectNoSuspectInUse(
        ({ clock }) => ({
          pool: adoptTarnPool<pg.Client>(db.client.pool, { clock }),
          async take() {
            const client: pg.Client = await db.client.acquireConnection();
            return { client, give: () => db.client.releaseConnection(client) };
          },
        }),
        (client) => LONG_USES[0][1](client, server.url),
      );
      await db.destroy();
    });

    test("knex's own queries work on these connections", async () => {
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

/** A client that was taken, and how to give it back. */
interface Taken {
  readonly client: pg.ClientBase;
  give(): unknown;
}

function takenBy(lease: Lease<pg.PoolClient>): Taken {
  return { client: lease.resource, give: () => lease.release() };
}

async function answer(client: pg.ClientBase): Promise<number | undefined> {
  const { rows } = await client.query<{ n: number }>('select 1 as n');
  return rows[0]?.n;
}
