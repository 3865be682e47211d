import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createKeyedPool, type KeyedPoolOptions, type Lease } from '../../src/pool/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { settle } from '../kit/settle.js';
import { rejection } from './outcome.js';
import { hold, letGo, StrictFactory, type Thing } from './strict-factory.js';

function open(options: KeyedPoolOptions = {}) {
  const clock = new FakeClock();
  const factories = new Map<string, StrictFactory>();
  const pool = createKeyedPool<string, Thing>(
    (key) => {
      const factory = new StrictFactory(options.max ?? 10);
      factories.set(key, factory);
      return factory;
    },
    { clock, ...options },
  );
  const alive = () => [...factories.values()].reduce((sum, factory) => sum + factory.alive, 0);
  return { clock, factories, pool, alive };
}

test('each key has its own resources, up to max', async () => {
  const { pool, factories } = open({ max: 1 });
  const [a, b] = [await pool.lease('a'), await pool.lease('b')];
  const second = pool.lease('a');
  await settle();
  expect(pool.stats()).toMatchObject({ keys: 2, size: 2, available: 0, borrowed: 2, pending: 1 });
  void a.release();
  expect((await second).resource.id).toBe(0);
  expect([factories.get('a')?.creates, factories.get('b')?.creates]).toEqual([1, 1]);
  void (await second).release();
  void b.release();
  expect(pool.tryLease('c')).toBe(undefined);
  expect(await pool.use('a', (thing) => thing.id)).toBe(0);
  await pool.close();
});

test('at maxTotal, the key that has lent nothing for the longest time gives up an idle resource', async () => {
  const { pool, factories, alive } = open({ maxTotal: 2 });
  const keys = [...Array(300).fill('a'), ...Array(300).fill('b'), 'a'];
  for (const key of keys) void (await pool.lease(key)).release();
  const c = await pool.lease('c');
  expect(factories.get('b')?.destroyed).toEqual(['0 yielded']);
  expect(factories.get('a')?.destroyed).toEqual([]);
  expect(alive()).toBe(2);
  void c.release();
  await pool.close();
});

test('a key that waits gets the next resource that becomes idle in any pool', async () => {
  const { pool, alive } = open({ maxTotal: 1 });
  const a = await pool.lease('a');
  const waiting = pool.lease('b');
  await settle();
  expect(pool.stats()).toMatchObject({ size: 1, pending: 1 });
  void a.release();
  const b = await waiting;
  expect(alive()).toBe(1);
  void b.release();
  await pool.close();
});

test('a busy key does not keep out another: callers are served in the order in which they came', async () => {
  const { pool } = open({ maxTotal: 2, max: 2 });
  const busy = [await pool.lease('busy'), await pool.lease('busy')];
  const served: string[] = [];
  const ask = (key: string, name: string) =>
    pool.lease(key).then((lease) => {
      served.push(name);
      return lease;
    });
  const waiting = [ask('busy', 'first'), ask('other', 'other'), ask('busy', 'second')];
  await settle();
  for (const lease of busy) void lease.release();
  await settle();
  expect(served).toEqual(['first', 'other']);
  for (const lease of await Promise.all(waiting.slice(0, 2))) void lease.release();
  void (await (waiting[2] as Promise<Lease<Thing>>)).release();
  expect(served).toEqual(['first', 'other', 'second']);
  await pool.close();
});

test('a wait ends by its timeout, for every reason of the wait', async () => {
  const { pool, clock } = open({ maxTotal: 1, acquireTimeoutMillis: 100 });
  const a = await pool.lease('a');
  const failing = pool.lease('b');
  failing.catch(() => {});
  await clock.advance(200);
  expect(await rejection(failing)).toMatchObject({ code: 'TENURE_POOL_ACQUIRE_TIMEOUT' });
  void a.release();
  await pool.close();
});

test('empty keys are forgotten', async () => {
  const { pool } = open({ maxTotal: 4 });
  for (let key = 0; key < 1_000; key++) void (await pool.lease(String(key))).release();
  expect(pool.keys().length).toBeLessThan(64);
  expect(pool.stats().size).toBe(4);
  await pool.close();
});

