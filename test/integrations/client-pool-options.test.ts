/** Options and settings of pools of clients that would be lost without a word. No server is needed. */
import mysql from 'mysql2/promise';
import pg from 'pg';
import { expect, test } from 'vitest';
import { createClientPool as createMysqlPool } from '../../src/integrations/mysql2.js';
import { adoptPool, createClientPool as createPgPool } from '../../src/integrations/pg.js';

const POOLS = [
  ['pg', createPgPool],
  ['mysql2', createMysqlPool],
] as const;

/** Options whose values are getters of a class, as a service of settings has them. */
class Settings {
  get name(): string {
    return 'orders-db';
  }

  get max(): number {
    return 3;
  }
}

test.each(POOLS)('%s: what is no object of options is refused', async (_, make) => {
  for (const options of [AbortSignal.abort(), [], new Map(), null, 'max: 3']) {
    expect(() => make({}, options as never)).toThrow(
      /createClientPool: options must be a plain object/,
    );
  }
});

test.each(POOLS)('%s: inherited options count', async (_, make) => {
  for (const options of [new Settings(), { __proto__: { name: 'orders-db', max: 3 }, min: 0 }]) {
    const pool = make({}, options);
    expect([pool.name, pool.max]).toEqual(['orders-db', 3]);
    await pool.close();
  }
});

test.each(POOLS)(
  '%s: what is no configuration does not become that of the default server',
  (_, make) => {
    const url = new URL('postgres://orders:secret@db.example/orders');
    const settings = new Map([['password', 'secret']]);
    for (const config of [url, settings, [settings], [], null, 5432, () => {}, new (class {})()]) {
      expect(() => make(config as never)).toThrow(
        expect.objectContaining({
          code: 'TENURE_INVALID_ARGUMENT',
          message: expect.not.stringContaining('secret'),
        }),
      );
    }
  },
);

test.each(POOLS)(
  '%s: a pool or a connection in the place of its settings does not become one of the default server',
  async (_, make) => {
    const pgPool = new pg.Pool({ host: 'db.example' });
    const mysqlPool = mysql.createPool({ host: 'db.example' });
    const cluster = mysql.createPoolCluster();
    const own = createPgPool({ host: 'db.example' });
    const adopted = adoptPool(pgPool);
    for (const config of [pgPool, new pg.Client(), mysqlPool, cluster, own, adopted]) {
      expect(() => make(config as never)).toThrow(/it is a pool or a connection.*adoptPool/);
    }
    await Promise.all([pgPool.end(), mysqlPool.end(), own.close()]);
  },
);

test.each([
  ['pg', createPgPool, 'max'],
  ['mysql2', createMysqlPool, 'connectionLimit'],
] as const)(
  '%s: the limit of its own pool is refused in a configuration: it would have no effect',
  async (_, make, limit) => {
    const config = { host: 'db.example', [limit]: 20 };
    for (const given of [config, Object.create({ user: 'orders', ...config })]) {
      expect(() => make(given, { name: 'orders-db' })).toThrow(
        `\`${limit}\` of \`config\` has no effect on a connection. Give \`{ max }\` as the second argument.`,
      );
    }
    await using pool = make(config, { max: 20 });
    expect(pool.max).toBe(20);
  },
);

test('pg: a connection string is refused: its settings would be lost', () => {
  expect(() => createPgPool('postgres://orders:secret@db.example/orders' as never)).toThrow(
    'createClientPool: `config` must be an object with settings, among them `user` if they are inherited. Give a connection string as `{ connectionString }`.',
  );
});

test.each([
  null,
  'time_zone',
  { 'time_zone = 1, x': 1 },
  { time_zone: null },
  { time_zone: Number.NaN },
  { time_zone: ['+00:00'] },
])('mysql2: session variables %j are refused', (sessionVariables) => {
  expect(() => createMysqlPool({}, { sessionVariables } as never)).toThrow(
    '`sessionVariables` must be an object of names and values',
  );
});

test('mysql2: a connection string is taken, as mysql2 takes it', async () => {
  await createMysqlPool('mysql://orders@db.example/orders' as never, { min: 0 }).close();
});

test.each(POOLS)(
  '%s: a configuration that has only inherited settings is taken',
  async (_, make) => {
    const inherited = Object.create({ host: 'db.example', user: 'orders' }) as object;
    await make(inherited as never, { min: 0 }).close();
  },
);

test.each(POOLS)('%s: settings of an instance of a class are taken', async (_, make) => {
  class Server {
    readonly host = 'db.example';
  }
  await make(new Server(), { min: 0 }).close();
});
