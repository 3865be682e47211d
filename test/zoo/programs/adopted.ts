/** Programs with pools of other packages that are adopted. */
import pg from 'pg';
import { adoptPool as adoptGenericPool } from '../../../src/integrations/generic-pool.js';
import { adoptPool as adoptPgPool } from '../../../src/integrations/pg.js';
import { genericPeer, type Program, type Zoo } from '../program.js';

const MINUTE = 60_000;

/** A watched pool over a pool of pg, and that pool. */
function postgres(zoo: Zoo, max: number) {
  const peer = new pg.Pool({ connectionString: zoo.postgresUrl, max });
  const pool = zoo.watched(adoptPgPool(peer, { name: 'orders-db', clock: zoo.clock }));
  return { peer, pool, end: () => pool.close({ graceMillis: 1, force: true, endPeer: true }) };
}

export const adopted: readonly Program[] = [
  {
    name: 'a client of an adopted pool is given back past its lease',
    needsPostgres: true,
    finds: { rules: ['direct-release'], count: 3 },
    async run(zoo) {
      const { peer, pool } = postgres(zoo, 4);
      for (let i = 0; i < 3; i++) {
        await zoo.scope('GET /orders', async () => {
          const lease = await pool.lease(); // LEAK: a client of an adopted pool is given back past its lease
          await lease.resource.query('select 1');
          lease.resource.release();
        });
        await zoo.age(5_000);
      }
      await peer.end();
    },
  },
  {
    name: 'resources are taken past the adoption until the pool is exhausted',
    finds: { rules: ['exhausted'], count: 3 },
    async run(zoo) {
      const peer = genericPeer(3);
      const acquire = peer.acquire.bind(peer);
      const pool = zoo.watched(adoptGenericPool(peer, { name: 'workers', clock: zoo.clock }));
      const kept = [await acquire(), await acquire(), await acquire()];
      for (let i = 0; i < 12; i++) {
        const refused = pool.lease({ timeoutMillis: 1_000 }).catch(() => {});
        await zoo.age(10_000);
        await refused;
      }
      const [report] = await zoo.watchdog.check();
      if (report?.isDirect !== true) throw new Error('the report blames the adopted pool');
      return kept;
    },
  },
  {
    name: 'other users of an adopted pool keep it busy, and a long loan is out',
    needsPostgres: true,
    async run(zoo) {
      const { peer, pool, end } = postgres(zoo, 3);
      await zoo.scope('export', async () => {
        await using _lease = await pool.lease();
        for (let i = 0; i < 15; i++) {
          const clients = [await peer.connect(), await peer.connect()];
          const waiting = peer.query('select 1');
          await zoo.age(10_000);
          await zoo.mustBeQuiet();
          for (const client of clients) client.release();
          await waiting;
        }
      });
      await end();
    },
  },
  {
    name: 'other users of an adopted pool wait for each other, and a long loan is out',
    async run(zoo) {
      const peer = genericPeer(3);
      const pool = zoo.watched(adoptGenericPool(peer, { name: 'workers', clock: zoo.clock }));
      const work = async (millis: number): Promise<void> => {
        const worker = await peer.acquire();
        await zoo.wait(millis);
        await peer.release(worker);
      };
      await zoo.scope('export', async () => {
        await using _lease = await pool.lease();
        const others = Array.from({ length: 600 }, () => work(700));
        for (let i = 0; i < 20; i++) {
          await zoo.age(10_000);
          await zoo.mustBeQuiet();
        }
        await zoo.age(MINUTE);
        await Promise.all(others);
      });
    },
  },
  {
    name: 'a resource is taken past the adoption and kept in a busy service',
    finds: { rules: ['tenured'], count: 1 },
    async run(zoo) {
      const peer = genericPeer(5);
      const pool = zoo.watched(adoptGenericPool(peer, { name: 'workers', clock: zoo.clock }));
      const kept = await peer.acquire();
      for (let i = 0; i < 5; i++) {
        for (let j = 0; j < 1_500; j++) await zoo.scope('GET /', () => pool.use(({ id }) => id));
        await zoo.age(MINUTE);
      }
      return kept;
    },
  },
  {
    name: 'scopes of an adopted pool release what they lease, and other users what they take',
    async run(zoo) {
      const peer = genericPeer(4);
      const pool = zoo.watched(adoptGenericPool(peer, { name: 'workers', clock: zoo.clock }));
      for (let minute = 0; minute < 10; minute++) {
        await zoo.scope('POST /job', async () => {
          await using lease = await pool.lease();
          const direct = await peer.acquire();
          await pool.use((worker) => worker.query('x'));
          await lease.resource.query('y');
          await zoo.age(MINUTE / 2);
          await zoo.mustBeQuiet({ forceGc: true });
          await peer.release(direct);
        });
        await zoo.age(MINUTE / 2);
      }
      await pool.close({ endPeer: true });
    },
  },
];
