import { type Knex, knex as openKnex } from 'knex';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type LocalPostgres,
  startLocalPostgres,
} from '../../../examples/service/local-postgres.js';
import { watchForeignPools } from '../../../src/node/index.js';
import { type LeakReport, Watchdog } from '../../../src/watchdog/index.js';
import { canStart } from '../../integrations/postgres/postgres-server.js';
import { lineOf } from '../../kit/line-of.js';

describe.skipIf(!canStart)('transactions of knex, on a real Postgres', () => {
  let server: LocalPostgres;
  beforeAll(async () => {
    server = await startLocalPostgres();
  }, 60_000);
  afterAll(() => server?.[Symbol.asyncDispose]());

  const open = () => openKnex({ client: 'pg', connection: server.url, pool: { min: 0, max: 3 } });

  function setUp(openFirst = false) {
    const early = openFirst ? open() : undefined;
    const watchdog = new Watchdog({ level: 'advanced', graceMillis: 0 });
    const foreign = watchForeignPools(watchdog);
    const db = early ?? open();
    return {
      db,
      watchdog,
      foreign,
      async [Symbol.asyncDispose](): Promise<void> {
        await db.destroy();
        foreign[Symbol.dispose]();
        watchdog[Symbol.dispose]();
      },
    };
  }

  const lost: [string, (db: Knex) => Promise<Knex.Transaction>][] = [
    ['transaction()', (db) => db.transaction()], // by transaction()
    ['a transactionProvider', (db) => db.transactionProvider()()], // by a transactionProvider
    [
      'a callback that hangs',
      (db) =>
        new Promise((resolve, reject) => {
          const hangs = (trx: Knex.Transaction) => new Promise(() => resolve(trx));
          db.transaction(hangs).catch(reject); // by a callback that hangs
        }),
    ],
  ];

  test.each(lost)(
    'one that is forgotten is named by the line of its caller: %s',
    async (by, begin) => {
      await using t = setUp();
      const trx = await t.watchdog.scope('GET /orders', () => begin(t.db));
      const leaks = await t.watchdog.check();
      await rollBack(trx);
      expect(leaks).toMatchObject([
        {
          rule: 'orphaned',
          scope: 'GET /orders',
          component: { name: 'tarn' },
          call: 'transaction',
        },
      ]);
      expect(linesOf(leaks)).toEqual([lineOf(import.meta.url, `// by ${by}`)]);
      expect(t.watchdog.stats().loansOut).toBe(0);
    },
  );

  test('two that are forgotten at two lines are two leaks', async () => {
    await using t = setUp();
    const both = await t.watchdog.scope('job', () =>
      Promise.all([
        t.db.transaction(), // here
        t.db.transaction(), // and there
      ]),
    );
    const leaks = await t.watchdog.check();
    for (const trx of both) await rollBack(trx);
    expect(linesOf(leaks).sort()).toEqual(
      ['// here', '// and there'].map((text) => lineOf(import.meta.url, text)),
    );
  });

  test('each that needs a connection is one loan, nested ones and given connections are none', async () => {
    await using t = setUp();
    await t.db.transaction(async (trx) => {
      await trx.transaction((nested) => nested.raw('select 1'));
      expect(t.watchdog.stats()).toMatchObject({ loans: 1, loansOut: 1 });
    });
    const connection = await t.db.client.acquireConnection();
    const given = { connection } as Knex.TransactionConfig;
    await t.db.transaction((trx) => trx.raw('select 1'), given);
    t.db.client.releaseConnection(connection);
    await t.db.raw('select 1');
    expect(t.watchdog.stats()).toMatchObject({ loans: 3, loansOut: 0 });
  });

  test('a client that is older than the watch has all but its first named', async () => {
    await using t = setUp(true);
    await t.db.transaction((trx) => trx.raw('select 1'));
    const trx = await t.watchdog.scope('job', () => t.db.transaction()); // of the older client
    const leaks = await t.watchdog.check();
    await rollBack(trx);
    expect(linesOf(leaks)).toEqual([lineOf(import.meta.url, '// of the older client')]);
  });

  test('a client that has ended has the error of knex', async () => {
    await using t = setUp();
    await t.db.raw('select 1');
    await t.db.destroy();
    await expect(t.db.transaction()).rejects.toThrow('Unable to acquire a connection');
    await expect(t.db.transaction(async () => {})).rejects.toThrow('Unable to acquire');
  });

  test('a dialect with transactions of another kind is left alone', async () => {
    await using t = setUp();
    const Postgres = t.db.client.constructor as typeof Knex.Client;
    const made = Object.freeze({ isOther: true });
    class Other extends Postgres {
      override transaction(): Knex.Transaction {
        return made as unknown as Knex.Transaction;
      }
    }
    const other = openKnex({ client: Other, connection: server.url });
    expect(await other.transaction(async () => {})).toBe(made);
    await other.destroy();
  });

  test('the methods are put back at the end of the watch', async () => {
    let db: Knex;
    const before = open();
    const own = before.client.transaction;
    {
      await using t = setUp();
      db = t.db;
      expect(db.client.transaction).not.toBe(own);
      expect(t.foreign.patched.map((copy) => copy.package)).toContain('knex');
    }
    expect(db.client.transaction).toBe(own);
    await before.destroy();
  });
});

async function rollBack(trx: Knex.Transaction): Promise<void> {
  await trx.rollback(new Error('undone'));
  await trx.executionPromise.catch(() => {});
}

function linesOf(leaks: readonly LeakReport[]): (number | undefined)[] {
  return leaks.map(({ stack }) => stack.find(({ file }) => file.endsWith('knex.test.ts'))?.line);
}
