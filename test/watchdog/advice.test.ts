/** What a report advises to change: it fits the call that took the loan, its component, its owner, and the rule. */
import { expect, test } from 'vitest';
import { disposal } from '../../src/memoize/disposal/index.js';
import { memoize } from '../../src/memoize/index.js';
import { createKeyedPool, createPool } from '../../src/pool/index.js';
import { AsyncRunStack, RefCounted, RefCountedMap, scopeResources } from '../../src/scope/index.js';
import { Watchdog } from '../../src/watchdog/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { settle } from '../kit/settle.js';
import { MinimalPool } from './minimal-pool.js';

test('the fix fits the call that took the loan', async () => {
  const clock = new FakeClock();
  using watchdog = new Watchdog({ level: 'advanced', clock });
  const pool = createPool({ create: () => ({}), destroy: () => {} }, { name: 'db', clock });
  watchdog.watch(pool);
  await watchdog.scope('lease', async () => void (await pool.lease()));
  await watchdog.scope('acquire', async () => void (await pool.acquire()));
  watchdog.scope('use', () => {
    void pool.use(() => new Promise(() => {}));
  });
  await settle();
  const reports = await watchdog.check();
  const byCall = Object.fromEntries(reports.map((report) => [report.call, report]));
  expect(byCall['lease']?.fix).toContain('await using lease');
  expect(byCall['acquire']?.fix).toContain('`finally`');
  expect(byCall['use']?.fix).toContain('has not settled');
  expect(byCall['use']?.evidence.v8).toBe('no handle');
  await pool.close({ graceMillis: 0, force: true }).catch(() => {});
});

test('the fix for a pool by key has the key in its calls', async () => {
  using watchdog = new Watchdog({ level: 'advanced' });
  const factory = { create: () => ({}), destroy: () => {} };
  const pools = createKeyedPool((_tenant: string) => factory, { name: 'tenants' });
  watchdog.watch(pools);
  await watchdog.scope('lease', async () => void (await pools.lease('acme')));
  watchdog.scope('use', () => {
    void pools.use('acme', () => new Promise(() => {}));
  });
  await settle();
  const fixes = (await watchdog.check()).map(({ call, fix }) => [call, fix]);
  expect(Object.fromEntries(fixes)).toEqual({
    lease: expect.stringMatching(/await pool\.lease\(key\)`.*`pool\.use\(key, fn\)`/),
    use: expect.stringContaining('`pool.use(key, fn)` has not settled'),
  });
  await pools.close({ graceMillis: 0, force: true }).catch(() => {});
});

test('the fix fits the component that has lent, by a call that it has', async () => {
  using watchdog = new Watchdog({ level: 'advanced' });
  const shared = new RefCounted(() => ({}), { name: 'client' });
  const byKey = new RefCountedMap((room: string) => ({ room }), { name: 'rooms' });
  const cached = memoize(async (id: number) => ({ id }), {
    name: 'user',
    dispose: disposal(() => {}),
  });
  for (const component of [shared, byKey, cached, scopeResources]) watchdog.watch(component);
  const kept: unknown[] = [];
  await watchdog.scope('GET /', async () => {
    kept.push(await shared.acquire(), await byKey.acquire('a'), await cached.lease(1));
    kept.push(new AsyncRunStack());
  });
  const fixes = (await watchdog.check()).map(({ component, fix }) => [component.name, fix]);
  expect(Object.fromEntries(fixes)).toEqual({
    client: 'hold what `acquire()` gives with `using`, or release it in a `finally` block',
    rooms: 'hold what `acquire()` gives with `using`, or release it in a `finally` block',
    user: 'hold what `lease()` gives with `using`, or release it in a `finally` block',
    scope: expect.stringContaining('`using` or `await using`'),
  });
  expect(kept).toHaveLength(4);
});

test('the fix of what was leased for an entry, a value or a resource names where that ends', async () => {
  const clock = new FakeClock();
  using watchdog = new Watchdog({ level: 'advanced', clock });
  const pool = createPool({ create: () => ({}), destroy: () => {} }, { name: 'db', clock });
  watchdog.watch(pool);
  const entries = memoize(async (_id: number) => pool.lease(), { max: 1 });
  const shared = new RefCounted(async () => ({ lease: await pool.lease() }));
  const tunnelled = createPool({ create: async () => pool.lease(), destroy: () => {} });
  for (const component of [entries, shared, tunnelled]) watchdog.watch(component);
  const kept = [await entries(1), await entries(2)];
  await (await shared.acquire()).release();
  await shared.idle();
  await (await tunnelled.lease()).destroy();
  const fixes = (await watchdog.check()).map(({ owner, fix }) => [owner?.split(' ')[0], fix]);
  expect(Object.fromEntries(fixes)).toEqual({
    entry: 'end it in the `dispose` option of the cache, and where the load fails',
    value: 'end it in `dispose` of the shared value, and where its creation fails',
    resource: 'end it in `destroy` of the factory, and where `create` fails',
  });
  expect(kept).toHaveLength(2);
  await pool.close({ graceMillis: 0, force: true }).catch(() => {});
});

test('the fix of a suspect that has a lease says how to keep it on purpose', async () => {
  const clock = new FakeClock();
  using watchdog = new Watchdog({ level: 'advanced', clock });
  const pool = createPool({ create: () => ({}), destroy: () => {} }, { name: 'db', clock });
  watchdog.watch(pool);
  const lease = await pool.lease();
  const resource = await pool.acquire();
  for (let i = 0; i < 3_000; i++) await pool.use(() => i);
  await clock.advance(60_000);
  const fixes = (await watchdog.check()).map(({ rule, call, fix }) => [
    rule,
    call,
    fix.includes('if it is held on purpose, call `lease.expectHold(millis)`'),
  ]);
  expect(fixes.sort()).toEqual([
    ['tenured', 'acquire', false],
    ['tenured', 'lease', true],
  ]);
  await lease.release();
  await pool.release(resource);
});

test('what was leased for a result that is not kept belongs to the scope of its caller', async () => {
  const clock = new FakeClock();
  using watchdog = new Watchdog({ level: 'advanced', clock });
  const pool = createPool({ create: () => ({}), destroy: () => {} }, { name: 'db', clock });
  const connect = memoize(async () => pool.lease(), { cacheIf: () => false });
  for (const component of [pool, connect]) watchdog.watch(component);
  const lease = await watchdog.scope('GET /', async (scope) => {
    const taken = await connect();
    await clock.advance(1_000);
    expect(await watchdog.check({ scope })).toEqual([]);
    return taken;
  });
  const [leak] = await watchdog.check();
  expect(leak).toMatchObject({ rule: 'orphaned', scope: 'GET /' });
  expect([leak?.owner, leak?.fix]).toEqual([undefined, expect.stringContaining('await using')]);
  await lease.release();
});

test('what a synchronous function has leased for a result that is not kept belongs to the scope of its caller', async () => {
  using watchdog = new Watchdog({ level: 'advanced', clock: new FakeClock(), graceMillis: 0 });
  const pool = new MinimalPool('db');
  pool.addResource();
  const connect = memoize(() => pool.lease(), { cacheIf: () => false });
  for (const component of [pool, connect]) watchdog.watch(component);
  const lease = watchdog.scope('GET /', () => connect());
  expect(await watchdog.check()).toMatchObject([{ rule: 'orphaned', scope: 'GET /', count: 1 }]);
  lease.release();
});
