/** How a pool of clients makes a connection, on a server that answers as a test wants. No Postgres is needed. */
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { createClientPool } from '../../src/integrations/pg.js';
import { FakeClock } from '../kit/fake-clock.js';
import { until } from '../kit/until.js';
import {
  ASKS_FOR_PASSWORD,
  AUTHENTICATED,
  FakePostgres,
  READY,
  TERMINATED,
} from './postgres/fake-postgres.js';

const USER = { host: '127.0.0.1', user: 'orders' };

test('a connection that the server ends as soon as it is ready is not lent: node-postgres#2762', async () => {
  await using server = await FakePostgres.start((socket, received, connection) => {
    if (!received.toString('latin1').startsWith('\0')) socket.write(READY);
    else if (connection > 2) socket.write(Buffer.concat([AUTHENTICATED, READY]));
    else socket.end(Buffer.concat([AUTHENTICATED, READY, TERMINATED]));
  });
  const errors: unknown[] = [];
  const pool = createClientPool({ ...USER, port: server.port }, { max: 1 });
  pool.on('factoryCreateError', (error) => errors.push(error));
  const lease = await pool.lease();
  expect(server.connections).toBe(3);
  expect(errors).toMatchObject([{ code: '57P01' }, { code: '57P01' }]);
  await lease.destroy();
  await pool.close();
});

test('an idle connection is asked each minute whether it lives', async () => {
  let asked = 0;
  await using server = await FakePostgres.start((socket, received) => {
    const text = received.toString('latin1');
    if (text.startsWith('\0')) socket.write(AUTHENTICATED);
    else if (text.includes('select 1')) asked++;
    socket.write(READY);
  });
  const clock = new FakeClock();
  const pool = createClientPool({ ...USER, port: server.port }, { max: 1, clock });
  await (await pool.lease()).release();
  for (const times of [1, 2]) {
    await until(async () => {
      await clock.advance(60_000);
      return asked >= times;
    });
  }
  expect(pool.stats()).toMatchObject({ available: 1, created: 1 });
  await pool.close();
});

describe('the configuration of a connection', () => {
  /** Lends a connection, changes the configuration, lends another one, and gives what they sent to log in. */
  async function logIns(
    makeConfig: (port: number) => pg.ClientConfig,
    change: (config: pg.ClientConfig) => void = () => {},
  ) {
    const startups: string[] = [];
    const passwords: string[] = [];
    await using server = await FakePostgres.start((socket, received) => {
      const text = received.toString('latin1');
      if (text.startsWith('\0')) {
        startups.push(text);
        socket.write(ASKS_FOR_PASSWORD);
      } else if (text.startsWith('p')) {
        passwords.push(text);
        socket.write(Buffer.concat([AUTHENTICATED, READY]));
      } else {
        socket.write(READY);
      }
    });
    const config = makeConfig(server.port);
    const pool = createClientPool(config, { max: 1 });
    await (await pool.lease()).destroy();
    change(config);
    await (await pool.lease()).destroy();
    await pool.close();
    return { startups, passwords };
  }

  test('the options of a pg.Pool have a password that is not enumerable: node-postgres#2076', async () => {
    const { passwords } = await logIns((port) => {
      const peer = new pg.Pool({ ...USER, port, password: 'secret' });
      void peer.end();
      return peer.options;
    });
    expect(passwords[0]).toContain('secret');
  });

  test('inherited settings count', async () => {
    const { startups, passwords } = await logIns((port) =>
      Object.assign(Object.create({ ...USER, password: 'secret' }), { port }),
    );
    expect(startups[0]).toContain('orders');
    expect(passwords[0]).toContain('secret');
  });

  test('a password that has changed is that of the next connection: node-postgres#2513', async () => {
    const { passwords } = await logIns(
      (port) => ({ ...USER, port, password: 'old secret' }),
      (config) => {
        config.password = 'new secret';
      },
    );
    expect(passwords).toEqual([
      expect.stringContaining('old secret'),
      expect.stringContaining('new secret'),
    ]);
  });

  test.each([
    [{}, 'statement_timeout\x0010000\x00'],
    [{ statement_timeout: undefined }, 'statement_timeout\x0010000\x00'],
    [{ statement_timeout: 7_000 }, 'statement_timeout\x007000\x00'],
  ])('%o limits statements', async (settings, expected) => {
    const config = { ...USER, password: 'secret', ...settings } as pg.ClientConfig;
    const { startups } = await logIns((port) => ({ ...config, port }));
    expect(startups[0]).toContain(expected);
  });

  test('a limit that is switched off is none', async () => {
    const { startups } = await logIns((port) => ({
      ...USER,
      port,
      password: 'secret',
      statement_timeout: false,
    }));
    expect(startups[0]).not.toContain('statement_timeout');
  });
});
