import { once } from 'node:events';
import { Agent, createServer, get as httpGet, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { chosenHttpScopes } from '../../../src/node/http-scopes.js';
import { RequestSample } from '../../../src/node/register/request-sample.js';
import { createPool } from '../../../src/pool/index.js';
import { allowLeaks } from '../../../src/testing/index.js';
import { Watchdog } from '../../../src/watchdog/index.js';
import { FakeClock } from '../../kit/fake-clock.js';
import { until } from '../../kit/until.js';

function setUp() {
  const clock = new FakeClock();
  let oldest = 0;
  const sample = new RequestSample({ oldestLoanMillis: () => oldest }, clock);
  return {
    sample,
    /** Moves the clock into the next second. */
    nextSecond: () => clock.advance(1_000),
    loanIsOutFor(millis: number) {
      oldest = millis;
    },
    /** How many of the next requests are watched. */
    watchedOf: (requests: number) =>
      Array.from({ length: requests }, sample.next).filter(Boolean).length,
  };
}

describe('the sample', () => {
  test('has the first 2,000 requests watched, then 100 in each second', async () => {
    const t = setUp();
    expect(t.watchedOf(5_000)).toBe(2_100);
    expect(t.watchedOf(5_000)).toBe(0);
    await t.nextSecond();
    expect(t.watchedOf(5_000)).toBe(100);
    expect(t.sample.counts).toEqual({ requests: 15_000, watched: 2_200 });
  });

  test('has all requests of a quiet service watched', async () => {
    const t = setUp();
    t.watchedOf(2_000);
    for (let second = 0; second < 100; second++) {
      await t.nextSecond();
      expect(t.watchedOf(100)).toBe(100);
    }
  });

  test('has all requests watched while a loan is out for more than a second', async () => {
    const t = setUp();
    t.watchedOf(3_000);
    t.loanIsOutFor(1_001);
    await t.nextSecond();
    expect(t.watchedOf(3_000)).toBe(3_000);
    t.loanIsOutFor(0);
    await t.nextSecond();
    expect(t.watchedOf(3_000)).toBe(100);
  });
});

test.each([
  ['while no scope is running', false],
  ['while a scope is running, so that the async context cannot rest', true],
])(
  'a request that is passed over is within no scope, also behind a watched one in its connection, %s',
  async (_when, isBusy) => {
    const watchdog = new Watchdog({ level: 'advanced', graceMillis: 0 });
    let isDue = true;
    let passed = 0;
    const choice = {
      isDue: () => isDue,
      passed: () => {
        passed++;
        watchdog.restScopes();
      },
    };
    const stream = watchdog.openScope('stream');
    if (!isBusy) stream.end();
    using _scopes = chosenHttpScopes(watchdog, choice);
    const pool = createPool({ create: () => ({}), destroy: () => {} }, { name: 'db' });
    watchdog.watch(pool);
    const server = createServer(async (_request, response) => {
      const lease = await pool.lease();
      response.end('done');
      if (isDue) await lease.release();
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const { port } = server.address() as AddressInfo;
    const ask = async (): Promise<void> => {
      const [response] = (await once(httpGet({ port, agent }), 'response')) as [IncomingMessage];
      await once(response.resume(), 'end');
      await until(() => watchdog.stats().scopes === (isBusy ? 1 : 0));
    };
    await ask();
    isDue = false;
    await ask();
    await ask();
    expect({ passed, ...watchdog.stats() }).toMatchObject({ passed: 2, loansOut: 2, lost: 0 });
    isDue = true; // The async context works again after its rest.
    const lost = watchdog.scope('job', () => pool.lease());
    await lost;
    expect(await watchdog.check()).toMatchObject([{ rule: 'orphaned', scope: 'job', count: 1 }]);
    allowLeaks();
    stream.end();
    agent.destroy();
    server.close();
    await once(server, 'close');
    await pool.close({ graceMillis: 0, force: true });
    watchdog[Symbol.dispose]();
  },
);
