/** Programs in which an entry, a resource, a value or a stack owns what was leased for it. */

import { nextTurn } from '../../../src/core/host-timers.js';
import { disposal } from '../../../src/memoize/disposal/index.js';
import { memoize } from '../../../src/memoize/index.js';
import { createKeyedPool, createPool } from '../../../src/pool/index.js';
import { RefCounted, RefCountedMap, RunStack, scopeResources } from '../../../src/scope/index.js';
import { eachQuietMinute } from '../minutes.js';
import { connections, isolated, type Program } from '../program.js';

export const owners: readonly Program[] = [
  {
    name: 'an evicted entry holds a lease',
    finds: { rules: ['orphaned'], count: 3 },
    async run(zoo) {
      const pool = zoo.pool();
      const connectionOf = zoo.watched(
        memoize(async (tenant: string) => ({ tenant, lease: await pool.lease() }), { max: 2 }), // LEAK: an evicted entry holds a lease
      );
      for (const tenant of 'abcde') await zoo.scope('GET /', () => connectionOf(tenant));
    },
  },
  {
    name: 'an entry keeps its lease while it is cached',
    async run(zoo) {
      const pool = zoo.pool();
      const connectionOf = zoo.watched(memoize(async (_tenant: string) => pool.lease()));
      for (const tenant of 'abcde') await zoo.scope('GET /', () => connectionOf(tenant));
      await zoo.age(600_000);
      await zoo.mustBeQuiet({ forceGc: true });
    },
  },
  {
    name: 'entries keep their leases for minutes, beside short loans',
    async run(zoo) {
      const pool = zoo.pool();
      const connectionOf = zoo.watched(memoize(async (_tenant: string) => pool.lease()));
      for (const tenant of 'abcde') await zoo.scope('GET /tenant', () => connectionOf(tenant));
      for (let minute = 0; minute < 10; minute++) {
        await zoo.traffic(pool, 1_000);
        await zoo.age(60_000);
        await zoo.mustBeQuiet({ forceGc: minute === 5 });
      }
    },
  },
  {
    name: 'a load hangs with a lease, beside short loans',
    finds: { rules: ['tenured'], count: 1 },
    async run(zoo) {
      const pool = zoo.pool();
      const hung: unknown[] = [];
      const reportOf = zoo.watched(
        memoize(async (_tenant: string) => {
          hung.push(await pool.lease()); // LEAK: a load hangs with a lease, beside short loans
          await new Promise(() => {});
        }),
      );
      void zoo.scope('GET /report', () => reportOf('a'));
      for (let minute = 0; minute < 10; minute++) {
        await zoo.traffic(pool, 1_000);
        await zoo.age(60_000);
      }
    },
  },
  {
    name: 'the process holds a shared value as long as it runs',
    async run(zoo) {
      const settings = zoo.watched(new RefCounted(() => ({ debug: false }), { name: 'settings' }));
      const held = await settings.acquire();
      for (let minute = 0; minute < 10; minute++) {
        for (let i = 0; i < 1_000; i++) {
          await zoo.scope('GET /', async () => {
            using _lease = await settings.acquire();
          });
        }
        await zoo.age(60_000);
        await zoo.mustBeQuiet({ forceGc: minute === 5 });
      }
      held.release();
    },
  },
  {
    name: 'connections of hours hold a shared value each, in scopes of their own',
    async run(zoo) {
      const broker = zoo.watched(new RefCountedMap(() => ({}), { name: 'broker' }));
      const connections = await Promise.all(
        Array.from({ length: 5 }, async (_, i) => {
          const scope = zoo.watchdog.openScope('ws /chat');
          return { scope, lease: await scope.run(() => broker.acquire(`room ${i}`)) };
        }),
      );
      await eachQuietMinute(zoo, 30, async () => {
        for (let i = 0; i < 400; i++) {
          await zoo.scope('GET /', async () => {
            using _lease = await broker.acquire('lobby');
          });
        }
      });
      for (const { scope, lease } of connections) {
        lease.release();
        scope.end();
      }
    },
  },
  {
    name: 'an evicted entry is disposed of later',
    async run(zoo) {
      const pool = zoo.pool();
      const connectionOf = zoo.watched(
        memoize(async (_tenant: string) => pool.lease(), {
          max: 2,
          dispose: disposal(async (lease) => {
            await nextTurn();
            await lease.release();
          }),
        }),
      );
      for (const tenant of 'abcdef') {
        await zoo.scope('GET /', () => connectionOf(tenant));
        await nextTurn();
        await nextTurn();
        await zoo.mustBeQuiet();
      }
    },
  },
  {
    name: 'a loader fails with its lease out',
    finds: { rules: ['orphaned'], count: 4 },
    async run(zoo) {
      const pool = zoo.pool();
      const load = zoo.watched(
        memoize(async (sql: string) => {
          const lease = await pool.lease(); // LEAK: a loader fails with its lease out
          const rows = await lease.resource.query(sql);
          await lease.release();
          return rows;
        }),
      );
      for (const sql of ['a', 'boom 1', 'boom 2', 'b', 'boom 3', 'boom 4']) {
        await zoo.scope('GET /', () => load(sql)).catch(() => {});
      }
    },
  },
  {
    name: 'a loader releases its lease when it fails',
    async run(zoo) {
      const pool = zoo.pool();
      const load = zoo.watched(memoize(async (sql: string) => pool.use((c) => c.query(sql))));
      for (const sql of ['a', 'boom 1', 'boom 2']) {
        await zoo.scope('GET /', () => load(sql)).catch(() => {});
      }
    },
  },
  {
    name: 'a resource dies with a lease that its factory took',
    finds: { rules: ['orphaned'], count: 2 },
    async run(zoo) {
      const tunnels = zoo.pool({ name: 'tunnels' });
      const lease = () => tunnels.lease(); // LEAK: a resource dies with a lease that its factory took
      const browsers = zoo.watched(
        createPool(
          { create: async () => ({ tunnel: await lease() }), destroy: () => {} },
          { max: 2 },
        ),
      );
      await zoo.scope('GET /', async () => {
        await Promise.all([browsers.use(() => nextTurn()), browsers.use(() => nextTurn())]);
      });
      await zoo.mustBeQuiet();
      await browsers.invalidate();
    },
  },
  {
    name: 'a resource releases the lease that its factory took',
    async run(zoo) {
      const tunnels = zoo.pool({ name: 'tunnels' });
      const browsers = zoo.watched(
        createPool(
          {
            create: async () => ({ tunnel: await tunnels.lease() }),
            destroy: ({ tunnel }) => tunnel.release(),
          },
          { max: 2 },
        ),
      );
      await zoo.scope('GET /', () => browsers.use(() => nextTurn()));
      await zoo.mustBeQuiet({ forceGc: true });
      await browsers.close();
    },
  },
  {
    name: 'a shared value ends without its lease',
    finds: { rules: ['orphaned'], count: 1 },
    async run(zoo) {
      const pool = zoo.pool();
      const browser = zoo.watched(
        new RefCounted(async () => ({ lease: await pool.lease(), [Symbol.dispose]() {} })), // LEAK: a shared value ends without its lease
      );
      await zoo.scope('GET /', async () => {
        await using lease = await browser.acquire();
        void lease.value;
      });
    },
  },
  {
    name: 'a shared value releases its lease',
    async run(zoo) {
      const pool = zoo.pool();
      const browser = zoo.watched(
        new RefCounted(async () => {
          const lease = await pool.lease();
          return { [Symbol.asyncDispose]: async () => lease.release() };
        }),
      );
      for (let i = 0; i < 3; i++) {
        await zoo.scope('GET /', async () => {
          await using lease = await browser.acquire();
          void lease.value;
        });
      }
    },
  },
  {
    name: 'two shared values hold each other',
    finds: { rules: ['cycle'], count: 2 },
    async run(zoo) {
      let first: RefCounted<object>;
      let meet = (): void => {};
      const met = new Promise<void>((resolve) => {
        meet = resolve;
      });
      const kept: unknown[] = [];
      const second = zoo.watched(
        new RefCounted(
          async () => {
            void met.then(async () => kept.push(await first.acquire())); // LEAK: two shared values hold each other
            return { [Symbol.dispose]() {} };
          },
          { name: 'second' },
        ),
      );
      first = zoo.watched(
        new RefCounted(
          async () => {
            kept.push(await second.acquire()); // LEAK: two shared values hold each other
            return { [Symbol.dispose]() {} };
          },
          { name: 'first' },
        ),
      );
      const lease = await first.acquire();
      meet();
      await nextTurn();
      await lease.release();
      await zoo.age(120_000);
    },
  },
  {
    name: 'leases on cached results are never released',
    finds: { rules: ['orphaned'], count: 5 },
    async run(zoo) {
      const open = zoo.watched(
        memoize(async (path: string) => ({ path, [Symbol.dispose]() {} }), {
          max: 2,
          dispose: disposal(),
        }),
      );
      for (const path of 'abcde') {
        await zoo.scope('GET /file', async () => {
          const lease = await open.lease(path); // LEAK: leases on cached results are never released
          return lease.value.path;
        });
      }
    },
  },
  {
    name: 'leases on cached results are released',
    async run(zoo) {
      const open = zoo.watched(
        memoize(async (path: string) => ({ path, [Symbol.dispose]() {} }), {
          max: 2,
          dispose: disposal(),
        }),
      );
      for (const path of 'abcdeabc') {
        await zoo.scope('GET /file', async () => {
          using lease = await open.lease(path);
          return lease.value.path;
        });
      }
    },
  },
  {
    name: 'one key of a keyed pool leaks',
    finds: { rules: ['orphaned'], count: 3 },
    async run(zoo) {
      const shards = zoo.watched(
        createKeyedPool((_key: string) => connections, { name: 'shards' }),
      );
      const read = async (key: string) => {
        const lease = await shards.lease(key); // LEAK: one key of a keyed pool leaks
        if (key === 'acme') return;
        await lease.release();
      };
      for (let i = 0; i < 12; i++) {
        await zoo.scope('GET /t', () => read(['a', 'b', 'acme', 'c'][i % 4] ?? ''));
      }
    },
  },
  {
    name: 'a lost stack holds a lease',
    finds: { rules: ['orphaned', 'abandoned'] },
    async run(zoo) {
      const pool = zoo.pool();
      zoo.watched(scopeResources);
      await zoo.scope('GET /', async () => {
        const stack = new RunStack(); // LEAK: a lost stack holds a lease
        stack.use(await pool.lease()); // LEAK: a lost stack holds a lease
      });
    },
  },
  {
    name: 'a stack takes its leases along when it is moved, and ends them',
    async run(zoo) {
      const pool = zoo.pool();
      zoo.watched(scopeResources);
      const outer = zoo.watchdog.openScope('session');
      const moved = await outer.run(async () => {
        const stack = new RunStack();
        stack.use(await pool.lease());
        stack.use(await pool.lease());
        return stack.move();
      });
      await zoo.mustBeQuiet({ forceGc: true });
      moved[Symbol.dispose]();
      outer[Symbol.dispose]();
    },
  },
  {
    name: 'a lease was dropped before a forced close',
    finds: { rules: ['abandoned'], count: 1 },
    async run(zoo) {
      const pool = zoo.pool();
      await isolated(async () => {
        const lease = await pool.lease(); // LEAK: a lease was dropped before a forced close
        await lease.resource.query('x');
      });
      await pool.close({ graceMillis: 1, force: true });
    },
  },
  {
    name: 'a holder releases its lease after a forced close',
    async run(zoo) {
      const pool = zoo.pool();
      await isolated(async () => {
        await using lease = await pool.lease();
        void lease.resource;
        await pool.close({ graceMillis: 1, force: true });
      });
    },
  },
];
