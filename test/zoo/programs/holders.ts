/** Programs whose holders are slow, or have lost what they hold. */
import pg from 'pg';
import type { Pool } from '../../../src/pool/index.js';
import { createPool } from '../../../src/pool/index.js';
import { Gate } from '../../kit/gate.js';
import { type Conn, connections, isolated, type Program } from '../program.js';

const postgres = (url: string): Pool<pg.Client> =>
  createPool(
    {
      create: async () => {
        const client = new pg.Client({ connectionString: url });
        await client.connect();
        return client;
      },
      destroy: (client) => client.end(),
    },
    { name: 'postgres', max: 4 },
  );

/** Requests that find the pool exhausted. */
async function inVain(pool: Pool<Conn>, requests: number): Promise<void> {
  for (let i = 0; i < requests; i++) await pool.lease({ timeoutMillis: 0 }).catch(() => {});
}

export const slowOrLost: readonly Program[] = [
  {
    name: 'a request of a route hangs, and its neighbours return',
    finds: { rules: ['tenured'], count: 1 },
    async run(zoo) {
      const pool = zoo.pool();
      const handle = (i: number) =>
        zoo.scope(
          'GET /report',
          () => pool.use(() => (i === 3 ? new Promise(() => {}) : null)), // LEAK: a request of a route hangs, and its neighbours return
        );
      for (let i = 0; i < 3_000; i++) {
        if (i === 3) void handle(i);
        else await handle(i);
      }
      await zoo.age(120_000);
    },
  },
  {
    name: 'each second loan of a busy route is lost',
    finds: { rules: ['orphaned'], count: 1_000 },
    async run(zoo) {
      const pool = zoo.pool({ max: 2_000 });
      await zoo.traffic(pool, 100);
      for (let i = 0; i < 1_000; i++) {
        await zoo.scope('GET /orders', async () => {
          await pool.use((c) => c.query('count'));
          const lease = await pool.lease(); // LEAK: each second loan of a busy route is lost
          return lease.resource.id;
        });
      }
    },
  },
  {
    name: 'one loan in a hundred is lost late',
    finds: { rules: ['orphaned'], count: 150 },
    async run(zoo) {
      const pool = zoo.pool({ max: 200 });
      await zoo.traffic(pool, 100);
      for (let i = 0; i < 15_000; i++) {
        await zoo.scope('GET /orders', async () => {
          const lease = await pool.lease(); // LEAK: one loan in a hundred is lost late
          if (i % 100 === 37) return;
          await lease.release();
        });
      }
    },
  },
  {
    name: 'one of twenty requests returns early',
    finds: { rules: ['orphaned'], count: 1 },
    async run(zoo) {
      const pool = zoo.pool();
      const kept: unknown[] = [];
      for (let i = 0; i < 20; i++) {
        await zoo.scope('GET /orders', async () => {
          const lease = await pool.lease(); // LEAK: one of twenty requests returns early
          kept.push(lease);
          if (i === 13) return;
          await lease.release();
        });
      }
      return kept;
    },
  },
  {
    name: 'a scope of its own kind hangs in a busy service',
    finds: { rules: ['tenured'], count: 1 },
    async run(zoo) {
      const pool = zoo.pool();
      void zoo.scope('POST /import', () => pool.use(() => new Promise(() => {}))); // LEAK: a scope of its own kind hangs in a busy service
      for (let i = 0; i < 5; i++) {
        await zoo.traffic(pool, 1_500);
        await zoo.age(60_000);
      }
    },
  },
  {
    name: 'an export of five minutes takes other loans meanwhile',
    async run(zoo) {
      const pool = zoo.pool();
      await zoo.scope('export', async () => {
        await using lease = await pool.lease();
        void lease.resource;
        for (let i = 0; i < 5; i++) {
          await zoo.traffic(pool, 1_500);
          await zoo.age(60_000);
          await zoo.mustBeQuiet();
        }
      });
    },
  },
  {
    // porsager/postgres#389: a cursor is read batch by batch, on a connection of its own.
    name: 'an export holds a cursor, and looks each row up in its own scope',
    async run(zoo) {
      const pool = zoo.pool();
      const connect = () => pool.lease();
      const query = async (sql: string) => {
        await using lease = await connect();
        return lease.resource.query(sql);
      };
      await zoo.scope('GET /export', async () => {
        await query('user');
        await using cursor = await connect();
        for (let batch = 0; batch < 5; batch++) {
          await cursor.resource.query('fetch');
          for (let row = 0; row < 500; row++) await query('row');
          await zoo.traffic(pool, 500);
          await zoo.age(60_000);
          await zoo.mustBeQuiet();
        }
      });
    },
  },
  {
    name: 'a job loses a lease in a loop, in one scope',
    finds: { rules: ['tenured'], count: 2_465 },
    async run(zoo) {
      const pool = zoo.pool({ max: 2_500 });
      const kept: unknown[] = [];
      const job = zoo.scope('import', async () => {
        for (let row = 0; row < 10_000; row++) {
          const lease = await pool.lease(); // LEAK: a job loses a lease in a loop, in one scope
          if (row >= 40 && row < 9_900 && row % 4 === 0) kept.push(lease);
          else await lease.release();
        }
        await new Promise(() => {});
      });
      for (let i = 0; i < 3; i++) {
        await zoo.traffic(pool, 1_500);
        await zoo.age(60_000);
      }
      return [job, kept];
    },
  },
  {
    // thaum-xyz/ankhmorpork#1248, eclipse-openvsx/openvsx#1392: a detector that warns of the same job each night.
    name: 'a nightly job takes longer as the data grow',
    async run(zoo) {
      const pool = zoo.pool();
      for (const minutes of [3, 5, 9, 17]) {
        const end = new Gate();
        const job = zoo.scope('nightly', () => pool.use(() => end.passed));
        for (let minute = 0; minute < minutes; minute++) {
          await zoo.traffic(pool, 750);
          await zoo.age(60_000);
          await zoo.mustBeQuiet();
        }
        end.open();
        await job;
        await zoo.age(3_600_000);
      }
    },
  },
  {
    name: 'a nightly job hangs on its third night',
    finds: { rules: ['tenured'], count: 1 },
    async run(zoo) {
      const pool = zoo.pool();
      const nightly = ({ passed }: Gate) => zoo.scope('nightly', () => pool.use(() => passed)); // LEAK: a nightly job hangs on its third night
      for (let night = 0; night < 2; night++) {
        const end = new Gate();
        const job = nightly(end);
        await zoo.age(180_000);
        end.open();
        await job;
      }
      const end = new Gate();
      const job = nightly(end);
      for (let minute = 0; minute < 8; minute++) {
        await zoo.traffic(pool, 750);
        await zoo.age(60_000);
      }
      return [job, end];
    },
  },
  {
    name: 'a job of three minutes in a busy service',
    async run(zoo) {
      const pool = zoo.pool();
      const end = new Gate();
      const job = zoo.scope('job', () => pool.use(() => end.passed));
      for (let i = 0; i < 3; i++) {
        await zoo.traffic(pool, 1_500);
        await zoo.age(60_000);
        await zoo.mustBeQuiet();
      }
      end.open();
      await job;
    },
  },
  {
    name: 'a loan of half a minute in a burst of others',
    async run(zoo) {
      const pool = zoo.pool();
      const lease = await pool.lease();
      for (let i = 0; i < 1_000; i++) await pool.use(({ id }) => id);
      await zoo.age(35_000);
      await zoo.mustBeQuiet();
      await lease.release();
    },
  },
  {
    name: 'a slow job in a quiet service',
    async run(zoo) {
      const pool = zoo.pool();
      const job = await pool.lease();
      for (let minute = 0; minute < 50; minute++) {
        await zoo.scope('GET /', () => pool.use((c) => c.query('x')));
        await zoo.age(60_000);
        await zoo.mustBeQuiet();
      }
      await job.release();
    },
  },
  {
    name: 'a background job keeps its leases',
    finds: { rules: ['tenured'], count: 2 },
    async run(zoo) {
      const pool = zoo.pool();
      const kept: unknown[] = [];
      for (let i = 0; i < 2; i++) kept.push(await pool.lease()); // LEAK: a background job keeps its leases
      for (let i = 0; i < 4; i++) {
        await zoo.traffic(pool, 1_500);
        await zoo.age(60_000);
      }
      return kept;
    },
  },
  {
    name: 'a database is slow for all',
    async run(zoo) {
      const pool = zoo.pool({ max: 3 });
      await zoo.traffic(pool, 100);
      const leases = await Promise.all([pool.lease(), pool.lease(), pool.lease()]);
      for (let i = 0; i < 4; i++) {
        await inVain(pool, 2_000);
        await zoo.age(12_000);
        await zoo.mustBeQuiet();
      }
      for (const lease of leases) await lease.release();
    },
  },
  {
    name: 'a pool that is too small, and moves',
    async run(zoo) {
      const pool = zoo.pool({ max: 2 });
      let leases = await Promise.all([pool.lease(), pool.lease()]);
      for (let minute = 0; minute < 5; minute++) {
        await inVain(pool, 3);
        await zoo.age(50_000);
        await zoo.mustBeQuiet();
        await Promise.all(leases.map((lease) => lease.release()));
        leases = await Promise.all([pool.lease(), pool.lease()]);
      }
      await Promise.all(leases.map((lease) => lease.release()));
    },
  },
  {
    name: 'a quiet service becomes exhausted',
    finds: { rules: ['exhausted'], count: 2 },
    async run(zoo) {
      const pool = zoo.pool({ max: 2 });
      const kept = [await pool.lease(), await pool.lease()]; // LEAK: a quiet service becomes exhausted
      for (let i = 0; i < 5; i++) {
        await inVain(pool, 2);
        await zoo.age(60_000);
      }
      return kept;
    },
  },
  {
    name: 'a rare path loses its loans until the pool is exhausted',
    finds: { rules: ['exhausted', 'tenured'], count: 10, isFoundWithoutLine: true },
    async run(zoo) {
      const pool = zoo.pool({ max: 10 });
      const kept: unknown[] = [];
      for (let i = 1; i < 10_001; i++) {
        const lease = await pool.lease(); // LEAK: a rare path loses its loans until the pool is exhausted
        if (i % 1_000 === 0) kept.push(lease);
        else await lease.release();
      }
      for (let i = 0; i < 9; i++) {
        await inVain(pool, 2);
        await zoo.age(10_000);
      }
      return kept;
    },
  },
  {
    name: 'a rare path loses its loans before the watch begins',
    finds: { rules: ['exhausted'], count: 2, isFoundWithoutLine: true },
    async run(zoo) {
      const pool = createPool(connections, { name: 'db', max: 2 });
      const kept = [await pool.lease(), await pool.lease()];
      zoo.watched(pool);
      for (let i = 0; i < 9; i++) {
        await inVain(pool, 2);
        await zoo.age(10_000);
      }
      return kept;
    },
  },
  {
    name: 'a pool becomes smaller, and its holders end one after the other',
    async run(zoo) {
      const pool = zoo.pool({ max: 10 });
      const held = await Promise.all(Array.from({ length: 10 }, () => pool.lease()));
      await pool.resize({ max: 2 });
      for (const lease of held.slice(2)) {
        await inVain(pool, 2);
        await zoo.age(45_000);
        await zoo.mustBeQuiet();
        await lease.release();
      }
      for (const lease of held.slice(0, 2)) await lease.release();
    },
  },
  {
    name: 'a pool is paused for ten minutes, and its holder has said so',
    async run(zoo) {
      const pool = zoo.pool({ max: 1 });
      for (let i = 0; i < 30; i++) await pool.use(({ id }) => id);
      const backup = await pool.lease();
      backup.expectHold(1_800_000);
      pool.pause();
      for (let minute = 0; minute < 10; minute++) {
        await inVain(pool, 2);
        await zoo.age(60_000);
        await zoo.mustBeQuiet();
      }
      await backup.release();
    },
  },
  {
    name: 'all holders of a busy pool are slow at once',
    async run(zoo) {
      const pool = zoo.pool({ max: 10 });
      for (let i = 0; i < 2_000; i++) await (await pool.lease()).release();
      const leases = await Promise.all(Array.from({ length: 10 }, () => pool.lease()));
      for (let i = 0; i < 5; i++) {
        await inVain(pool, 2);
        await zoo.age(10_000);
        await zoo.mustBeQuiet();
      }
      for (const lease of leases) await lease.release();
      for (let i = 0; i < 2_000; i++) await (await pool.lease()).release();
      await zoo.age(60_000);
      await zoo.mustBeQuiet();
    },
  },
  {
    name: 'a pool that is exhausted for half an hour, and moves',
    async run(zoo) {
      const pool = zoo.pool({ max: 10 });
      for (let i = 0; i < 2_000; i++) await (await pool.lease()).release();
      let held = await Promise.all(Array.from({ length: 10 }, () => pool.lease()));
      for (let i = 0; i < 120; i++) {
        await inVain(pool, 2);
        await zoo.age(15_000);
        await zoo.mustBeQuiet();
        const [first, ...others] = held;
        await first?.release();
        held = [...others, await pool.lease()];
      }
      await Promise.all(held.map((lease) => lease.release()));
    },
  },
  {
    name: 'a lease is handed over to a scope that loses it',
    finds: { rules: ['orphaned'], count: 1 },
    async run(zoo) {
      const pool = zoo.pool();
      await zoo.scope('worker', async (worker) => {
        await zoo.scope('POST /upload', async () => {
          const lease = await pool.lease(); // LEAK: a lease is handed over to a scope that loses it
          zoo.watchdog.handOver(lease, worker);
        });
        await zoo.mustBeQuiet();
      });
    },
  },
  {
    name: 'leases are handed over and released',
    async run(zoo) {
      const pool = zoo.pool();
      const worker = zoo.watchdog.openScope('worker');
      const uploads = await zoo.scope('POST /upload', async () => {
        const leases = [await pool.lease(), await pool.lease()];
        leases[0]?.transfer(worker);
        zoo.watchdog.handOver(leases[1] as never, 'process');
        return leases;
      });
      await zoo.age(5_000);
      await zoo.mustBeQuiet({ forceGc: true });
      for (const lease of uploads) await lease.release();
      worker[Symbol.dispose]();
    },
  },
  {
    name: 'a loan is taken after its scope has ended',
    finds: { rules: ['orphaned'], count: 1 },
    async run(zoo) {
      const pool = zoo.pool();
      const kept: unknown[] = [];
      let done = Promise.resolve();
      await zoo.scope('GET /', async () => {
        done = zoo.age(10).then(async () => void kept.push(await pool.lease())); // LEAK: a loan is taken after its scope has ended
      });
      await done;
      return kept;
    },
  },
  {
    name: 'a lease is released twice, and the error is swallowed',
    finds: { rules: ['double-release'], count: 1 },
    async run(zoo) {
      const pool = zoo.pool();
      const lease = await pool.lease();
      await lease.release();
      try {
        void lease.release(); // LEAK: a lease is released twice, and the error is swallowed
      } catch {}
    },
  },
  {
    name: 'owners in a cycle of objects drop their leases',
    finds: { rules: ['abandoned'] },
    async run(zoo) {
      const pool = zoo.pool();
      await isolated(async () => {
        const a: { lease: unknown; peer?: unknown } = { lease: await pool.lease() }; // LEAK: owners in a cycle of objects drop their leases
        a.peer = { peer: a };
      });
    },
  },
  {
    name: 'a transaction on Postgres returns early',
    needsPostgres: true,
    finds: { rules: ['orphaned'], count: 2 },
    async run(zoo) {
      const pool = zoo.watched(postgres(zoo.postgresUrl));
      const transfer = async (amount: number) => {
        const lease = await pool.lease(); // LEAK: a transaction on Postgres returns early
        await lease.resource.query('begin');
        const { rows } = await lease.resource.query('select $1::int as amount', [amount]);
        if (rows[0].amount === 0) return;
        await lease.resource.query('commit');
        await lease.release();
      };
      for (const amount of [1, 0, 2, 0]) await zoo.scope('POST /transfer', () => transfer(amount));
      await zoo.watchdog.check();
      await pool.close({ graceMillis: 1, force: true });
    },
  },
  {
    name: 'a subscription on Postgres that says so',
    needsPostgres: true,
    async run(zoo) {
      const pool = zoo.watched(postgres(zoo.postgresUrl));
      const lease = await pool.lease();
      lease.expectHold(Number.POSITIVE_INFINITY);
      await lease.resource.query('listen orders');
      for (let i = 0; i < 30; i++) {
        await zoo.scope('GET /', () => pool.use((client) => client.query('select 1')));
      }
      await zoo.age(3_600_000);
      await zoo.mustBeQuiet({ forceGc: true });
      await lease.release();
      await pool.close();
    },
  },
];
