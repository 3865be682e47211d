/** What an adopted pool of connections keeps while its server and the network fail: run over each peer, on a real server. */
import { expect, test } from 'vitest';
import type { AdoptedPool } from '../../../src/integrations/adoption/adopted-pool.js';
import { settle } from '../../kit/settle.js';
import { TcpProxy } from '../../kit/tcp-proxy.js';
import { until } from '../../kit/until.js';

/** A server that can fall. */
export interface FallibleServer {
  readonly port: number;
  /** Ends it as if the power were cut. */
  crash(): Promise<void>;
  start(): Promise<void>;
  /** How many connections it has, other than those of who asks. */
  connections(): Promise<number>;
}

/** An adopted pool of connections to a server under test. */
export interface AdoptedConnections<T> {
  readonly pool: AdoptedPool<T>;
  /** The server's answer: always 1. */
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
      /** It works at its full width, everything is back, and the server has no connection that the peer does not know of. */
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
      /** Callers who ask again and again, whatever they get. */
      load() {
        const outcomes: unknown[] = [];
        let isOver = false;
        const callers = Array.from({ length: 3 * MAX }, async () => {
          while (!isOver) {
            outcomes.push(await answered());
            await settle(); // A peer that refuses at once leaves the sockets no turn.
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
    'a server that falls under load and comes back: every caller is answered, and the pool recovers',
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
    'a network that is cut under load: every caller is answered, and the pool recovers',
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
    'a network that stalls: callers leave in time, and what comes for them when it heals goes back',
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

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code;
}
