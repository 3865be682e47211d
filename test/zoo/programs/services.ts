/** Programs of services whose callers leave, and whose processes and connections keep what no other caller waits for. */

import { createKeyedPool } from '../../../src/pool/index.js';
import { AsyncRunStack, scopeResources } from '../../../src/scope/index.js';
import { BufferPool } from '../../../src/view/index.js';
import { eachMinute, eachQuietMinute } from '../minutes.js';
import { connections, type Program, type Zoo } from '../program.js';

/** Short leases of buffers, each in a request. */
async function readRequests(zoo: Zoo, buffers: BufferPool, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await zoo.scope('POST /body', async () => {
      using lease = buffers.lease(1_000);
      await null;
      return lease.bytes.length;
    });
  }
}

export const services: readonly Program[] = [
  {
    name: 'clients cancel their requests after a second, in a pool that has lost all leases',
    finds: { rules: ['exhausted'], count: 3 },
    async run(zoo) {
      const pool = zoo.pool({ max: 3, clock: zoo.clock });
      const kept: unknown[] = [];
      for (let i = 0; i < 3; i++) kept.push(await pool.lease()); // LEAK: clients cancel their requests after a second, in a pool that has lost all leases
      for (let i = 0; i < 20; i++) {
        const client = new AbortController();
        const request = pool.lease({ signal: client.signal }).catch(() => {});
        await zoo.age(1_000);
        client.abort();
        await request;
        await zoo.age(14_000);
      }
      return kept;
    },
  },
  {
    name: 'no caller may wait, and a pool has lost all leases',
    finds: { rules: ['exhausted'], count: 3 },
    async run(zoo) {
      const pool = zoo.pool({ max: 3, maxWaitingClients: 0 });
      const kept: unknown[] = [];
      for (let i = 0; i < 3; i++) kept.push(await pool.lease()); // LEAK: no caller may wait, and a pool has lost all leases
      for (let i = 0; i < 20; i++) {
        await pool.lease().catch(() => {});
        await zoo.age(15_000);
      }
      return kept;
    },
  },
  {
    name: 'one tenant keeps all resources of a keyed pool, and another waits',
    finds: { rules: ['exhausted'], count: 4 },
    async run(zoo) {
      const tenants = zoo.watched(
        createKeyedPool((_tenant: string) => connections, {
          name: 'tenants',
          max: 10,
          maxTotal: 4,
          clock: zoo.clock,
          acquireTimeoutMillis: 1_000,
        }),
      );
      const kept: unknown[] = [];
      for (let i = 0; i < 4; i++) kept.push(await tenants.lease('acme')); // LEAK: one tenant keeps all resources of a keyed pool, and another waits
      for (let i = 0; i < 20; i++) {
        const refused = tenants.lease('other').catch(() => {});
        await zoo.age(15_000);
        await refused;
      }
      return kept;
    },
  },
  {
    name: 'clients cancel while they wait for a slow holder',
    async run(zoo) {
      const pool = zoo.pool({ max: 1, clock: zoo.clock });
      for (let i = 0; i < 120; i++) {
        await using _lease = await pool.lease();
        const client = new AbortController();
        const request = pool.lease({ signal: client.signal }).catch(() => {});
        await zoo.age(15_000);
        client.abort();
        await request;
        await zoo.mustBeQuiet();
      }
    },
  },
  {
    name: 'each request keeps a buffer in a list',
    finds: { rules: ['tenured'] },
    async run(zoo) {
      const buffers = zoo.watched(new BufferPool({ name: 'buffers' }));
      const kept: unknown[] = [];
      await eachMinute(zoo, 8, async () => {
        for (let i = 0; i < 60; i++) kept.push(buffers.lease(100)); // LEAK: each request keeps a buffer in a list
        await readRequests(zoo, buffers, 1_000);
      });
      return kept;
    },
  },
  {
    name: 'sockets and the process keep buffers, beside short requests',
    async run(zoo) {
      const buffers = zoo.watched(new BufferPool({ name: 'buffers' }));
      const ring = Array.from({ length: 4 }, () => buffers.lease(4_096));
      const sockets = Array.from({ length: 50 }, () => {
        const scope = zoo.watchdog.openScope('WS /live');
        return { scope, lease: scope.run(() => buffers.lease(4_096)) };
      });
      await eachQuietMinute(zoo, 10, () => readRequests(zoo, buffers, 800));
      for (const { scope, lease } of sockets) {
        lease.release();
        scope.end();
      }
      for (const lease of ring) lease.release();
    },
  },
  {
    name: 'the process keeps a stack for its shutdown, beside the stacks of requests',
    async run(zoo) {
      zoo.watched(scopeResources);
      const pool = zoo.pool();
      await using shutdown = new AsyncRunStack();
      shutdown.defer(() => {});
      await eachQuietMinute(zoo, 8, async () => {
        for (let i = 0; i < 800; i++) {
          await zoo.scope('GET /orders', async () => {
            await using stack = new AsyncRunStack();
            stack.use(await pool.lease());
          });
        }
      });
    },
  },
];
