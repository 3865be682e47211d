/** Pools of bare connections of mysql2, on a real MariaDB: nothing of one holder's session reaches the next. */
import { once } from 'node:events';
import type { Connection as CoreConnection } from 'mysql2';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import mysql from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  adoptPool,
  type ClientPoolOptions,
  createClientPool,
  transaction,
} from '../../../src/integrations/mysql2.js';
import type { Clock, observe, Pool } from '../../../src/pool/index.js';
import { TcpProxy } from '../../kit/tcp-proxy.js';
import { until } from '../../kit/until.js';
import { expectNoSuspectInUse } from '../long-use.js';
import { canStart, MariadbServer } from './mariadb-server.js';

/** What a holder leaves behind, and what the next holder asks to see it. */
const LEFT_BEHIND: readonly [what: string, leave: string, look: string, expected: unknown][] = [
  ['a role', 'set role tenant', 'select current_role() as it', null],
  ['the chosen database', 'use tenants', 'select database() as it', 'orders'],
  ['a variable', 'set @tenant = 1', 'select @tenant as it', null],
  [
    'a setting',
    'set sort_buffer_size = 65536',
    'select @@sort_buffer_size = @@global.sort_buffer_size as it',
    1,
  ],
  ['a mode', "set sql_mode = ''", "select @@sql_mode like '%STRICT_TRANS_TABLES%' as it", 1],
  ['a character set', 'set names latin1', 'select @@character_set_client as it', 'utf8mb4'],
  ['switched-off commits', 'set autocommit = 0', 'select @@autocommit as it', 1],
  [
    'a temporary table',
    'create temporary table basket (n int)',
    "select count(*) as it from information_schema.tables where table_name = 'basket'",
    0,
  ],
  ['a lock', "select get_lock('l', 1)", "select is_free_lock('l') as it", 1],
  ['an open transaction', 'start transaction', 'select @@in_transaction as it', 0],
];

/** Stalls the network as soon as a holder sends a statement. */
function fallSilentAt(statement: string, connection: Connection, network: TcpProxy): void {
  const query = connection.query.bind(connection);
  connection.query = ((text: string) => {
    if (text === statement) network.stall();
    return query(text);
  }) as typeof query;
}

/** A pool of connections, and the pool of mysql2 under it, if there is one. */
interface OpenMysqlPool {
  readonly pool: Pick<Pool<Connection>, 'lease' | 'use' | 'close' | typeof observe>;
  readonly peer?: mysql.Pool;
}