test('close closes the pools of all keys, and reports the loans that are out by key', async () => {
  const { pool, clock } = open({ name: 'shards' });
  const [a, b] = [await pool.lease('a'), await pool.lease('b')];
  const closed = pool.close({ graceMillis: 10 });
  closed.catch(() => {});
  await clock.advance(20);
  const error = (await rejection(closed)) as AggregateError;
  expect(error.errors.map((one: Error) => one.message.split(':')[0])).toEqual([
    'shards/a',
    'shards/b',
  ]);
  expect(await rejection(pool.lease('c'))).toMatchObject({ code: 'TENURE_POOL_CLOSED' });
  void a.release();
  void b.release();
  await pool.close();
  expect(pool.stats().size).toBe(0);
});

test.each([
  [{ maxTotal: 0 }, '`maxTotal` must be an integer ≥ 1'],
  [{ maxTotal: 1.5 }, '`maxTotal` must be an integer ≥ 1'],
])('a malformed total is refused: %j', (options, message) => {
  expect(() => open(options as KeyedPoolOptions)).toThrow(message);
});

test.each([
  [{ max: 0 }, 'createKeyedPool: `max` must be an integer'],
  [{ maxTotal: 0.5 }, 'createKeyedPool: `maxTotal` must be an integer ≥ 1, or Infinity'],
  [{ min: 3, max: 2 }, 'createKeyedPool: `min` must be at most `max`'],
  [{ maxtotal: 1 }, 'unknown option `maxtotal`'],
])('a malformed option is refused at once: %j', (options, message) => {
  expect(() => open(options as KeyedPoolOptions)).toThrow(message);
});

test('a malformed factory is refused when its key is first asked for, and the key is forgotten', async () => {
  const pools = createKeyedPool((key: string) => ({ create: () => key }) as never);
  expect(await rejection(pools.lease('a'))).toMatchObject({
    code: 'TENURE_INVALID_ARGUMENT',
    message: expect.stringContaining('factory.destroy'),
  });
  expect(pools.keys()).toEqual([]);
});

test('listeners get the events of all keys, with the key, until they are removed', async () => {
  const { pool } = open({ max: 1 });
  const seen: string[] = [];
  const note = ({ key, payload }: { key: string; payload: unknown }): void => {
    seen.push(`${key}: ${(payload as { reason?: string }).reason ?? 'created'}`);
  };
  await pool.lease('before');
  pool.on('created', note).on('destroyed', note);
  await pool.lease('after');
  await pool.pool('before').close({ graceMillis: 0, force: true });
  pool.off('destroyed', note);
  await pool.close({ graceMillis: 0, force: true });
  expect(seen).toEqual(['after: created', 'before: forced']);
  expect(() => pool.on('error' as 'created', note)).toThrow('on: `event` must be one of');
});

test('random load: never more than the total, no wait beside an idle resource, and every wait ends', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 3 }),
      fc.array(fc.tuple(fc.nat(3), fc.nat(2)), { maxLength: 60 }),
      async (maxTotal, max, moves) => {
        const { pool, alive } = open({ maxTotal, max });
        const out: Lease<Thing>[] = [];
        const asked: Promise<void>[] = [];
        for (const [key, move] of moves) {
          if (move < 2) {
            asked.push(
              pool.lease(`key ${key}`).then((lease) => {
                hold(lease.resource);
                out.push(lease);
              }),
            );
          } else {
            const lease = out.shift();
            if (lease === undefined) continue;
            letGo(lease.resource);
            void lease.release();
          }
          await settle();
          expect(alive()).toBeLessThanOrEqual(maxTotal);
          const { size, pending, borrowed } = pool.stats();
          expect(size).toBeLessThanOrEqual(maxTotal);
          if (pending > 0) expect(borrowed).toBeGreaterThan(0);
        }
        while (pool.stats().pending + out.length > 0) {
          for (const lease of out.splice(0)) {
            letGo(lease.resource);
            void lease.release();
          }
          await settle();
        }
        await Promise.all(asked);
        await pool.close();
        expect(alive()).toBe(0);
      },
    ),
    { numRuns: 200 },
  );
});

test('a returned resource that its key no longer needs goes to a key that may have more', async () => {
  const { pool, factories } = open({ maxTotal: 2 });
  const [a, b] = [await pool.lease('a'), await pool.lease('b')];
  const waiting = pool.lease('a');
  await settle();
  void b.release();
  const second = await waiting;
  expect(factories.get('b')?.destroyed).toEqual(['0 yielded']);
  void a.release();
  void second.release();
  await pool.close();
});
