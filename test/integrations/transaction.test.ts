/** What a transaction sends to its server, on connections that only record it. */
import { EventEmitter } from 'node:events';
import { expect, test, vi } from 'vitest';
import { transaction as mysqlTransaction } from '../../src/integrations/mysql2.js';
import { transaction as pgTransaction } from '../../src/integrations/pg.js';
import { createPool } from '../../src/pool/index.js';

const failure = (code: string): Error => Object.assign(new Error('failed'), { code });

interface Driver {
  readonly driver: string;
  readonly begin: string;
  /** What pg's `query` and mysql2's resolve to, of a statement within a transaction. */
  readonly answer: unknown;
  /** What the driver says of a statement that it does not send. */
  readonly unsent: string;
  transaction(
    pool: never,
    work: () => Promise<unknown>,
    options?: {
      readonly signal?: AbortSignal;
      readonly rollbackTimeoutMillis?: number;
      readonly answerTimeoutMillis?: number;
    },
  ): Promise<unknown>;
}

const DRIVERS: readonly Driver[] = [
  {
    driver: 'pg',
    transaction: pgTransaction,
    begin: 'begin',
    answer: { command: 'COMMIT' },
    unsent: 'Client has encountered a connection error and is not queryable',
  },
  {
    driver: 'mysql2',
    transaction: mysqlTransaction,
    begin: 'start transaction',
    answer: [{ serverStatus: 1 }],
    unsent: "Can't add new command when connection is in closed state",
  },
];

test.each(DRIVERS)(
  '$driver: a pool of the driver itself is refused by a sentence that says what to give',
  async ({ transaction }) => {
    const pool = { connect: async () => ({}), query: async () => ({}) };
    await expect(transaction(pool as never, async () => 1)).rejects.toMatchObject({
      code: 'TENURE_INVALID_ARGUMENT',
      message:
        'transaction: `pool` must be a pool of createClientPool() or adoptPool(), got an object.',
    });
  },
);

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

test.each(DRIVERS)(
  '$driver: a transaction is rolled back although the error of its work cannot be read',
  async ({ transaction, begin, answer }) => {
    await using t = poolThatFails('none', silence, answer);
    const print = vi.spyOn(console, 'error').mockImplementation(() => {});
    const unreadable = Object.defineProperty(new Error('odd'), 'code', {
      get() {
        throw new Error('no code');
      },
    });
    const failing = transaction(t.pool as never, () => Promise.reject(unreadable));
    await expect(failing).rejects.toBe(unreadable);
    print.mockRestore();
    expect(t.sent).toEqual([begin, 'rollback']);
    expect(t.pool.stats()).toMatchObject({ available: 1, borrowed: 0 });
  },
);

test.each(DRIVERS)(
  '$driver: a signal ends the wait for a connection',
  async ({ transaction, answer }) => {
    await using t = poolThatFails('none', silence, answer);
    using _lease = await t.pool.lease();
    const leaving = new AbortController();
    const waiting = transaction(t.pool as never, async () => 1, { signal: leaving.signal });
    leaving.abort(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
    expect([t.sent, t.pool.pending]).toEqual([[], 0]);
  },
);

/** A pool of one connection, which answers the statement `failing` as `fail` does. */
function poolThatFails(failing: string, fail: () => Promise<never>, answer: unknown) {
  const sent: string[] = [];
  const connection = Object.assign(new EventEmitter(), {
    query: (text: string) => {
      sent.push(text);
      return text === failing ? fail() : Promise.resolve(answer);
    },
  });
  const pool = createPool({ create: () => connection, destroy: () => {} }, { max: 1 });
  return { pool, sent, [Symbol.asyncDispose]: () => pool.close() };
}

const silence = (): Promise<never> => new Promise(() => {});

test.each(DRIVERS)(
  '$driver: a commit whose connection breaks is neither committed nor rolled back for the caller',
  async ({ transaction, answer }) => {
    const lost = failure('ECONNRESET');
    await using t = poolThatFails('commit', () => Promise.reject(lost), answer);
    await expect(transaction(t.pool as never, async () => 1)).rejects.toMatchObject({
      code: 'TENURE_COMMIT_UNKNOWN',
      cause: lost,
    });
    expect(t.sent.at(-1)).toBe('commit');
    expect(t.pool.stats().destroyedBy).toEqual({ broken: 1 });
  },
);

test.each(DRIVERS)(
  '$driver: a commit without an answer ends in time, with an error that says that it may have succeeded',
  async ({ transaction, answer }) => {
    await using t = poolThatFails('commit', silence, answer);
    const committing = transaction(t.pool as never, async () => 1, { answerTimeoutMillis: 1 });
    await expect(committing).rejects.toMatchObject({
      code: 'TENURE_COMMIT_UNKNOWN',
      cause: { code: 'TENURE_TRANSACTION_TIMEOUT' },
    });
    expect(t.sent.at(-1)).toBe('commit');
    expect(t.pool.stats().destroyedBy).toEqual({ broken: 1 });
  },
);

test.each(DRIVERS)(
  '$driver: a commit that the server refuses, or that was not sent, has its own error',
  async ({ transaction, answer, unsent }) => {
    for (const error of [failure('23505'), new Error(unsent)]) {
      await using t = poolThatFails('commit', () => Promise.reject(error), answer);
      await expect(transaction(t.pool as never, async () => 1)).rejects.toBe(error);
    }
  },
);

test('pg: no commit is sent behind a cursor that the work has left open, and nothing is stored', async () => {
  // pg sends a statement when the server is ready for it. A cursor of pg-cursor, a query stream and a COPY keep it from that until they end.
  await using t = poolThatFails('', silence, { command: 'COMMIT' });
  const work = async (client: object): Promise<void> => {
    Object.assign(client, { readyForQuery: false });
  };
  const committing = pgTransaction(t.pool as never, work, { answerTimeoutMillis: 50 });
  await expect(committing).rejects.toMatchObject({ code: 'TENURE_TRANSACTION_TIMEOUT' });
  expect([t.sent, t.pool.stats().destroyedBy]).toEqual([['begin', ''], { broken: 1 }]);
});

test.each([
  ...DRIVERS.map((driver) => ({ ...driver, silent: driver.begin })),
  ...DRIVERS.filter(({ driver }) => driver === 'mysql2').map((driver) => ({
    ...driver,
    silent: 'do 0',
  })),
])(
  '$driver: a caller does not wait for `$silent` without an answer, and its connection is destroyed',
  async ({ transaction, answer, silent }) => {
    await using t = poolThatFails(silent, silence, answer);
    const beginning = transaction(t.pool as never, async () => 1, { answerTimeoutMillis: 1 });
    const step = silent === 'do 0' ? 'check before the commit' : 'begin';
    await expect(beginning).rejects.toMatchObject({
      code: 'TENURE_TRANSACTION_TIMEOUT',
      message: expect.stringContaining(`not answered the ${step} of a transaction within 1 ms`),
    });
    expect(t.sent.at(-1)).toBe(silent);
    expect(t.pool.stats().destroyedBy).toEqual({ broken: 1 });
  },
);
