/** Programs in which scopes, pools, connections and results end while work goes on, or end twice. */
import { memoize } from '../../../src/memoize/index.js';
import { createKeyedPool, createPool, type Lease } from '../../../src/pool/index.js';
import { RefCounted } from '../../../src/scope/index.js';
import { MINUTE } from '../minutes.js';
import { type Conn, connections, isolated, type Program } from '../program.js';

export const endings: readonly Program[] = [
  {
    name: 'a consumer enters and ends a scope for each message, and flushes at last',
    async run(zoo) {
      const pool = zoo.pool();
      const consume = async (): Promise<void> => {
        for (let i = 0; i < 10; i++) {
          using scope = zoo.watchdog.openScope('message');
          scope.enter();
          await pool.use((c) => c.query('x'));
          await zoo.wait(200);
        }
        await pool.use(() => zoo.wait(10_000));
      };
      const consumed = consume();
      await zoo.age(8_000);
      await zoo.mustBeQuiet();
      await zoo.age(10_000);
      await consumed;
    },
  },
  {
    name: 'a cached function takes leases that are not kept, and some callers lose theirs',
    finds: { rules: ['orphaned'], count: 5 },
    async run(zoo) {
      const pool = zoo.pool();
      const kept: unknown[] = [];
      const take = async (_key: number): Promise<Lease<Conn>> => pool.lease(); // LEAK: a cached function takes leases that are not kept, and some callers lose theirs
      const open = zoo.watched(memoize(take, { name: 'open', cacheIf: () => false }));
      for (let i = 0; i < 20; i++) {
        await zoo.scope('GET /', async () => {
          const lease = await open(i);
          kept.push(lease);
          if (i % 4 !== 0) await lease.release();
        });
      }
      return kept;
    },
  },
  {
    name: 'a finally releases what a catch has destroyed',
    finds: { rules: ['double-release'], count: 4 },
    async run(zoo) {
      const pool = zoo.pool();
      const pay = async (i: number): Promise<void> => {
        const lease = await pool.lease();
        try {
          await lease.resource.query(i % 3 === 0 ? 'boom' : 'x');
        } catch {
          await lease.destroy('broken');
        } finally {
          await lease.release(); // LEAK: a finally releases what a catch has destroyed
        }
      };
      for (let i = 0; i < 12; i++) await zoo.scope('POST /pay', () => pay(i)).catch(() => {});
    },
  },
  {
    name: 'a client reconnects, and forgets its lease on the old connection',
    finds: { rules: ['abandoned'], count: 9 },
    async run(zoo) {
      const options = { name: 'bus', overlap: true, dispose: () => {} };
      const bus = zoo.watched(new RefCounted(() => ({}), options));
      const client: { lease?: unknown } = {};
      const reconnect = async (): Promise<void> => {
        client.lease = await bus.acquire(); // LEAK: a client reconnects, and forgets its lease on the old connection
        void bus.invalidate();
      };
      for (let i = 0; i < 10; i++) {
        await isolated(reconnect);
        await zoo.age(MINUTE);
      }
      return client;
    },
  },
  {
    name: 'sessions of a pool are destroyed slowly, and then release their connections',
    async run(zoo) {
      const pool = zoo.pool({ clock: zoo.clock });
      const destroy = async (lease: Lease<Conn>): Promise<void> => {
        await zoo.wait(3_500);
        await lease.release();
      };
      const options = { name: 'sessions', maxUses: 2, clock: zoo.clock };
      const sessions = zoo.watched(createPool({ create: () => pool.lease(), destroy }, options));
      for (let i = 0; i < 30; i++) {
        await zoo.scope('GET /', () => sessions.use((lease) => lease.resource.query('x')));
        await zoo.age(5_000);
        await zoo.mustBeQuiet();
      }
      const closed = sessions.close();
      await zoo.age(5_000);
      await closed;
    },
  },
  {
    name: 'keys of a keyed pool are closed while their holders work on',
    async run(zoo) {
      const options = { name: 'hosts', max: 2, clock: zoo.clock };
      const pools = zoo.watched(createKeyedPool((_host: number) => connections, options));
      for (let i = 0; i < 15; i++) {
        const work = zoo.scope('GET /', () => pools.use(i % 3, () => zoo.wait(9_000)));
        await zoo.age(1_000);
        const closed = pools.pool(i % 3).close({ graceMillis: 30_000 });
        await zoo.age(5_000);
        await zoo.mustBeQuiet();
        await zoo.age(5_000);
        await Promise.all([work, closed]);
      }
    },
  },
];
