/** Programs in which the objects of one kind become more, and others in which they do not for long. */
import { createCache, memoize } from '../../../src/memoize/index.js';
import { createKeyedPool, createPool } from '../../../src/pool/index.js';
import { eachMinute, eachQuietMinute, MINUTE } from '../minutes.js';
import { connections, type Program } from '../program.js';

/** Asks for some of 400 countries, which are others in each minute. */
async function askCountries(ask: (id: number) => unknown, minute: number): Promise<void> {
  for (let i = 0; i < 200; i++) await ask((minute * 7_919 + i * i * 31) % 400);
}

export const growing: readonly Program[] = [
  {
    name: 'a cache without a bound, keyed by a time stamp',
    finds: { rules: ['growth'] },
    async run(zoo) {
      const page = zoo.watched(memoize(async (url: string) => url, { name: 'page' }));
      let time = 0;
      await eachMinute(zoo, 20, async () => {
        for (let i = 0; i < 50; i++) await page(`/a?_=${time++}`); // LEAK: a cache without a bound, keyed by a time stamp
      });
    },
  },
  {
    name: 'a cache without a bound has entries before its watch begins',
    finds: { rules: ['growth'] },
    async run(zoo) {
      const page = memoize(async (url: string) => url, { name: 'page' });
      let time = 0;
      for (let i = 0; i < 50; i++) await page(`/a?_=${time++}`);
      zoo.watched(page);
      await eachMinute(zoo, 20, async () => {
        for (let i = 0; i < 50; i++) await page(`/a?_=${time++}`); // LEAK: a cache without a bound has entries before its watch begins
      });
    },
  },
  {
    name: 'a cache below its max',
    async run(zoo) {
      const user = zoo.watched(memoize(async (id: number) => ({ id }), { max: 10_000 }));
      await eachQuietMinute(zoo, 20, async (minute) => {
        for (let i = 0; i < 100; i++) await user(minute * 100 + i);
      });
    },
  },
  {
    name: 'a cache of few keys fills up',
    async run(zoo) {
      const country = zoo.watched(memoize(async (id: number) => ({ id })));
      await eachQuietMinute(zoo, 24, async (minute) => {
        await askCountries(country, minute);
      });
    },
  },
  {
    name: 'a cache of few keys is half full when its watch begins',
    async run(zoo) {
      const country = memoize(async (id: number) => ({ id }));
      for (let minute = 0; minute < 4; minute++) await askCountries(country, minute);
      zoo.watched(country);
      await eachQuietMinute(zoo, 20, (minute) => askCountries(country, 4 + minute));
    },
  },
  {
    name: 'a cache with a ttl of ten minutes has just started',
    async run(zoo) {
      const page = zoo.watched(
        memoize(async (url: string) => url, { ttl: 10 * MINUTE, clock: zoo.clock }),
      );
      let time = 0;
      await eachQuietMinute(zoo, 24, async () => {
        for (let i = 0; i < 50; i++) await page(`/a?_=${time++}`);
      });
    },
  },
  {
    name: 'a cache with a ttl of an hour has just started',
    async run(zoo) {
      const page = zoo.watched(
        memoize(async (url: string) => url, { ttl: 60 * MINUTE, clock: zoo.clock }),
      );
      let time = 0;
      await eachMinute(zoo, 130, async (minute) => {
        for (let i = 0; i < 20; i++) await page(`/a?_=${time++}`);
        if (minute % 5 === 0) await zoo.mustBeQuiet();
      });
    },
  },
  {
    name: 'a cache with a ttl of a day, and many new keys in each minute',
    finds: { rules: ['growth'] },
    async run(zoo) {
      const page = zoo.watched(
        memoize(async (url: string) => url, {
          name: 'page',
          ttl: 1_440 * MINUTE,
          clock: zoo.clock,
        }),
      );
      let time = 0;
      await eachMinute(zoo, 24, async () => {
        for (let i = 0; i < 100; i++) await page(`/a?_=${time++}`); // LEAK: a cache with a ttl of a day, and many new keys in each minute
      });
    },
  },
  {
    name: 'a pool for each request is never closed',
    finds: { rules: ['growth'] },
    async run(zoo) {
      await eachMinute(zoo, 20, async () => {
        for (let i = 0; i < 10; i++) {
          const pool = createPool(connections, { name: 'per request' });
          zoo.watchdog.watch(pool); // LEAK: a pool for each request is never closed
          await pool.use((c) => c.query('x'));
        }
      });
    },
  },
  {
    name: 'a service for each request has a memoized method, and a registry keeps it',
    finds: { rules: ['growth'], count: 600 },
    async run(zoo) {
      const registry: unknown[] = [];
      await eachMinute(zoo, 30, async (minute) => {
        for (let i = 0; i < 20; i++) {
          const find = memoize(async (id: number) => ({ id }), { name: 'Service.find' });
          zoo.watchdog.watch(find); // LEAK: a service for each request has a memoized method, and a registry keeps it
          registry.push({ find, found: await find(i) });
        }
        if (minute % 3 === 2) await zoo.watchdog.check({ forceGc: true });
      });
      return registry;
    },
  },
  {
    name: 'a cache for each tenant, and one of them has no bound',
    finds: { rules: ['growth'] },
    async run(zoo) {
      const byTenant: unknown[] = [];
      const add = () => {
        const page = memoize(async (url: string) => ({ url }), { name: 'page' });
        byTenant.push(page);
        zoo.watchdog.watch(page);
        return page;
      };
      const unbounded = add();
      let time = 0;
      await eachMinute(zoo, 30, async (minute) => {
        const page = add();
        for (let i = 0; i < 5; i++) await page(`/${i}`);
        for (let i = 0; i < 20; i++) await unbounded(`/a?_=${time++}`); // LEAK: a cache for each tenant, and one of them has no bound
        if (minute % 3 === 2) await zoo.watchdog.check({ forceGc: true });
      });
      return byTenant;
    },
  },
  {
    name: 'a pool for each test is closed',
    async run(zoo) {
      await eachQuietMinute(zoo, 20, async () => {
        for (let i = 0; i < 10; i++) {
          const pool = zoo.pool({ name: 'per test' });
          await pool.use((c) => c.query('x'));
          await pool.close();
        }
      });
    },
  },
  {
    name: 'a cache for each request is dropped',
    async run(zoo) {
      await eachQuietMinute(zoo, 16, async () => {
        for (let i = 0; i < 20; i++) {
          const square = memoize((n: number) => n * n, { name: 'per request' });
          zoo.watchdog.watch(square);
          square(i);
        }
      });
    },
  },
  {
    name: 'scopes never end, in a service that has no component watched',
    finds: { rules: ['growth'] },
    async run(zoo) {
      const feeds: Promise<void>[] = [];
      for (let minute = 0; minute < 30; minute++) {
        for (let i = 0; i < 20; i++) feeds.push(zoo.scope('WS /feed', () => new Promise(() => {})));
        await zoo.age(60_000);
      }
      return feeds;
    },
  },
  {
    name: 'scopes never end',
    finds: { rules: ['growth'] },
    async run(zoo) {
      zoo.pool();
      await eachMinute(zoo, 20, () => {
        for (let i = 0; i < 10; i++) void zoo.scope('GET /hangs', () => new Promise(() => {}));
      });
    },
  },
  {
    name: 'a twentieth of the scopes of a route never end',
    finds: { rules: ['growth'] },
    async run(zoo) {
      zoo.pool();
      await eachMinute(zoo, 20, async () => {
        for (let i = 0; i < 10; i++) void zoo.scope('GET /hangs', () => new Promise(() => {}));
        for (let i = 0; i < 190; i++) await zoo.scope('GET /hangs', () => i);
      });
    },
  },
  {
    name: 'chats of ten minutes become more in the morning',
    async run(zoo) {
      zoo.pool();
      let chats: { readonly until: number; readonly end: () => void }[] = [];
      await eachQuietMinute(zoo, 40, async (minute) => {
        for (let i = 0; i < 5 + minute; i++) {
          void zoo.scope('GET /chat', () => {
            return new Promise<void>((end) => chats.push({ until: minute + 10, end }));
          });
        }
        for (const { until, end } of chats) if (until <= minute) end();
        chats = chats.filter(({ until }) => until > minute);
      });
      for (const { end } of chats) end();
    },
  },
  {
    name: 'a cache without a bound gets more traffic, and some entries are deleted',
    finds: { rules: ['growth'] },
    async run(zoo) {
      const user = zoo.watched(memoize(async (id: number) => ({ id }), { name: 'user' }));
      let id = 0;
      await eachMinute(zoo, 30, async (minute) => {
        for (let i = 0; i < 20 + minute; i++) await user(id++); // LEAK: a cache without a bound gets more traffic, and some entries are deleted
        for (let i = 0; i < 5; i++) user.delete(id - 2 * i);
      });
    },
  },
  {
    name: 'each request adds a listener',
    finds: { rules: ['growth'] },
    async run(zoo) {
      const pool = zoo.pool();
      await eachMinute(zoo, 20, () => {
        for (let i = 0; i < 10; i++) pool.on('created', () => i); // LEAK: each request adds a listener
      });
    },
  },
  {
    name: 'each request adds a listener and removes it',
    async run(zoo) {
      const pool = zoo.pool();
      await eachQuietMinute(zoo, 16, () => {
        for (let i = 0; i < 10; i++) {
          const listener = (): number => i;
          pool.on('created', listener);
          pool.off('created', listener);
        }
      });
    },
  },
  {
    name: 'each request listens to a cache',
    finds: { rules: ['growth'] },
    async run(zoo) {
      const cache = zoo.watched(createCache<string, number>({ name: 'prices', max: 10 }));
      await eachMinute(zoo, 20, (minute) => {
        for (let i = 0; i < 10; i++) cache.on('evict', () => i); // LEAK: each request listens to a cache
        cache.set(String(minute), minute);
      });
    },
  },
  {
    name: 'each request listens to a keyed pool',
    finds: { rules: ['growth'] },
    async run(zoo) {
      const pool = zoo.watched(
        createKeyedPool((_shard: number) => connections, { name: 'shards' }),
      );
      await eachMinute(zoo, 20, async (minute) => {
        for (let i = 0; i < 10; i++) pool.on('created', () => i); // LEAK: each request listens to a keyed pool
        await pool.use(minute % 4, (c) => c.query('x'));
      });
    },
  },
  {
    name: 'each request listens to the watchdog',
    finds: { rules: ['growth'] },
    async run(zoo) {
      zoo.pool();
      await eachMinute(zoo, 20, () => {
        for (let i = 0; i < 10; i++) zoo.watchdog.on('retracted', () => i); // LEAK: each request listens to the watchdog
      });
    },
  },
  {
    name: 'a keyed pool with two listeners has ever new keys',
    async run(zoo) {
      const pool = zoo.watched(
        createKeyedPool((_tenant: string) => connections, { name: 'tenants' }),
      );
      for (const event of ['created', 'destroyed'] as const) pool.on(event, () => {});
      await eachQuietMinute(zoo, 16, async (minute) => {
        for (let i = 0; i < 8; i++) await pool.use(`${minute}/${i}`, (c) => c.query('x'));
      });
      await pool.close();
    },
  },
  {
    name: 'caches and keyed pools for each request are listened to, and dropped',
    async run(zoo) {
      await eachQuietMinute(zoo, 16, async (minute) => {
        for (let i = 0; i < 20; i++) {
          const cache = createCache<string, number>({ name: 'per request', max: 10 });
          zoo.watchdog.watch(cache);
          cache.on('evict', () => i);
          cache.set(String(minute), i);
          const pool = createKeyedPool((_key: number) => connections, { name: 'per request' });
          zoo.watchdog.watch(pool);
          pool.on('created', () => i);
          await pool.use(i, (c) => c.query('x'));
          await pool.close();
        }
      });
    },
  },
];
