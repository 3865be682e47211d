/** What the callback of a refused caller gets from a watched pool: what it gets from a bare one. */
import mysql from 'mysql2';
import pg from 'pg';
import { expect, test } from 'vitest';
import { watchForeignPools } from '../../../src/node/index.js';
import { Watchdog } from '../../../src/watchdog/index.js';

type Callback = (this: unknown, ...results: unknown[]) => void;

const REFUSED = { host: '127.0.0.1', port: 1 };

/** Gives how many results the callback has got, which of them are defined, and the class of its `this`. */
async function resultsOf(ask: (callback: Callback) => unknown): Promise<unknown> {
  return new Promise((resolve) => {
    void ask(function (this: unknown, ...results) {
      const receiver = (this as object | undefined)?.constructor.name;
      resolve([results.map((result) => typeof result), receiver]);
    });
  });
}

const pgPool = (): pg.Pool => new pg.Pool(REFUSED);

function endedPgPool(): pg.Pool {
  const pool = pgPool();
  void pool.end();
  return pool;
}

const mysqlPool = (): mysql.Pool => mysql.createPool(REFUSED);

function endedMysqlPool(): mysql.Pool {
  const pool = mysqlPool();
  pool.end();
  return pool;
}

test.each<[what: string, ask: (callback: Callback) => unknown]>([
  ['connect of pg', (callback) => pgPool().connect(callback as never)],
  ['connect of pg, ended', (callback) => endedPgPool().connect(callback as never)],
  ['query of pg', (callback) => pgPool().query('select 1', callback as never)],
  ['query of pg, ended', (callback) => endedPgPool().query('select 1', callback as never)],
  ['getConnection of mysql2', (callback) => mysqlPool().getConnection(callback)],
  ['getConnection of mysql2, ended', (callback) => endedMysqlPool().getConnection(callback)],
  ['query of mysql2', (callback) => mysqlPool().query('select 1', callback)],
  ['execute of mysql2', (callback) => mysqlPool().execute('select 1', callback)],
])('%s', async (_what, ask) => {
  const bare = await resultsOf(ask);
  using watchdog = new Watchdog();
  using _foreign = watchForeignPools(watchdog);
  expect(await resultsOf(ask)).toEqual(bare);
});
