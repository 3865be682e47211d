/** What is no pool of the package is refused at its adoption, not at the first loan, and stays as it was. */
import { EventEmitter } from 'node:events';
import genericPool from 'generic-pool';
import callbacks from 'mysql2';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { Pool as TarnPool } from 'tarn';
import { expect, test } from 'vitest';
import { adoptPool as adoptGenericPool } from '../../../src/integrations/generic-pool.js';
import { adoptPool as adoptMysqlPool } from '../../../src/integrations/mysql2.js';
import { adoptPool as adoptPgPool } from '../../../src/integrations/pg.js';
import { adoptPool as adoptTarnPool } from '../../../src/integrations/tarn.js';
import { createPool } from '../../../src/pool/index.js';

const factory = { create: async () => ({}), destroy: async () => {} };

const POOLS = {
  pg: new pg.Pool(),
  'a client of pg': new pg.Client(),
  mysql2: mysql.createPool({}),
  'mysql2 with callbacks': callbacks.createPool({}),
  'generic-pool': genericPool.createPool(factory),
  tarn: new TarnPool({ ...factory, min: 0, max: 1 }),
  "the connector of MariaDB, which has the methods of mysql2's pool": Object.assign(
    new EventEmitter(),
    { getConnection() {}, query() {}, execute() {}, end() {}, totalConnections() {} },
  ),
  'an empty object': {},
  'a function': () => {},
  undefined: undefined,
  text: 'postgres://127.0.0.1/orders',
};

type Name = keyof typeof POOLS;

const ADOPTIONS: readonly [
  name: string,
  adopt: (pool: never, options?: object) => unknown,
  takes: readonly Name[],
][] = [
  ['pg', adoptPgPool, ['pg']],
  ['mysql2', adoptMysqlPool, ['mysql2', 'mysql2 with callbacks']],
  ['generic-pool', adoptGenericPool, ['generic-pool']],
  ['tarn', adoptTarnPool, ['tarn']],
];

const names = Object.keys(POOLS) as Name[];

test.each(ADOPTIONS)(
  'the adoption of %s refuses a promise of a pool, and handles its rejection',
  (_, adopt) => {
    const promise = Promise.reject(new Error('not connected'));
    expect(() => adopt(promise as never)).toThrow('got a promise');
  },
);

test.each(
  ADOPTIONS.flatMap(([name, adopt, takes]) =>
    names.map((pool) => ({ name, adopt, pool, isTaken: takes.includes(pool) })),
  ),
)('the adoption of $name and $pool', ({ adopt, pool, isTaken }) => {
  const given = POOLS[pool] as never;
  const before = propertiesOf(given);
  if (isTaken) {
    expect(() => adopt(given)).not.toThrow();
    expect(() => adopt(given, { nmae: 'db' })).toThrow(/unknown option `nmae`/);
  } else {
    expect(() => adopt(given)).toThrow(
      expect.objectContaining({ code: 'TENURE_INVALID_ARGUMENT' }),
    );
    expect(propertiesOf(given), 'it stays as it was').toEqual(before);
  }
});

test('a pool of another package that is given to createPool is told where its adoption is', () => {
  const adoption = (name: Name) => () => createPool(POOLS[name] as never);
  expect(adoption('pg')).toThrow(/`adoptPool` of `tenure\/integrations\/pg`/);
  expect(adoption('mysql2')).toThrow(/tenure\/integrations\/mysql2/);
  expect(adoption('generic-pool')).toThrow(/tenure\/integrations\/generic-pool/);
});

function propertiesOf(value: unknown): readonly [string, unknown][] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}
