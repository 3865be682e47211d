/** Programs that mix owners and rules: a leak behind a healthy majority, entries with leases, forced closes. */
import { adoptPool } from '../../../src/integrations/generic-pool.js';
import { disposal } from '../../../src/memoize/disposal/index.js';
import { memoize } from '../../../src/memoize/index.js';
import type { Lease } from '../../../src/pool/index.js';
import { type Conn, genericPeer, isolated, type Program } from '../program.js';

export const mixed: readonly Program[] = [
  {
    name: 'a rare branch loses its lease behind a healthy majority of the same helper',
    finds: { rules: ['orphaned'], count: 1_000 },
    async run(zoo) {
      const pool = zoo.pool({ max: 1_100 });
      const connect = () => pool.lease(); // LEAK: a rare branch loses its lease behind a healthy majority of the same helper
      for (let i = 0; i < 10_000; i++) {
        await zoo.scope('GET /orders', async () => {
          const lease = await connect();
          if (i % 10 === 7) return;
          await lease.release();
        });
      }
    },
  },
  {
    name: 'an evicted entry of an adopted pool holds a lease',
    finds: { rules: ['orphaned'], count: 3 },
    async run(zoo) {
      const pool = zoo.watched(adoptPool(genericPeer(20), { name: 'workers', clock: zoo.clock }));
      const workerOf = zoo.watched(
        memoize(async (tenant: string) => ({ tenant, lease: await pool.lease() }), { max: 2 }), // LEAK: an evicted entry of an adopted pool holds a lease
      );
      for (const tenant of 'abcde') await zoo.scope('GET /', () => workerOf(tenant));
    },
  },
  {
    name: 'entries with leases are evicted and disposed of, in scopes that end before',
    async run(zoo) {
      const pool = zoo.pool();
      const connectionOf = zoo.watched(
        memoize(async (_tenant: number) => pool.lease(), {
          max: 3,
          dispose: disposal((lease) => lease.release()),
        }),
      );
      for (let i = 0; i < 200; i++) {
        await zoo.scope('GET /', async () => (await connectionOf(i % 7)).resource.query('x'));
        if (i % 20 === 0) await zoo.mustBeQuiet();
      }
      await zoo.age(600_000);
      await zoo.mustBeQuiet({ forceGc: true });
    },
  },
  {
    name: 'a forced close takes back leases of ended scopes, whose holders drop them',
    finds: { rules: ['orphaned'], count: 3 },
    async run(zoo) {
      const pool = zoo.pool();
      await isolated(async () => {
        for (let i = 0; i < 3; i++) {
          await zoo.scope('GET /', async () => {
            const lease = await pool.lease(); // LEAK: a forced close takes back leases of ended scopes, whose holders drop them
            await lease.resource.query('x');
          });
        }
        await pool.close({ graceMillis: 1, force: true });
      });
      await zoo.age(60_000);
      const [report] = await zoo.watchdog.check({ forceGc: true });
      const isCertain = report?.certainty === 'certain' || report?.evidence.v8 !== 'collected';
      if (!isCertain) throw new Error('V8 has proved the loss, and the report does not say so');
    },
  },
  {
    name: 'responses release their leases just after a forced close',
    async run(zoo) {
      const pool = zoo.pool();
      const late: Lease<Conn>[] = [];
      for (let i = 0; i < 3; i++) {
        await zoo.scope('GET /', async () => void late.push(await pool.lease()));
      }
      await pool.close({ graceMillis: 1, force: true });
      for (const lease of late) await lease.release();
      await zoo.age(60_000);
      await zoo.mustBeQuiet({ forceGc: true });
    },
  },
];
