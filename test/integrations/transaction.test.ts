/** What a transaction sends to its server, on connections that only record it. */
import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { transaction as mysqlTransaction } from '../../src/integrations/mysql2.js';
import { transaction as pgTransaction } from '../../src/integrations/pg.js';
import { createPool } from '../../src/pool/index.js';

const failure = (code: string): Error => Object.assign(new Error('failed'), { code });

interface Driver {
  readonly driver: string;
  readonly begin: string;
  transaction(
    pool: never,
    work: () => Promise<never>,
    options?: { readonly rollbackTimeoutMillis: number },
  ): Promise<unknown>;
}

const DRIVERS: readonly Driver[] = [
  { driver: 'pg', transaction: pgTransaction, begin: 'begin' },
  { driver: 'mysql2', transaction: mysqlTransaction, begin: 'start transaction' },
];

test.each(DRIVERS)(
  '$driver: a connection that breaks during the work is destroyed without a rollback, whose answer may never come',
  async ({ transaction, begin }) => {
    const sent: string[] = [];
    const connection = Object.assign(new EventEmitter(), {
      query: async (text: string) => void sent.push(text),
    });
    await using pool = createPool({ create: () => connection, destroy: () => {} }, { max: 1 });
    const run = (error: Error): Promise<unknown> =>
      transaction(pool as never, () => Promise.reject(error));
    await expect(run(failure('ETIMEDOUT'))).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    expect(sent).toEqual([begin]);
    expect(pool.stats().destroyedBy).toEqual({ broken: 1 });
    await expect(run(failure('23505'))).rejects.toMatchObject({ code: '23505' });
    expect(sent).toEqual([begin, begin, 'rollback']);
    expect(pool.stats()).toMatchObject({ available: 1, destroyedBy: { broken: 1 } });
  },
);

test.each(DRIVERS)(
  '$driver: a caller does not wait for a rollback without an answer, and its connection is destroyed',
  async ({ transaction }) => {
    const connection = Object.assign(new EventEmitter(), {
      query: (text: string) => (text === 'rollback' ? new Promise(() => {}) : Promise.resolve()),
    });
    await using pool = createPool({ create: () => connection, destroy: () => {} }, { max: 1 });
    const failing = transaction(pool as never, () => Promise.reject(failure('23505')), {
      rollbackTimeoutMillis: 1,
    });
    await expect(failing).rejects.toMatchObject({ code: '23505' });
    expect(pool.stats()).toMatchObject({ borrowed: 0, destroyed: 1 });
  },
);
