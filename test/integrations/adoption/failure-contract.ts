/**
 * What every adopted pool of connections guarantees while its server and the network fail. Each peer runs these tests,
 * on a real server.
 */
import { expect, test } from 'vitest';
import type { AdoptedPool } from '../../../src/integrations/adoption/adopted-pool.js';
import { codeOf } from '../../kit/code-of.js';
import { settle } from '../../kit/settle.js';
import { TcpProxy } from '../../kit/tcp-proxy.js';
import { until } from '../../kit/until.js';

/** A server that can be killed. */
export interface FallibleServer {
  readonly port: number;
  /** Ends the server without a shutdown, as a power failure does. */
  crash(): Promise<void>;
  start(): Promise<void>;
  /** How many connections it has, except that of the caller. */
  connections(): Promise<number>;
  /** Ends all connections, except that of the caller, and gives how many there were. */
  endConnections(): Promise<number>;
}

/** An adopted pool of connections to a server under test. */
export interface AdoptedConnections<T> {
  readonly pool: AdoptedPool<T>;
  /** Asks the server, which always answers 1. */
  ask(connection: T): Promise<unknown>;
}

const MAX = 3;
const PATIENCE = 60_000;

export function outlivesFailures<T>(
  open: (port: number, max: number) => AdoptedConnections<T>,
  serverOf: () => FallibleServer,
): void {
  async function setUp() {
    const server = serverOf();
    const proxy = await TcpProxy.to(server.port);
    const { pool, ask } = open(proxy.port, MAX);
    const answered = (): Promise<unknown> => pool.use(ask).catch(() => 'failed');
    return {
      server,
      proxy,
      pool,
      ask,
      answered,
      /** Checks that the pool works at its full size, all resources are back, and the server has no unknown connection. */
      async expectWhole(): Promise<void> {
        await until(async () => {
          const answers = await Promise.all(Array.from({ length: MAX }, answered));
          return answers.every((answer) => answer === 1);
        });
        await until(() => pool.stats().size === pool.stats().available);
        expect(pool.stats()).toMatchObject({ borrowed: 0, pending: 0 });
        expect(pool.loans()).toEqual([]);
        await until(async () => (await server.connections()) === pool.stats().size);
      },
      /** Callers that ask in a loop, for every outcome. */
      load() {
        const outcomes: unknown[] = [];
        let isOver = false;
        const callers = Array.from({ length: 3 * MAX }, async () => {
          while (!isOver) {
            outcomes.push(await answered());
            await settle(); // Gives the sockets a turn, which a peer that refuses at once does not.
          }
        });
        return {
          outcomes,
          end: async (): Promise<void> => {
            isOver = true;
            await Promise.all(callers);
          },
        };
      },
      async [Symbol.asyncDispose](): Promise<void> {
        proxy.heal();
        await pool.close({ graceMillis: 0, force: true, endPeer: true });
        await until(async () => (await server.connections()) === 0);
        await proxy[Symbol.asyncDispose]();
      },
    };
  }

  test(
    'a server that is killed under load and restarted: every caller gets an answer, and the pool recovers',
    async () => {
      await using t = await setUp();
      const { outcomes, end } = t.load();
      await until(() => outcomes.length > 50);
      await t.server.crash();
      await until(() => outcomes.includes('failed'));
      await t.server.start();
      const before = outcomes.length;
      await until(() => outcomes.slice(before).filter((it) => it === 1).length > 50);
      await end();
      await t.expectWhole();
    },
    PATIENCE,
  );

  test(
    'a storm of ended connections: no error is uncaught, every caller gets an answer, and the pool recovers',
    async () => {
      await using t = await setUp();
      const uncaught: unknown[] = [];
      const note = (error: unknown): unknown => uncaught.push(error);
      process.on('uncaughtExceptionMonitor', note);
      const { end } = t.load();
      let ended = 0;
      await until(async () => {
        for (let storm = 0; storm < 20; storm++) {
          ended += await t.server.endConnections();
          await settle();
        }
        return ended >= 200;
      }, PATIENCE);
      await end();
      await t.expectWhole();
      process.off('uncaughtExceptionMonitor', note);
      expect(uncaught).toEqual([]);
    },
    PATIENCE,
  );

  test(
    'a network that is cut under load: every caller gets an answer, and the pool recovers',
    async () => {
      await using t = await setUp();
      const { outcomes, end } = t.load();
      for (let cuts = 1; cuts <= 5; cuts++) {
        await until(() => outcomes.filter((it) => it === 1).length > cuts * 30);
        t.proxy.cut();
      }
      await end();
      await t.expectWhole();
    },
    PATIENCE,
  );

  test(
    'a network that stalls: waits end in time, and resources that come later go back to the peer',
    async () => {
      await using t = await setUp();
      await t.pool.use(t.ask);
      t.proxy.stall();
      const held = await t.pool.lease();
      const answer = t.ask(held.resource);
      const leaving = new AbortController();
      const left = t.pool.lease({ signal: leaving.signal }).catch(codeOf);
      const expired = Array.from({ length: 2 * MAX }, () =>
        t.pool.lease({ timeoutMillis: 100 }).catch(codeOf),
      );
      leaving.abort({ code: 'LEFT' });
      expect(await left).toBe('LEFT');
      expect(new Set(await Promise.all(expired))).toEqual(new Set(['TENURE_POOL_ACQUIRE_TIMEOUT']));
      expect(t.pool.loans()).toHaveLength(1);
      t.proxy.heal();
      expect(await answer).toBe(1);
      await held.release();
      await t.expectWhole();
      expect(t.pool.stats()).toMatchObject({ acquireTimeouts: 2 * MAX, destroyed: 0 });
    },
    PATIENCE,
  );
}
