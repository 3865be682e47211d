/** What the errors of drivers say about a connection. */
import { expect, test } from 'vitest';
import { isAway } from '../../src/integrations/mysql2/mysql-errors.js';
import { mysqlErrors } from '../../src/integrations/mysql2.js';
import { pgErrors } from '../../src/integrations/pg.js';

type Verdict = 'broken' | 'full' | 'fine';

const errorWith = (properties: object, message = 'failed'): Error =>
  Object.assign(new Error(message), properties);

const PG: readonly [error: unknown, verdict: Verdict][] = [
  ...['57P01', '57P02', '57P03', '57P04', '57P05', '08000', '08003', '08006', '08P01'].map(
    (code): [unknown, Verdict] => [errorWith({ code }), 'broken'],
  ),
  ...['25006', '25P03', '25P04', '26000', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ECONNREFUSED'].map(
    (code): [unknown, Verdict] => [errorWith({ code }), 'broken'],
  ),
  [errorWith({ code: '0A000', routine: 'RevalidateCachedQuery' }), 'broken'],
  [errorWith({ code: '0A000' }), 'fine'],
  [errorWith({ code: 'XX000', severity: 'FATAL' }), 'broken'],
  [errorWith({ code: 'XX000', severity: 'PANIC' }), 'broken'],
  [new Error('Connection terminated'), 'broken'],
  [new Error('Connection terminated unexpectedly'), 'broken'],
  [new Error('Client has encountered a connection error and is not queryable'), 'broken'],
  [new Error('Client was closed and is not queryable'), 'broken'],
  [new Error('Query read timeout'), 'broken'],
  [new Error('the order failed', { cause: errorWith({ code: '57P01' }) }), 'broken'],
  [new AggregateError([new Error('a'), errorWith({ code: 'ECONNRESET' })]), 'broken'],
  [errorWith({ code: '53300' }), 'full'],
  [new Error('create failed', { cause: errorWith({ code: '53300' }) }), 'full'],
  [errorWith({ code: 'XX000' }, 'Max client connections reached'), 'full'],
  ...[
    '(EMAXCONNSESSION) max clients reached in session mode - max clients are limited to pool_size: 15', // garrytan/gbrain#5205
    'MaxClientsInSessionMode: max clients reached', // supavisor#473
    'no more connections allowed (max_client_conn)', // pgbouncer#293
    'client connections exceeded (max_db_client_connections)', // pgbouncer#1138
    'client connections exceeded (max_user_client_connections)', // pgbouncer#1136
  ].map((message): [unknown, Verdict] => [errorWith({ code: '08P01' }, message), 'full']),
  ...['23505', '40001', '40P01', '42601', '57014', '22012', 'ENOENT'].map(
    (code): [unknown, Verdict] => [errorWith({ code }), 'fine'],
  ),
  [errorWith({ code: 8 }), 'fine'],
  [undefined, 'fine'],
  [null, 'fine'],
  ['57P01', 'fine'],
  [() => {}, 'fine'],
];

const MYSQL: readonly [error: unknown, verdict: Verdict][] = [
  ...[1053, 1152, 1184, 1290, 1836, 1927, 3169, 4031].map((errno): [unknown, Verdict] => [
    errorWith({ errno }),
    'broken',
  ]),
  [errorWith({ errno: 1243 }), 'broken'], // node-mysql2#805, elixir-ecto/myxql#205: at each call after an upgrade of Aurora
  [errorWith({ errno: 1615 }), 'broken'], // brianmario/mysql2#1539
  [errorWith({ errno: 1047, sqlState: '08S01' }, 'WSREP has not yet prepared node'), 'broken'], // galera#680
  [errorWith({ errno: 1040, sqlState: '08004' }), 'full'],
  ...['PROTOCOL_CONNECTION_LOST', 'PROTOCOL_SEQUENCE_TIMEOUT', 'ECONNRESET', 'EPIPE'].map(
    (code): [unknown, Verdict] => [errorWith({ code }), 'broken'],
  ),
  [errorWith({ fatal: true }), 'broken'],
  [new Error("Can't add new command when connection is in closed state"), 'broken'], // node-mysql2#2152
  [new Error('the order failed', { cause: errorWith({ errno: 1927 }) }), 'broken'],
  [errorWith({ errno: 1040 }), 'full'],
  [errorWith({ errno: 1203 }), 'full'],
  [errorWith({ errno: 1226 }, "User 'a' has exceeded the 'max_user_connections' resource"), 'full'],
  [errorWith({ errno: 1226 }, "User 'a' has exceeded the 'max_questions' resource"), 'fine'],
  ...[1062, 1205, 1213, 1064].map((errno): [unknown, Verdict] => [errorWith({ errno }), 'fine']),
  [errorWith({ fatal: 'true' }), 'fine'],
  [undefined, 'fine'],
];

test.each([
  ...PG.map(([error, verdict]) => ({ driver: 'pg', errors: pgErrors, error, verdict })),
  ...MYSQL.map(([error, verdict]) => ({ driver: 'mysql2', errors: mysqlErrors, error, verdict })),
])(
  '$driver: $error says that the connection or the server is $verdict',
  ({ errors, error, verdict }) => {
    expect(errors.isFull(error)).toBe(verdict === 'full');
    if (verdict !== 'full') expect(errors.isBroken(error)).toBe(verdict === 'broken');
  },
);

test.each([
  { errors: pgErrors, refused: errorWith({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }) },
  { errors: pgErrors, refused: errorWith({}, 'The server does not support SSL connections') },
  {
    errors: pgErrors,
    refused: errorWith({ code: '08P01' }, 'unsupported startup parameter: statement_timeout'),
  },
  {
    errors: mysqlErrors,
    refused: errorWith({ code: 'HANDSHAKE_SSL_ERROR' }, 'self-signed certificate'),
  },
  { errors: mysqlErrors, refused: errorWith({ code: 'HANDSHAKE_NO_SSL_SUPPORT' }) },
])('$refused is permanent, and other failures are not', ({ errors, refused }) => {
  for (const error of [refused, new Error('no connection', { cause: refused })]) {
    expect([errors.isPermanent(error), errors.isFull(error)]).toEqual([true, false]);
  }
  for (const code of ['ECONNREFUSED', '08P01', '28P01', '57P03', 'HANDSHAKE_SSL_ERROR']) {
    expect(errors.isPermanent(errorWith({ code }, 'read ECONNRESET'))).toBe(false);
  }
});

test('a chain of causes that goes round in a circle, or is long, has an end', () => {
  const round = new Error('a');
  round.cause = new Error('b', { cause: round });
  expect(pgErrors.isBroken(round)).toBe(false);
  const wide = new AggregateError(Array.from({ length: 100_000 }, () => new Error('c')));
  expect(mysqlErrors.isBroken(wide)).toBe(false);
});

test('mysql2: callers wait for a node of Galera that has no cluster yet: sysown/proxysql#1596', () => {
  const properties = { errno: 1047, sqlState: '08S01' };
  const message = 'WSREP has not yet prepared node for application use';
  expect(isAway(errorWith(properties, message))).toBe(true);
  expect(isAway(errorWith(properties, 'Unknown command'))).toBe(false);
});