describe.skipIf(!canStart)('a pool of connections', () => {
  let server: MariadbServer;
  beforeAll(async () => {
    server = await MariadbServer.start();
    await using pool = createClientPool(config(null));
    for (const statement of [
      'create database orders',
      'create database tenants',
      'create role tenant',
      'create table orders.stored (n int primary key) engine = InnoDB',
    ]) {
      await pool.use((connection) => connection.query(statement));
    }
  }, 60_000);
  afterAll(() => server[Symbol.asyncDispose]());

  const config = (database: string | null = 'orders'): mysql.ConnectionOptions => ({
    host: '127.0.0.1',
    port: server.port,
    user: 'root',
    ...(database === null ? {} : { database }),
  });

  async function setUp(options: ClientPoolOptions = {}) {
    const pool = createClientPool(config(), { max: 1, ...options });
    return {
      pool,
      async [Symbol.asyncDispose](): Promise<void> {
        await pool.close();
        await until(async () => (await server.connections()) === 0);
      },
    };
  }

  test.each<[kind: string, open: (clock: Clock) => OpenMysqlPool]>([
    ['a pool of clients', (clock) => ({ pool: createClientPool(config(), { max: 2, clock }) })],
    [
      'an adopted pool',
      (clock) => {
        const peer = mysql.createPool({ ...config(), connectionLimit: 2 });
        return { pool: adoptPool(peer, { clock }), peer };
      },
    ],
  ])('%s: a connection is no suspect while its holder waits for an answer', async (_kind, open) => {
    let peer: mysql.Pool | undefined;
    const other = await mysql.createConnection(config());
    await expectNoSuspectInUse<Connection>(
      ({ clock }) => {
        const opened = open(clock);
        peer = opened.peer;
        return {
          pool: opened.pool,
          async take() {
            const lease = await opened.pool.lease();
            return { client: lease.resource, give: () => lease.release() };
          },
        };
      },
      async (client) => {
        await other.query("select get_lock('long', 1)");
        const answer = client.query("select get_lock('long', 60)");
        return {
          async stop() {
            await other.end();
            await answer;
          },
        };
      },
    );
    await peer?.end();
  });

  test.each(LEFT_BEHIND)(
    '%s of one holder does not reach the next',
    async (_what, leave, look, expected) => {
      await using t = await setUp();
      await t.pool.use((connection) => connection.query(leave));
      expect(await t.pool.use((connection) => firstValue(connection, look))).toEqual(expected);
      expect(t.pool.stats()).toMatchObject({ created: 1, destroyed: 0 });
    },
  );

  test('a transaction that was begun without an await does not swallow the statements of the next holder', async () => {
    await using t = await setUp();
    await t.pool.use((connection) => {
      void connection.query('start transaction');
      void connection.query('insert into stored values (1)');
    });
    await t.pool.use((connection) => connection.query('insert into stored values (2)'));
    const sum = 'select cast(sum(n) as signed) as it from stored where n in (1, 2)';
    expect(await t.pool.use((connection) => firstValue(connection, sum))).toBe(2);
    expect(t.pool.stats()).toMatchObject({ created: 1, destroyed: 0 });
  });

  test('another user and another database of one holder do not reach the next', async () => {
    await using t = await setUp();
    await t.pool.use(async (connection) => {
      await connection.query("create or replace user other@'127.0.0.1' identified by 'secret'");
      await connection.query("grant all on tenants.* to other@'127.0.0.1'");
      await connection.changeUser({ user: 'other', password: 'secret', database: 'tenants' });
    });
    const who = "select concat(current_user(), ' in ', database()) as it";
    expect(await t.pool.use((connection) => firstValue(connection, who))).toBe(
      'root@127.0.0.1 in orders',
    );
  });

  test('settings that one holder changes on its connection do not reach the next', async () => {
    await using t = await setUp();
    await t.pool.use((connection) => {
      Object.assign(connection.config, {
        rowsAsArray: true,
        typeCast: () => 'cast',
        compressed: 1,
      });
    });
    expect(await t.pool.use(async ({ config }) => 'compressed' in config)).toBe(false);
    const [rows] = await t.pool.use((connection) => connection.query('select 1 as it'));
    expect(rows).toEqual([{ it: 1 }]);
    expect(t.pool.stats()).toMatchObject({ created: 1, destroyed: 0 });
  });

  test('methods that one holder replaces and properties that it adds do not reach the next', async () => {
    await using t = await setUp();
    await t.pool.use((connection) => {
      const { connection: core } = connection as unknown as { connection: object };
      const added = { isPrepared: true, [Symbol('tenant')]: 1 };
      Object.assign(connection, { query: async () => [[]], changeUser: async () => {} }, added);
      Object.assign(core, { query: () => {}, changeUser: () => {} }, added);
    });
    const own = async (connection: Connection) => {
      const { connection: core } = connection as unknown as { connection: object };
      const it = await firstValue(connection, 'select 1 as it');
      return [it, ...Reflect.ownKeys(connection), ...Reflect.ownKeys(core)].map(String);
    };
    const seen = await t.pool.use(own);
    expect(seen[0]).toBe('1');
    expect(seen).not.toEqual(expect.arrayContaining([expect.stringMatching(/tenant|isPrepared/)]));
    expect(seen).not.toEqual(expect.arrayContaining(['query']));
    expect(t.pool.stats()).toMatchObject({ created: 1, destroyed: 0 });
  });

  test('a log-in that one holder did not await does not reach the next', async () => {
    await using t = await setUp();
    await t.pool.use((connection) => void connection.changeUser({ database: 'tenants' }));
    const seen = async (connection: Connection) => [
      connection.config.database,
      await firstValue(connection, 'select database() as it'),
    ];
    expect(await t.pool.use(seen)).toEqual(['orders', 'orders']);
    expect(t.pool.stats()).toMatchObject({ created: 1, destroyed: 0 });
  });

  test.each<[what: string, form: mysql.ConnectionOptions]>([
    ['arrays', { rowsAsArray: true }],
    ['tables', { nestTables: true }],
    ['prefixed columns', { nestTables: '_' }],
    ['values of its own', { typeCast: () => 'cast' }],
    ['no values', { typeCast: () => null }],
  ])('a configuration that makes %s of rows does not hinder the reset', async (_what, form) => {
    await using pool = createClientPool({ ...config(), ...form }, { max: 1 });
    await pool.use(async (connection) => {
      await connection.query("set sql_mode = ''");
      await connection.query('set role tenant');
    });
    const [rows] = await pool.use((connection) =>
      connection.query({
        sql: "select current_role() as role, @@sql_mode <> '' as isStrict",
        rowsAsArray: false,
        nestTables: false,
        typeCast: true,
      }),
    );
    expect(rows).toEqual([{ role: null, isStrict: 1 }]);
    expect(pool.stats()).toMatchObject({ created: 1, destroyed: 0 });
  });

  test('session variables hold for each holder, whatever the one before has set', async () => {
    await using t = await setUp({
      sessionVariables: {
        time_zone: '+05:00',
        sql_mode: 'ANSI_QUOTES',
        group_concat_max_len: 5_000,
        autocommit: false,
      },
    });
    const look =
      "select concat_ws(' ', @@time_zone, @@sql_mode, @@group_concat_max_len, @@autocommit) as it";
    const seen = async (change: string) =>
      t.pool.use(async (connection) => {
        const it = await firstValue(connection, look);
        await connection.query(change);
        return it;
      });
    const changes = ["set time_zone = 'SYSTEM', sql_mode = ''", 'set autocommit = 1', 'do 0'];
    for (const change of changes) expect(await seen(change)).toBe('+05:00 ANSI_QUOTES 5000 OFF');
    expect(t.pool.stats()).toMatchObject({ created: 1, destroyed: 0 });
  });

  test('a session variable that the server does not know: the error is its own', async () => {
    const pool = createClientPool(config(), {
      createAttempts: 1,
      sessionVariables: { time_zome: '+05:00' },
    });
    await expect(pool.lease()).rejects.toMatchObject({
      cause: { code: 'ER_UNKNOWN_SYSTEM_VARIABLE' },
    });
    await pool.close();
    await until(async () => (await server.connections()) === 0);
  });

  test('prepared statements work before and after a change of holders', async () => {
    await using t = await setUp();
    const ask = async (n: number): Promise<unknown> =>
      t.pool.use(async (connection) => {
        const [rows] = await connection.execute<RowDataPacket[]>('select ? as n', [n]);
        return rows[0]?.['n'];
      });
    expect([await ask(1), await ask(2)]).toEqual([1, 2]);
  });

  test('listeners of one holder do not hear what the next one causes, and those of the next one do', async () => {
    await using t = await setUp();
    const heard: string[] = [];
    await t.pool.use((connection) => void connection.on('error', () => heard.push('first')));
    const lease = await t.pool.lease();
    lease.resource.on('error', () => heard.push('second'));
    await server.kill(lease.resource.threadId);
    await until(() => heard.length > 0);
    expect(heard).toEqual(['second']);
    await lease.release();
  });

  test('a holder that removes all listeners leaves a connection whose break is noticed, and does not end the process', async () => {
    await using t = await setUp();
    const threadId = await t.pool.use((connection) => {
      connection.removeAllListeners();
      (
        connection as unknown as { readonly connection: Connection }
      ).connection.removeAllListeners();
      return connection.threadId;
    });
    await until(() => t.pool.available === 1);
    await server.kill(threadId);
    await until(() => t.pool.stats().destroyedBy['broken'] === 1);
  });

  test.each([
    ['has ended', (connection: Connection) => connection.end()],
    ['ends', (connection: Connection) => void connection.end()],
    [
      'ends behind a statement',
      (connection: Connection) => {
        void connection.query('select sleep(0.05)');
        void connection.end();
      },
    ],
  ])(
    'a connection that its holder %s keeps no caller waiting: node-postgres#742',
    async (_, end) => {
      await using t = await setUp({ validateTimeoutMillis: Number.POSITIVE_INFINITY });
      await t.pool.use(end);
      const one = await t.pool.use((connection) => firstValue(connection, 'select 1 as it'), {
        timeoutMillis: 2_000,
      });
      expect(one).toBe(1);
      expect(t.pool.stats()).toMatchObject({ created: 2, destroyed: 1 });
    },
  );

  test('a connection that the server has ended is replaced, and no caller sees it', async () => {
    await using t = await setUp({ validateAfterIdleMillis: 0 });
    const threadId = await t.pool.use((connection) => connection.threadId);
    await server.kill(threadId);
    const one = await t.pool.use((connection) => firstValue(connection, 'select 1 as it'));
    expect(one).toBe(1);
    expect(t.pool.stats().destroyed).toBe(1);
  });

  test('the connections of a pool that closes take leave of the server, which counts none as aborted', async () => {
    await using t = await setUp();
    await using other = await mysql.createConnection(config());
    const statusOf = async (name: string): Promise<number> => {
      const [[row]] = await other.query<RowDataPacket[]>('show global status like ?', [name]);
      return Number(row?.['Value']);
    };
    const before = await statusOf('Aborted_clients');
    await t.pool.use((connection) => connection.query('select 1'));
    await t.pool.close();
    await until(async () => (await statusOf('Threads_connected')) === 1);
    expect(await statusOf('Aborted_clients')).toBe(before);
  });

  test('a connection that is killed during a statement is not lent again', async () => {
    await using t = await setUp();
    let threadId = 0;
    const failing = t.pool.use((connection) => {
      threadId = connection.threadId;
      return connection.query('select sleep(60)');
    });
    const failed = expect(failing).rejects.toThrow();
    await until(() => server.isRunning('select sleep(60)'));
    await server.kill(threadId);
    await failed;
    await until(() => t.pool.stats().destroyedBy['broken'] === 1);
  });

  test('a connection whose rows a holder has stopped reading is cut, and gives its place away at once: node-mysql2#3596', async () => {
    await using t = await setUp({ validateTimeoutMillis: 100 });
    const errors: unknown[] = [];
    t.pool.on('factoryDestroyError', (error) => errors.push(error));
    await t.pool.use(async (connection) => {
      const { connection: core } = connection as unknown as { connection: CoreConnection };
      const rows = core.query('select * from mysql.help_topic a, mysql.help_topic b').stream();
      await once(rows, 'data');
      rows.pause();
    });
    expect(await t.pool.use((connection) => firstValue(connection, 'select 1 as it'))).toBe(1);
    expect([errors, t.pool.stats().destroyedBy]).toEqual([[], { reset: 1 }]);
  });

  test('a server that refuses the user: the error is its own, and nothing is left', async () => {
    await using pool = createClientPool(
      { ...config(), user: 'nobody', password: 'x' },
      { createAttempts: 1 },
    );
    await expect(pool.lease()).rejects.toMatchObject({
      cause: { code: 'ER_ACCESS_DENIED_ERROR' },
    });
    await until(async () => (await server.connections()) === 0);
  });

  test('a creation that ends after the log-in, before the server has answered all, leaves no connection', async () => {
    await using network = await TcpProxy.to(server.port);
    let pieces = 0;
    network.slow(async () => {
      if (++pieces > 1) await new Promise(() => {}); // The log-in passes, and no statement after it.
    });
    const pool = createClientPool({ ...config(), port: network.port }, { max: 1 });
    const waiting = expect(pool.lease()).rejects.toMatchObject({ code: 'TENURE_POOL_CLOSED' });
    await until(() => pieces > 1);
    await pool.close();
    await waiting;
    await until(() => network.connections === 0);
  });

  test('a server that restarts rejects no caller, however often it is asked meanwhile', async () => {
    await using t = await setUp();
    await t.pool.use((connection) => connection.query('do 0'));
    await server.crash();
    await until(() => t.pool.stats().destroyed === 1); // Until then, a caller may get the connection, whose query fails.
    const waiting = t.pool.use((connection) => firstValue(connection, 'select 1 as it'));
    await until(() => t.pool.stats().createErrors > 8);
    await server.start();
    expect(await waiting).toBe(1);
  });

  describe('transaction()', () => {
    test('the work is stored when it succeeds, and not when it fails', async () => {
      await using t = await setUp();
      const stored = (n: number) => async (connection: Connection) => {
        await connection.query('insert into stored values (?)', [n]);
        if (n === 11) throw new Error('out of stock');
        return n;
      };
      expect(await transaction(t.pool, stored(10))).toBe(10);
      await expect(transaction(t.pool, stored(11))).rejects.toThrow('out of stock');
      const sum = 'select cast(sum(n) as signed) as it from stored where n in (10, 11)';
      expect(await t.pool.use((connection) => firstValue(connection, sum))).toBe(10);
    });

    test('a server that falls silent during a commit: the outcome is unknown, and the pool recovers', async () => {
      await using network = await TcpProxy.to(server.port);
      await using pool = createClientPool({ ...config(), port: network.port }, { max: 1 });
      const committing = transaction(
        pool,
        async (connection) => {
          await connection.query('insert into stored values (12)');
          fallSilentAt('commit', connection, network);
        },
        { answerTimeoutMillis: 500 },
      );
      await expect(committing).rejects.toMatchObject({ code: 'TENURE_COMMIT_UNKNOWN' });
      network.heal();
      expect(await pool.use((connection) => firstValue(connection, 'select 1 as it'))).toBe(1);
      expect(pool.stats()).toMatchObject({ created: 2, destroyedBy: { broken: 1 } });
    });

    test('a deadlock that the work ignores is an error', async () => {
      await using t = await setUp({ max: 2 });
      await t.pool.use((connection) => connection.query('insert into stored values (20), (21)'));
      const lock = (connection: Connection, n: number) =>
        connection.query('select n from stored where n = ? for update', [n]);
      const arrived: (() => void)[] = [];
      const both = new Promise<void>((resolve) => {
        arrived.push(() => arrived.length === 0 && resolve());
        arrived.push(() => arrived.length === 0 && resolve());
      });
      const crossing = (first: number, second: number) =>
        transaction(t.pool, async (connection) => {
          await lock(connection, first);
          arrived.pop()?.();
          await both;
          await lock(connection, second).catch(() => {});
        }).then(
          () => 'committed',
          (error: { code?: string }) => error.code,
        );
      const outcomes = await Promise.all([crossing(20, 21), crossing(21, 20)]);
      expect(outcomes.toSorted()).toEqual(['TENURE_MYSQL_TRANSACTION_ENDED', 'committed']);
    });

    test('a statement that commits within the work is an error', async () => {
      const peer = mysql.createPool({ ...config(), connectionLimit: 1 });
      const pool = adoptPool(peer);
      const changing = transaction(pool, (connection) =>
        connection.query('create table if not exists changed (n int)'),
      );
      await expect(changing).rejects.toMatchObject({ code: 'TENURE_MYSQL_TRANSACTION_ENDED' });
      await pool.close({ endPeer: true });
    });

    const send =
      (...statements: readonly string[]) =>
      async (connection: Connection): Promise<void> => {
        for (const text of statements) await connection.query(text);
      };
    test.each<[what: string, end: (connection: Connection) => unknown, kept: readonly number[]]>([
      ['awaits', send('commit', 'start transaction', 'insert into stored values (31)'), [30]],
      ['rolls back', send('rollback', 'start transaction', 'insert into stored values (31)'), []],
      ['changes tables', send('create table if not exists more (n int)', 'begin'), [30]],
      [
        'does not await',
        (connection) => {
          void connection.commit();
          void connection.beginTransaction();
          void connection.execute('insert into stored values (31)');
        },
        [30],
      ],
      [
        'sends prepared',
        async (connection) => {
          await connection.execute('commit');
          await connection.query('begin');
        },
        [30],
      ],
      ['begins', send('start transaction', 'insert into stored values (31)'), [30]],
      [
        'begins in words of its own',
        send(' /* x */ Begin Work;', 'insert into stored values (31)'),
        [30],
      ],
      ['begins by a method', (connection) => connection.beginTransaction(), [30]],
      ['begins by a prepared statement', (connection) => connection.execute('begin'), [30]],
      ['chains to a commit', send('COMMIT AND CHAIN', 'insert into stored values (31)'), [30]],
      [
        'chains to a rollback',
        send('/* x **/\nrollback work and chain', 'insert into stored values (31)'),
        [],
      ],
    ])(
      'an end of the transaction and a new one, which the work %s, is an error, and what it has begun is rolled back',
      async (_what, end, kept) => {
        const pool = adoptPool(mysql.createPool({ ...config(), connectionLimit: 1 }));
        const ending = transaction(pool, async (connection) => {
          await connection.query('insert into stored values (30)');
          await end(connection);
        });
        await expect(ending).rejects.toMatchObject({ code: 'TENURE_MYSQL_TRANSACTION_ENDED' });
        const seen = await pool.use(async (connection) => {
          const [rows] = await connection.query<RowDataPacket[]>(
            'select n from stored where n in (30, 31)',
          );
          await connection.query('delete from stored where n in (30, 31)');
          const { connection: core } = connection as unknown as { connection: object };
          expect(Object.hasOwn(core, 'addCommand')).toBe(false);
          return rows.map(({ n }) => n);
        });
        expect(seen).toEqual(kept);
        expect(pool.stats()).toMatchObject({ size: 1, destroyed: 0, borrowed: 0 });
        await pool.close({ endPeer: true });
      },
    );

    test('a work with savepoints, rows and prepared statements is committed', async () => {
      await using t = await setUp();
      await transaction(t.pool, async (connection) => {
        await connection.query('savepoint s');
        await connection.query('insert into stored values (33)');
        await connection.query('rollback\nwork to savepoint s');
        await connection.execute('insert into stored values (?)', [34]);
        await connection.query('select 1 as serverStatus');
        await connection.query("do 'begin; start transaction; commit and chain'");
        await connection.query('begin now').catch(() => {});
      });
      const max = 'select max(n) as it from stored where n in (33, 34)';
      expect(await t.pool.use((connection) => firstValue(connection, max))).toBe(34);
      await t.pool.use((connection) => connection.query('delete from stored where n = 34'));
    });

    test.each([
      { what: 'commits what an earlier holder has left open', options: {}, kept: 41 },
      {
        what: 'does not see it where `reset` rolls back',
        options: { reset: (connection: Connection) => connection.rollback() },
        kept: null,
      },
    ])('on an adopted pool it $what', async ({ options, kept }) => {
      const peer = mysql.createPool({ ...config(), connectionLimit: 1 });
      const pool = adoptPool(peer, options);
      await pool.use(async (connection) => {
        await connection.query('start transaction');
        await connection.query('insert into stored values (41)');
      });
      await transaction(pool, (connection) => connection.query('do 0'));
      expect(
        await pool.use((connection) =>
          firstValue(connection, 'select max(n) as it from stored where n = 41'),
        ),
      ).toBe(kept);
      await pool.use((connection) => connection.query('delete from stored where n = 41'));
      await pool.close({ endPeer: true });
    });

    test('it is isolated and read-only as asked', async () => {
      await using t = await setUp();
      const writing = transaction(
        t.pool,
        (connection) => connection.query('insert into stored values (30)'),
        { readOnly: true, isolationLevel: 'serializable' },
      );
      await expect(writing).rejects.toMatchObject({ errno: 1792 });
    });
  });
});

async function firstValue(connection: Connection, text: string): Promise<unknown> {
  const [rows] = await connection.query<RowDataPacket[]>(text);
  return Object.values(rows[0] ?? {})[0];
}
