/** Pools of bare clients of pg, on a real Postgres: nothing of one holder's session reaches the next. */

import { randomUUID } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../../examples/service/free-port.js';
import {
  type LocalPostgres,
  startLocalPostgres,
} from '../../../examples/service/local-postgres.js';
import {
  adoptPool,
  type ClientPoolOptions,
  createClientPool,
  PgRolledBackError,
  PgTransactionEndedError,
  transaction,
} from '../../../src/integrations/pg.js';
import { TcpProxy } from '../../kit/tcp-proxy.js';
import { until } from '../../kit/until.js';
import { expectNoSuspectInUse } from '../long-use.js';
import { LONG_USES } from './long-uses.js';
import { OpenCopy, OpenCursor, type OpenQuery } from './open-queries.js';
import { canStartPgBouncer, PgBouncer } from './pgbouncer.js';
import { canStart, expectAccounted, Overseer } from './postgres-server.js';

/** What a holder leaves behind, and what the next holder asks to see it. */
const LEFT_BEHIND: readonly [what: string, leave: string, look: string, expected: unknown][] = [
  ['a role', 'set role tenant', 'select current_user as it', 'postgres'],
  [
    'a session authorization',
    'set session authorization tenant',
    'select session_user as it',
    'postgres',
  ],
  ['a setting', "set work_mem = '77MB'", 'show work_mem', '4MB'],
  [
    'a custom setting',
    "set app.tenant = 'a'",
    "select current_setting('app.tenant', true) as it",
    '',
  ],
  ['a search path', 'set search_path = pg_catalog', 'show search_path', '"$user", public'],
  [
    'a temporary table',
    'create temp table basket (n int)',
    "select to_regclass('pg_temp.basket') as it",
    null,
  ],
  [
    'an advisory lock',
    'select pg_advisory_lock(7)',
    "select count(*)::int as it from pg_locks where locktype = 'advisory'",
    0,
  ],
  [
    'a cursor',
    'declare c cursor with hold for select 1',
    'select count(*)::int as it from pg_cursors',
    0,
  ],
  ['LISTEN', 'listen news', 'select count(*)::int as it from pg_listening_channels()', 0],
  [
    'a prepared statement',
    'prepare p as select 1',
    'select count(*)::int as it from pg_prepared_statements',
    0,
  ],
  ['an open transaction', 'begin', 'select now() = statement_timestamp() as it', true],
  ['a failed transaction', 'begin; select 1/0', 'select 1 as it', 1],
];

/** How often a holder fails: its error may arrive before or after the state of its transaction. */
const FAILING_HOLDERS = 50;

