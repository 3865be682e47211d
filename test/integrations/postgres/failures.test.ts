/**
 * A pool of Postgres connections while the server and the network fail. In every case all callers get an answer, the
 * pool recovers by itself, and the server has no connection that the pool does not know.
 */
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type LocalPostgres,
  startLocalPostgres,
} from '../../../examples/service/local-postgres.js';
import { createClientPool } from '../../../src/integrations/pg.js';
import { type Pool, PoolError, type PoolOptions } from '../../../src/pool/index.js';
import { codeOf } from '../../kit/code-of.js';
import { TcpProxy } from '../../kit/tcp-proxy.js';
import { until } from '../../kit/until.js';
import { canStart, expectAccounted, Overseer } from './postgres-server.js';

const PATIENCE = 60_000;

/** The most connections that the server accepts. */
const MAX_CONNECTIONS = 12;

describe.skipIf(!canStart)('a pool of Postgres connections', () => {
  let server: LocalPostgres;
  beforeAll(async () => {
    server = await startLocalPostgres({ max_connections: MAX_CONNECTIONS });
  }, PATIENCE);
  afterAll(() => server[Symbol.asyncDispose]());

  /** A pool that reaches the server through a proxy of the test. */
  async function setUp(options: PoolOptions = {}) {
    const proxy = await TcpProxy.to(server.port);
    const name = `test-${randomUUID()}`;
    const pool = createClientPool(
      {
        connectionString: `postgres://postgres@127.0.0.1:${proxy.port}/postgres`,
        application_name: name,
        query_timeout: 1_500,
      },
      {
        max: 4,
        acquireTimeoutMillis: 10_000,
        createTimeoutMillis: 1_500,
        validateTimeoutMillis: 1_500,
        validateAfterIdleMillis: 0,
        ...options,
      },
    );
    return {
      pool,
      proxy,
      name,
      /** Checks that the pool works at its full size, and that it counts as many connections as the server. */
      async expectWhole(width = pool.max): Promise<void> {
        await until(() => workAll(pool, width));
        await until(() => isAtRest(pool));
        const stats = pool.stats();
        expect(stats).toMatchObject({ borrowed: 0, pending: 0 });
        expectAccounted(stats);
        await using overseer = await Overseer.of(server.url);
        await until(async () => (await overseer.backends(name)) === pool.size);
      },
      async [Symbol.asyncDispose](): Promise<void> {
        await pool.close({ graceMillis: 5_000, force: true });
        proxy.heal();
        await using overseer = await Overseer.of(server.url);
        await until(async () => (await overseer.backends(name)) === 0);
        await proxy[Symbol.asyncDispose]();
        expectAccounted(pool.stats());
        expect(pool.size).toBe(0);
      },
    };
  }

  test('connections killed while idle are replaced, and no caller sees it', async () => {
    await using t = await setUp();
    await workAll(t.pool, 4);
    await until(() => isAtRest(t.pool));
    await using overseer = await Overseer.of(server.url);
    expect(await overseer.kill(t.name)).toBe(4);
    const answers = await Promise.all([0, 1, 2, 3, 4, 5].map((n) => ask(t.pool, n)));
    expect(answers).toEqual([0, 1, 2, 3, 4, 5]);
    const { invalid = 0, broken = 0 } = t.pool.stats().destroyedBy;
    expect(invalid + broken).toBe(4);
    await t.expectWhole();
  });

  test('connections that are killed during a statement fail that statement, and nothing else', async () => {
    await using t = await setUp();
    const busy = Array.from({ length: 4 }, () =>
      t.pool.use((client) => client.query('select pg_sleep(30)')).catch(codeOf),
    );
    const waiting = [7, 8, 9].map((n) => ask(t.pool, n));
    await using overseer = await Overseer.of(server.url);
    await until(async () => (await overseer.backends(t.name, 'active')) === 4);
    expect(await overseer.kill(t.name)).toBe(4);
    expect(await Promise.all(busy)).toEqual(['57P01', '57P01', '57P01', '57P01']);
    expect(await Promise.all(waiting)).toEqual([7, 8, 9]);
    await t.expectWhole();
    expect(t.pool.stats().destroyedBy).toEqual({ broken: 4 });
  });

  test('connections that are killed between two statements of a holder are not lent again', async () => {
    await using t = await setUp({ max: 2 });
    const leases = [await t.pool.lease(), await t.pool.lease()] as const;
    await using overseer = await Overseer.of(server.url);
    const ended = leases.map(
      ({ resource }) => new Promise<void>((resolve) => resource.once('end', resolve)),
    );
    await overseer.kill(t.name);
    await Promise.all(ended);
    const next = ask(t.pool, 3);
    for (const lease of leases) void lease.release();
    expect(await next).toBe(3);
    await t.expectWhole();
  });

  const STATEMENT_FAILURES = ['DatabaseError', 'Error'];
  test.each([
    { mode: 'fast', options: {}, failures: STATEMENT_FAILURES },
    { mode: 'immediate', options: {}, failures: STATEMENT_FAILURES },
    {
      mode: 'immediate',
      options: { createAttempts: 8 },
      failures: ['CreateError', ...STATEMENT_FAILURES],
    },
  ] as const)(
    'a server that is restarted ($mode) under load, with $options: every caller gets an answer, and the pool recovers',
    async ({ mode, options, failures }) => {
      await using t = await setUp(options);
      const outcomes: unknown[] = [];
      let isOver = false;
      const load = Array.from({ length: 12 }, async (_, worker) => {
        for (let n = 0; !isOver; n++) outcomes.push(await ask(t.pool, worker + n).catch(classOf));
      });
      await until(() => outcomes.length > 50);
      await server.stop(mode);
      await until(() => t.pool.stats().createErrors > 8);
      if ('createAttempts' in options) await until(() => outcomes.includes('CreateError'));
      await server.start();
      const answered = outcomes.length;
      await until(
        () => outcomes.slice(answered).filter((it) => typeof it === 'number').length > 50,
      );
      isOver = true;
      await Promise.all(load);
      const kinds = new Set(outcomes.map((it) => (typeof it === 'number' ? 'answer' : it)));
      for (const kind of kinds) expect(['answer', ...failures]).toContain(kind);
      await t.expectWhole();
    },
    PATIENCE,
  );

  test(
    'a server that takes no more connections: callers share the present ones, and all are served',
    async () => {
      await using t = await setUp({ max: 4 * MAX_CONNECTIONS });
      const callers = Array.from({ length: 100 }, (_, n) =>
        t.pool.use((client) => client.query('select pg_sleep(0.02)').then(() => n)),
      );
      expect(await Promise.all(callers)).toEqual(Array.from(callers.keys()));
      expect(t.pool.stats().capacityErrors).toBeGreaterThan(0);
      await until(() => isAtRest(t.pool));
      expectAccounted(t.pool.stats());
      await t.pool.clear();
      await t.expectWhole(4);
    },
    PATIENCE,
  );

  test(
    'when the server has free connections again, the callers that waited for them are served',
    async () => {
      await using others = await setUp({ max: MAX_CONNECTIONS });
      await using t = await setUp({ max: 3 });
      await until(() => workAll(others.pool, MAX_CONNECTIONS));
      const leases = await Promise.all(
        Array.from({ length: MAX_CONNECTIONS }, () => others.pool.lease()),
      );
      const waiting = [1, 2, 3].map((n) => ask(t.pool, n));
      await until(() => t.pool.stats().capacityErrors > 0);
      expect(t.pool.stats()).toMatchObject({ borrowed: 0, pending: 3 });
      await Promise.all(leases.map((lease) => lease.destroy()));
      expect(await Promise.all(waiting)).toEqual([1, 2, 3]);
      await t.expectWhole();
    },
    PATIENCE,
  );

  test(
    'a network that stalls: waits end by their timeouts, and the pool works again afterwards',
    async () => {
      await using t = await setUp({ acquireTimeoutMillis: 1_000 });
      await workAll(t.pool, 4);
      const held = await t.pool.lease();
      t.proxy.stall();
      const inside = held.resource.query('select 1').catch(classOf);
      const callers = Array.from({ length: 8 }, (_, n) => ask(t.pool, n).catch(classOf));
      const leaving = new AbortController();
      const left = t.pool
        .lease({ signal: leaving.signal })
        .catch((reason: Error) => reason.message);
      leaving.abort(new Error('left'));
      expect(await left).toBe('left');
      expect(new Set(await Promise.all(callers))).toEqual(new Set(['AcquireTimeoutError']));
      expect(await inside).toBe('Error'); // The client's own query timeout.
      await held.release();
      t.proxy.heal();
      await t.expectWhole();
    },
    PATIENCE,
  );

  test(
    'a stall that does not end: the places of the lost connections are free again',
    async () => {
      await using t = await setUp({ acquireTimeoutMillis: 2_000 });
      await workAll(t.pool, 4);
      t.proxy.stall();
      const outcomes = await Promise.all(
        Array.from({ length: 8 }, (_, n) => ask(t.pool, n).catch(classOf)),
      );
      for (const outcome of outcomes)
        expect(['AcquireTimeoutError', 'CreateTimeoutError']).toContain(outcome);
      await until(() => isAtRest(t.pool));
      expect(t.pool.size).toBe(0);
      expectAccounted(t.pool.stats());
      t.proxy.cut(); // The server then closes its side of the lost connections.
      t.proxy.heal();
      await t.expectWhole();
    },
    PATIENCE,
  );

  test(
    'a network that is cut under load: every caller gets an answer, and the pool recovers',
    async () => {
      await using t = await setUp();
      const outcomes: unknown[] = [];
      let isOver = false;
      const load = Array.from({ length: 12 }, async (_, worker) => {
        for (let n = 0; !isOver; n++) outcomes.push(await ask(t.pool, worker + n).catch(classOf));
      });
      for (let cuts = 1; cuts <= 5; cuts++) {
        await until(() => outcomes.length > cuts * 30);
        t.proxy.cut();
      }
      await until(() => outcomes.length > 300);
      isOver = true;
      await Promise.all(load);
      await t.expectWhole();
    },
    PATIENCE,
  );

  test(
    'a pool closes while the network is stalled',
    async () => {
      await using t = await setUp();
      await workAll(t.pool, 4);
      t.proxy.stall();
      const waiting = [1, 2, 3].map((n) => ask(t.pool, n).catch((error: unknown) => error));
      await t.pool.close({ graceMillis: 0, force: true });
      expect(t.pool.size).toBe(0);
      for (const error of await Promise.all(waiting)) expect(error).toBeInstanceOf(PoolError);
      t.proxy.cut();
    },
    PATIENCE,
  );

  test('the session state that a holder leaves behind is gone before the next loan', async () => {
    await using t = await setUp({ max: 1 });
    const quarrelsome = t.pool.use(async (client) => {
      await client.query('listen news');
      await client.query("set search_path = 'nowhere'");
      await client.query('select pg_advisory_lock(1)');
      await client.query('create temp table mine (id int)');
      await client.query('begin');
      await client.query('select 1/0');
    });
    expect(await quarrelsome.catch(codeOf)).toBe('22012');
    const left = await t.pool.use(async (client) => {
      const { rows } = await client.query(
        `select current_setting('search_path') as path, to_regclass('pg_temp.mine') as mine,
           (select count(*)::int from pg_listening_channels()) as channels,
           (select count(*)::int from pg_locks where locktype = 'advisory') as locks`,
      );
      return rows;
    });
    expect(left).toEqual([{ path: '"$user", public', mine: null, channels: 0, locks: 0 }]);
    expect(t.pool.stats()).toMatchObject({ created: 1, destroyed: 0 });
  });
});

/** Sends a caller's own number to the server and back, so that an answer for another caller is noticed. */
async function ask(pool: Pool<pg.Client>, n: number): Promise<number> {
  const answer = await pool.use(async (client) => {
    const { rows } = await client.query<{ n: number }>('select $1::int as n', [n]);
    return rows[0]?.n;
  });
  expect(answer).toBe(n);
  return n;
}

/** Whether `width` callers held a connection concurrently, and all got an answer. */
async function workAll(pool: Pool<pg.Client>, width: number): Promise<boolean> {
  const leases = await Promise.allSettled(Array.from({ length: width }, () => pool.lease()));
  const answers = await Promise.allSettled(
    leases.map(async (lease) => {
      if (lease.status === 'rejected') throw lease.reason;
      try {
        await lease.value.resource.query('select 1');
      } finally {
        await lease.value.release();
      }
    }),
  );
  return answers.every(({ status }) => status === 'fulfilled');
}

function isAtRest(pool: Pool<pg.Client>): boolean {
  return pool.size === pool.available && pool.pending === 0;
}

function classOf(error: unknown): string {
  return (error as Error).constructor.name;
}