describe.skipIf(!canStart)('a pool of clients', () => {
  let server: LocalPostgres;
  beforeAll(async () => {
    server = await startLocalPostgres();
    await using pool = createClientPool({ connectionString: server.url }, { max: 1 });
    await pool.use((client) =>
      client.query(
        'create role tenant; create sequence numbers; create table stored (n int unique)',
      ),
    );
  }, 60_000);
  afterAll(() => server[Symbol.asyncDispose]());

  async function setUp(options: ClientPoolOptions = {}, config: pg.ClientConfig = {}) {
    const name = `test-${randomUUID()}`;
    const overseer = await Overseer.of(server.url);
    const pool = createClientPool(
      { connectionString: server.url, application_name: name, ...config },
      { max: 1, ...options },
    );
    return {
      pool,
      overseer,
      name,
      async [Symbol.asyncDispose](): Promise<void> {
        await pool.close();
        expectAccounted(pool.stats());
        await until(async () => (await overseer.backends(name)) === 0);
        await overseer[Symbol.asyncDispose]();
      },
    };
  }

  test.each(LONG_USES)('a client is no suspect while its holder %s', async (_does, use) => {
    await expectNoSuspectInUse(
      (options) => {
        const pool = createClientPool({ connectionString: server.url }, { max: 2, ...options });
        return {
          pool,
          async take() {
            const lease = await pool.lease();
            return { client: lease.resource, give: () => lease.release() };
          },
        };
      },
      (client) => use(client, server.url),
    );
  });

  test.each(LEFT_BEHIND)(
    '%s of one holder does not reach the next',
    async (_what, leave, look, expected) => {
      await using t = await setUp();
      await t.pool.use((client) => client.query(leave).catch(() => {}));
      expect(await t.pool.use((client) => firstValue(client, look))).toEqual(expected);
      expect(t.pool.stats()).toMatchObject({ created: 1, destroyed: 0 });
    },
  );

  test('a client whose transaction has failed is reset and kept, whenever the state of the transaction arrives', async () => {
    await using t = await setUp();
    for (let holder = 0; holder < FAILING_HOLDERS; holder++) {
      const failing = t.pool.use((client) => client.query('begin; select 1/0'));
      await expect(failing).rejects.toMatchObject({ code: '22012' });
    }
    await t.pool.use((client) => client.query('select 1'));
    expect(t.pool.stats()).toMatchObject({ created: 1, destroyed: 0 });
  });

  test('the last value of a sequence does not reach the next holder', async () => {
    await using t = await setUp();
    await t.pool.use((client) => client.query("select nextval('numbers')"));
    const last = t.pool.use((client) => client.query('select lastval()'));
    await expect(last).rejects.toMatchObject({ code: '55000' });
  });

  test('a transaction that was begun without an await does not swallow the statements of the next holder', async () => {
    await using t = await setUp();
    await t.pool.use((client) => {
      void client.query('begin').catch(() => {});
      void client.query('insert into stored values (1)').catch(() => {});
    });
    await t.pool.use((client) => client.query('insert into stored values (2)'));
    const stored = await t.pool.use((client) =>
      client.query('select n from stored where n in (1, 2)'),
    );
    expect(stored.rows).toEqual([{ n: 2 }]);
    expect(t.pool.stats()).toMatchObject({ created: 1, destroyed: 0 });
  });

  test('a type parser of one holder does not reach the next', async () => {
    await using t = await setUp();
    const parsed = async (client: pg.Client) => firstValue(client, 'select 7::int4 as it');
    await t.pool.use(async (client) => {
      client.setTypeParser(pg.types.builtins.INT4, (text) => `parsed ${text}`);
      expect(await parsed(client)).toBe('parsed 7');
    });
    expect(await t.pool.use(parsed)).toBe(7);
    expect(t.pool.stats()).toMatchObject({ created: 1, destroyed: 0 });
  });

  test.each<[what: string, change: (client: pg.Client & Record<string, unknown>) => unknown]>([
    ['the binary format', (client) => Object.assign(client, { binary: true })],
    ['pipelining', (client) => Object.assign(client, { pipeline: true })],
    [
      'a time limit of statements',
      (client) => Object.assign(client['connectionParameters'] as object, { query_timeout: 1 }),
    ],
    ['a replaced method', (client) => Object.assign(client, { query: async () => ({ rows: [] }) })],
    ['a property of its own', (client) => Object.assign(client, { isPrepared: true })],
    ['a symbol of its own', (client) => Object.assign(client, { [Symbol('tenant')]: 1 })],
    ['parsers of its own', (client) => Object.assign(client['_types'] as object, { text: {} })],
    [
      'a hidden property',
      (client) => Object.defineProperty(client, 'tenant', { value: 1, configurable: true }),
    ],
  ])('%s of one holder does not reach the next', async (_what, change) => {
    await using t = await setUp();
    const settings = async (client: pg.Client) => {
      await client.query("select pg_sleep(0.01), set_config('app.tenant', 'a', false)");
      const { connectionParameters, _types, query } = client as unknown as Record<string, object>;
      const own = Reflect.ownKeys(client).map(String).toSorted();
      const { binary, pipeline } = client as unknown as Record<string, unknown>;
      return [own, { ...connectionParameters }, { ..._types }, query, binary, pipeline];
    };
    const before = await t.pool.use(settings);
    await t.pool.use((client) => void change(client as never));
    expect(await t.pool.use(settings)).toEqual(before);
    expect(t.pool.stats()).toMatchObject({ created: 1, destroyed: 0 });
  });

  test('a client is destroyed if a holder has given it a property that cannot be removed', async () => {
    await using t = await setUp();
    await t.pool.use((client) => void Object.defineProperty(client, 'tenant', { value: 1 }));
    expect(await t.pool.use(async (client) => 'tenant' in client)).toBe(false);
    expect(t.pool.stats().destroyedBy).toEqual({ reset: 1 });
  });

  test.each<[what: string, open: () => OpenQuery]>([
    ['a cursor', () => new OpenCursor()],
    ['a COPY', () => new OpenCopy()],
  ])(
    'a client that is released with %s open is destroyed, and its error does not end the process',
    async (_what, open) => {
      await using t = await setUp({ validateTimeoutMillis: 50 }, { query_timeout: false as never });
      await t.pool.use((client) => void client.query(open()));
      expect(await t.pool.use((client) => firstValue(client, 'select 1 as it'))).toBe(1);
      await until(() => t.pool.stats().destroyed === 1);
      expect(t.pool.stats().destroyedBy).toEqual({ reset: 1 });
    },
  );

  test('the name of a prepared statement may be used for another text by the next holder', async () => {
    await using t = await setUp();
    const ask = (text: string) =>
      t.pool.use((client) => client.query({ name: 'ask', text }).then(({ rows }) => rows));
    expect(await ask('select 1 as n')).toEqual([{ n: 1 }]);
    expect(await ask('select 2 as n')).toEqual([{ n: 2 }]);
    expect(t.pool.stats()).toMatchObject({ created: 1, destroyed: 0 });
  });

  test('a configuration that has only inherited settings is that of the connection', async () => {
    const { hostname: host, port, username: user, password, pathname } = new URL(server.url);
    const settings = { host, port: Number(port), user, password, database: pathname.slice(1) };
    await using pool = createClientPool(Object.create(settings) as pg.ClientConfig);
    const { rows } = await pool.use((client) => client.query('select current_database() as it'));
    expect(rows).toEqual([{ it: settings.database }]);
  });

  test('with keepPreparedStatements a statement is prepared once', async () => {
    await using t = await setUp({ keepPreparedStatements: true });
    const ask = () => t.pool.use((client) => client.query({ name: 'ask', text: 'select 1' }));
    await ask();
    await ask();
    const count = 'select count(*)::int as it from pg_prepared_statements';
    expect(await t.pool.use((client) => firstValue(client, count))).toBe(1);
  });

  const KEEPING = {
    'with keepPreparedStatements': () => {
      const clients = createClientPool(
        { connectionString: server.url },
        { max: 1, keepPreparedStatements: true },
      );
      return { clients, close: () => clients.close() };
    },
    'of an adopted pool': () => {
      const clients = adoptPool(new pg.Pool({ connectionString: server.url, max: 1 }));
      return { clients, close: () => clients.close({ endPeer: true }) };
    },
  };
  const STALE = {
    'a migration has changed': 'alter table migrated add column if not exists more int',
    'an earlier holder has removed': 'deallocate all',
  };
  test.each(
    Object.keys(KEEPING).flatMap((pool) => Object.keys(STALE).map((way) => ({ pool, way }))),
  )('$pool: a prepared statement that $way fails once, not at each call', async ({ pool, way }) => {
    const { clients, close } = KEEPING[pool as keyof typeof KEEPING]();
    const ask = () =>
      clients
        .use((client) => client.query({ name: 'all', text: 'select * from migrated' }))
        .then(
          () => 'answered',
          () => 'failed',
        );
    await clients.use((client) =>
      client.query('drop table if exists migrated; create table migrated (n int)'),
    );
    await ask();
    await clients.use((client) => client.query(STALE[way as keyof typeof STALE]));
    expect([await ask(), await ask(), await ask()]).toEqual(['failed', 'answered', 'answered']);
    await close();
  });

  test('listeners of one holder do not hear what the next one causes', async () => {
    await using t = await setUp();
    const heard: unknown[] = [];
    for (let holder = 0; holder < 12; holder++) {
      await t.pool.use((client) => {
        client.on('notice', ({ message }) => heard.push(message));
        client.on('notification', ({ payload }) => heard.push(payload));
      });
    }
    await t.pool.use(async (client) => {
      expect(client.listenerCount('notice')).toBe(0);
      await client.query("do $$ begin raise notice 'secret'; end $$");
    });
    expect(heard).toEqual([]);
  });

  test('a holder that removes all listeners leaves a client whose break is noticed, and does not end the process', async () => {
    await using t = await setUp();
    await t.pool.use((client) => void client.removeAllListeners());
    await until(() => t.pool.available === 1);
    await t.overseer.kill(t.name);
    await until(() => t.pool.stats().destroyedBy['broken'] === 1);
    expect(await t.pool.use((client) => firstValue(client, 'select 1 as it'))).toBe(1);
  });

  test('settings of the connection stay', async () => {
    await using t = await setUp({}, { options: '-c work_mem=9MB', statement_timeout: 7_000 });
    await t.pool.use((client) => client.query("set work_mem = '77MB'; set statement_timeout = 0"));
    expect(await t.pool.use((client) => firstValue(client, 'show work_mem'))).toBe('9MB');
    expect(await t.pool.use((client) => firstValue(client, 'show statement_timeout'))).toBe('7s');
  });

  test('a client that the server has ended is not lent again, and no caller sees it', async () => {
    await using t = await setUp({ validateAfterIdleMillis: 0 });
    await t.pool.use((client) => client.query('select 1'));
    await t.overseer.kill(t.name);
    expect(await t.pool.use((client) => firstValue(client, 'select 1 as it'))).toBe(1);
    expect(t.pool.stats().destroyed).toBe(1);
  });

  test('a server that restarts rejects no caller, however often it is asked meanwhile', async () => {
    await using pool = createClientPool({ connectionString: server.url }, { max: 1 });
    await pool.use((client) => client.query('select 1'));
    await server.stop('immediate');
    await until(() => pool.stats().destroyed === 1); // Until then, a caller may get the client, whose query fails.
    const waiting = pool.use((client) => firstValue(client, 'select 1 as it'));
    await until(() => pool.stats().createErrors > 8);
    await server.start();
    expect(await waiting).toBe(1);
  });

  test('a server that has never been there rejects its callers, and so does a refused log-in', async () => {
    const port = await freePort();
    await using pool = createClientPool({ host: '127.0.0.1', port }, { max: 1 });
    await expect(pool.lease()).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
    const config: pg.ClientConfig = { connectionString: server.url };
    await using moved = createClientPool(config, { max: 1 });
    await moved.use((client) => client.query('select 1'));
    config.connectionString = server.url.replace(/[^/]*$/, 'elsewhere');
    await moved.invalidate();
    await expect(moved.lease()).rejects.toMatchObject({ cause: { code: '3D000' } });
    expect([pool.stats().createErrors, moved.stats().createErrors]).toEqual([8, 8]);
  });

  test('a server that becomes read-only: the client is not lent again', async () => {
    await using t = await setUp();
    const writing = t.pool.use(async (client) => {
      await client.query('set default_transaction_read_only = on');
      await client.query('insert into stored values (99)');
    });
    await expect(writing).rejects.toMatchObject({ code: '25006' });
    await until(() => t.pool.stats().destroyed === 1);
    expect(t.pool.stats().destroyedBy).toEqual({ broken: 1 });
  });

  test('a wrong option is refused at once', () => {
    const make = (options: object) => () => createClientPool({}, options as never);
    expect(make({ pooler: 'session' })).toThrow(/`pooler` must be one of/);
    expect(make({ keepPreparedStatements: 1 })).toThrow(/`keepPreparedStatements`/);
    expect(make({ maxx: 1 })).toThrow(/unknown option `maxx`/);
    expect(() => createClientPool('postgres://127.0.0.1/orders' as never)).toThrow(
      /`config` must be an object/,
    );
    expect(() => createClientPool({ statement_timeout: 1 }, { pooler: 'transaction' })).toThrow(
      /PgBouncer.*`statement_timeout`/,
    );
  });

  describe('transaction()', () => {
    /** The work inserts 10, ignores that it cannot insert it twice, and succeeds. */
    const swallowing = async (client: pg.ClientBase) => {
      await client.query('insert into stored values (10)');
      await client.query('insert into stored values (10)').catch(() => {});
      return 'stored';
    };

    test('a rollback in place of the commit is an error, and nothing is stored', async () => {
      await using t = await setUp();
      await expect(transaction(t.pool, swallowing)).rejects.toThrow(PgRolledBackError);
      const count = 'select count(*)::int as it from stored where n = 10';
      expect(await t.pool.use((client) => firstValue(client, count))).toBe(0);
      expect(t.pool.stats()).toMatchObject({ destroyed: 0, borrowed: 0 });
    });

    test('a rollback in place of the commit is an error for an adopted pool, too', async () => {
      const pool = adoptPool(new pg.Pool({ connectionString: server.url, max: 1 }));
      await expect(transaction(pool, swallowing)).rejects.toMatchObject({
        code: 'TENURE_PG_ROLLED_BACK',
      });
      expect(pool.stats()).toMatchObject({ size: 1, destroyed: 0, borrowed: 0 });
      await pool.close({ endPeer: true });
    });

    test.each([
      ['an open transaction', async () => {}],
      [
        'a failed transaction',
        (client: pg.ClientBase) => client.query('select 1 / 0').catch(() => {}),
      ],
    ])('%s of an earlier holder of an adopted client is rolled back first', async (_what, goOn) => {
      const pool = adoptPool(new pg.Pool({ connectionString: server.url, max: 1 }));
      await pool.use(async (client) => {
        await client.query('begin');
        await client.query('insert into stored values (40)');
        await goOn(client);
      });
      await transaction(pool, (client) => client.query('insert into stored values (41)'));
      const { rows } = await pool.use((client) =>
        client.query('delete from stored where n in (40, 41) returning n'),
      );
      expect(rows).toEqual([{ n: 41 }]);
      expect(pool.stats()).toMatchObject({ size: 1, destroyed: 0, borrowed: 0 });
      await pool.close({ endPeer: true });
    });

    test.each<[text: string, kept: { n: number }[]]>([
      ['commit; begin', [{ n: 30 }]],
      ['commit; begin; insert into stored values (31)', [{ n: 30 }]],
      ['commit and chain', [{ n: 30 }]],
      [
        "set local client_min_messages = 'error'; commit; set client_min_messages = 'error'",
        [{ n: 30 }],
      ],
      ['rollback; begin; insert into stored values (31)', []],
      ['abort; start transaction; insert into stored values (31)', []],
      ['rollback and chain', []],
      ['/* x */ ABORT\nWORK and  CHAIN; insert into stored values (31)', []],
    ])(
      'a work that sends `%s` is an error, and what it has begun is rolled back',
      async (text, kept) => {
        const pool = adoptPool(new pg.Pool({ connectionString: server.url, max: 1 }));
        const ending = transaction(pool, async (client) => {
          await client.query('insert into stored values (30)');
          await client.query(text);
        });
        await expect(ending).rejects.toMatchObject({ code: 'TENURE_PG_TRANSACTION_ENDED' });
        const { rows } = await pool.use((client) =>
          client.query('delete from stored where n in (30, 31) returning n'),
        );
        expect(rows).toEqual(kept);
        expect(pool.stats()).toMatchObject({ size: 1, destroyed: 0, borrowed: 0 });
        await pool.close({ endPeer: true });
      },
    );

    test.each([
      'savepoint s; rollback to savepoint s; begin',
      'savepoint s; rollback to savepoint s; start transaction; select 1',
      'savepoint chain; rollback to chain; select 1 as chain',
    ])('a work that sends `%s` is committed: the transaction stays open', async (text) => {
      await using t = await setUp();
      await transaction(t.pool, async (client) => {
        await client.query('insert into stored values (32)');
        await client.query(text);
      });
      const { rows } = await t.pool.use((client) =>
        client.query('delete from stored where n = 32 returning n'),
      );
      expect(rows).toEqual([{ n: 32 }]);
    });

    test.each([
      ['commit', 1],
      ['rollback', 0],
    ])(
      'a work that sends `%s` and `begin` without an await is an error, and what it has begun is rolled back',
      async (statement, kept) => {
        await using t = await setUp();
        const ending = transaction(t.pool, async (client) => {
          await client.query('insert into stored values (30)');
          const statements = [statement, 'begin', 'insert into stored values (31)'];
          for (const text of statements) void client.query(text).catch(() => {});
        });
        await expect(ending).rejects.toMatchObject({ code: 'TENURE_PG_TRANSACTION_ENDED' });
        const { rows } = await t.pool.use((client) =>
          client.query('delete from stored where n in (30, 31) returning n'),
        );
        expect(rows).toEqual(kept === 1 ? [{ n: 30 }] : []);
        expect(t.pool.stats()).toMatchObject({ created: 1, destroyed: 0 });
      },
    );

    test('statements that the work did not await are committed with it', async () => {
      await using t = await setUp();
      await transaction(t.pool, async (client) => {
        for (const n of [35, 36]) void client.query('insert into stored values ($1)', [n]);
      });
      const { rows } = await t.pool.use((client) =>
        client.query('delete from stored where n in (35, 36) returning n'),
      );
      expect(rows).toEqual([{ n: 35 }, { n: 36 }]);
    });

    test('a work that rolls back to a savepoint is committed, and leaves no listener', async () => {
      const pool = adoptPool(new pg.Pool({ connectionString: server.url, max: 1 }));
      const listeners = (client: pg.ClientBase): number => {
        const { connection } = client as unknown as { connection: EventEmitter };
        return connection.listenerCount('commandComplete');
      };
      const before = await pool.use(async (client) => listeners(client));
      await transaction(pool, async (client) => {
        await client.query('savepoint s; insert into stored values (33); rollback to savepoint s');
        await client.query('insert into stored values (34); release savepoint s');
      });
      const { rows } = await pool.use((client) =>
        client.query('delete from stored where n in (33, 34) returning n'),
      );
      expect(rows).toEqual([{ n: 34 }]);
      expect(await pool.use(async (client) => listeners(client))).toBe(before);
      await pool.close({ endPeer: true });
    });

    test.each(['commit', 'rollback'])(
      'a work that sends %s itself is an error, and its client serves on',
      async (statement) => {
        await using t = await setUp();
        const ending = transaction(t.pool, async (client) => {
          await client.query('insert into stored values (30)');
          await client.query(statement);
        });
        await expect(ending).rejects.toThrow(PgTransactionEndedError);
        await expect(ending).rejects.toMatchObject({ code: 'TENURE_PG_TRANSACTION_ENDED' });
        const count =
          'with gone as (delete from stored where n = 30 returning n) select count(*)::int as it from gone';
        expect(await t.pool.use((client) => firstValue(client, count))).toBe(
          statement === 'commit' ? 1 : 0,
        );
        expect(await transaction(t.pool, (client) => firstValue(client, 'select 1 as it'))).toBe(1);
        expect(t.pool.stats()).toMatchObject({ destroyed: 0, borrowed: 0 });
      },
    );

    test('a statement may fail behind a savepoint', async () => {
      await using t = await setUp();
      await transaction(t.pool, async (client) => {
        await client.query('insert into stored values (20); savepoint s');
        await client.query('insert into stored values (20)').catch(() => {});
        await client.query('rollback to s');
      });
      const { rows } = await t.pool.use((client) =>
        client.query('select n from stored where n = 20'),
      );
      expect(rows).toEqual([{ n: 20 }]);
    });

    test('it is isolated and read-only as asked', async () => {
      await using t = await setUp();
      const level = await transaction(
        t.pool,
        (client) => firstValue(client, 'show transaction_isolation'),
        { isolationLevel: 'serializable' },
      );
      expect(level).toBe('serializable');
      const writing = transaction(
        t.pool,
        (client) => client.query('insert into stored values (30)'),
        { readOnly: true },
      );
      await expect(writing).rejects.toMatchObject({ code: '25006' });
      await t.pool.use(() => {});
      expect(t.pool.stats()).toMatchObject({ created: 1, destroyed: 0 });
      const malformed = transaction(t.pool, async () => {}, { isolationLevel: 'none' as never });
      await expect(malformed).rejects.toMatchObject({ code: 'TENURE_INVALID_ARGUMENT' });
    });

    test('a connection that breaks while the server commits: the outcome is unknown', async () => {
      await using network = await TcpProxy.to(server.port);
      await using t = await setUp();
      await using pool = createClientPool(
        { host: '127.0.0.1', port: network.port, user: 'postgres', database: 'postgres' },
        { max: 1 },
      );
      await t.pool.use((client) =>
        client.query(`
          create table slow (n int);
          create function wait() returns trigger language plpgsql as
            'begin perform pg_sleep(20); return null; end';
          create constraint trigger waits after insert on slow deferrable initially deferred
            for each row execute function wait()`),
      );
      const committing = transaction(pool, async (client) => {
        await client.query('insert into slow values (1)');
      });
      const lost = expect(committing).rejects.toMatchObject({
        code: 'TENURE_COMMIT_UNKNOWN',
        cause: { code: 'ECONNRESET' },
      });
      const commits =
        "select count(*)::int as it from pg_stat_activity where query = 'commit' and state = 'active'";
      await until(
        async () => (await t.pool.use((client) => client.query(commits))).rows[0].it === 1,
      );
      network.cut();
      await lost;
      expect((await pool.use((client) => client.query('select 1 as it'))).rows).toEqual([
        { it: 1 },
      ]);
      await t.pool.use((client) =>
        client.query(
          "select pg_terminate_backend(pid) from pg_stat_activity where query = 'commit'",
        ),
      );
    });

    test('a connection that breaks during the work is destroyed', async () => {
      await using t = await setUp();
      const failing = transaction(t.pool, async (client) => {
        await t.overseer.kill(t.name);
        await client.query('select 1');
      });
      await expect(failing).rejects.toThrow();
      await until(() => t.pool.stats().destroyed === 1);
    });
  });

  describe.skipIf(!canStartPgBouncer)('behind PgBouncer', () => {
    const CONNECTIONS = 3;
    let bouncer: PgBouncer;
    beforeAll(async () => {
      bouncer = await PgBouncer.to(server.port, CONNECTIONS);
    }, 60_000);
    afterAll(() => bouncer[Symbol.asyncDispose]());

    test('without the option no client connects, and the error says why', async () => {
      await using pool = createClientPool({ connectionString: bouncer.url });
      await expect(pool.lease()).rejects.toMatchObject({
        code: 'TENURE_POOL_CREATE',
        cause: { message: expect.stringContaining('unsupported startup parameter') },
      });
    });

    test('with pooler: transaction, ten clients share three connections, and transactions are whole', async () => {
      await using pool = createClientPool(
        { connectionString: bouncer.url },
        { max: 10, pooler: 'transaction' },
      );
      await pool.use((client) => client.query('create table if not exists counted (n int)'));
      await Promise.all(
        Array.from({ length: 60 }, (_, n) =>
          transaction(pool, async (client) => {
            await client.query("set local work_mem = '77MB'");
            await client.query('insert into counted values ($1)', [n]);
            if (n % 3 === 0) throw new Error('rolled back');
          }).catch(() => {}),
        ),
      );
      const count = 'select count(*)::int as it from counted';
      expect(await pool.use((client) => firstValue(client, count))).toBe(40);
      expect(await pool.use((client) => firstValue(client, 'show work_mem'))).toBe('4MB');
      expect(pool.stats()).toMatchObject({ destroyed: 0, createErrors: 0 });
    });

    test.each([
      { mode: 'transaction', options: { pooler: 'transaction' }, config: {} },
      { mode: 'session', options: {}, config: { statement_timeout: false } },
    ] as const)(
      'a server that PgBouncer cannot reach in $mode mode makes no clients, so there is a pause before each attempt',
      async ({ mode, options, config }) => {
        await using cutOff = await PgBouncer.to(server.port, 1, mode);
        await using pool = createClientPool(
          { connectionString: cutOff.url, ...config },
          { max: 1, ...options },
        );
        await pool.use((client) => client.query('select 1'));
        await server.stop('immediate');
        await pool.evict(() => true);
        const leaving = new AbortController();
        const waiting = pool.lease({ signal: leaving.signal }).catch(String);
        await until(() => pool.stats().createErrors > 4);
        leaving.abort('left');
        expect([await waiting, pool.stats().created]).toEqual(['left', 1]);
        await server.start();
      },
    );

    test.each(LEFT_BEHIND)(
      'in session mode %s of one holder does not reach the next',
      async (_what, leave, look, expected) => {
        await using own = await PgBouncer.to(server.port, 1, 'session');
        await using pool = createClientPool(
          { connectionString: own.url, statement_timeout: false },
          { max: 1 },
        );
        await pool.use((client) => client.query(leave).catch(() => {}));
        expect(await pool.use((client) => firstValue(client, look))).toEqual(expected);
        expect(pool.stats()).toMatchObject({ created: 1, destroyed: 0 });
      },
    );

    test('a transaction that a holder left open is rolled back, and its connection is free for others', async () => {
      await using pool = createClientPool(
        { connectionString: bouncer.url },
        { max: 10, pooler: 'transaction' },
      );
      await pool.use((client) => client.query('create table if not exists kept (n int)'));
      for (let holder = 0; holder < 2 * CONNECTIONS; holder++) {
        await pool.use((client) => client.query('begin; insert into kept values (1)'));
      }
      const answers = await Promise.all(
        Array.from({ length: CONNECTIONS }, () =>
          pool.use((client) => firstValue(client, 'select count(*)::int as it from kept')),
        ),
      );
      expect(answers).toEqual([0, 0, 0]);
    });
  });
});

async function firstValue(client: pg.ClientBase, text: string): Promise<unknown> {
  const { rows } = await client.query<Record<string, unknown>>(text);
  return Object.values(rows[0] ?? {})[0];
}
