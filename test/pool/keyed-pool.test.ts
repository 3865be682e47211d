import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  createKeyedPool,
  type Factory,
  type KeyedPool,
  type KeyedPoolOptions,
  type Lease,
  observe,
} from '../../src/pool/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gates } from '../kit/gate.js';
import { RecordingObserver } from '../kit/recording-observer.js';
import { settle } from '../kit/settle.js';
import { outcomeOf, rejection } from './outcome.js';
import { hold, letGo, StrictFactory, type Thing } from './strict-factory.js';

function open(options: KeyedPoolOptions = {}) {
  return openWith(options, {});
}

/** A keyed pool whose factories take these steps, which are given the key. */
function openWith(
  options: KeyedPoolOptions,
  steps: { create?(key: string): unknown; destroy?(key: string): unknown },
) {
  const clock = new FakeClock();
  const factories = new Map<string, StrictFactory>();
  const pool = createKeyedPool<string, Thing>(
    (key) => {
      const factory = new StrictFactory(options.max ?? 10, {
        create: () => steps.create?.(key),
        destroy: () => steps.destroy?.(key),
      });
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
  expect(pool.stats()).toMatchObject({ keys: 2, tryMisses: 1 });
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
  let most = 0;
  for (let key = 0; key < 1_000; key++) {
    void (await pool.lease(String(key))).release();
    most = Math.max(most, pool.keys().length);
  }
  expect(most, 'the number of keys does not grow').toBeLessThan(64);
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
  expect(error.message).toMatch(
    /^shards: close\(\) failed for 2 keys\. First: LeasesOutError: shards\/a: 1 still out/,
  );
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

test('a promise in place of a factory is refused, and its rejection ends no process', async () => {
  const pools = createKeyedPool((async () => Promise.reject(new Error('unknown tenant'))) as never);
  expect(await rejection(pools.lease('a'))).toMatchObject({
    code: 'TENURE_INVALID_ARGUMENT',
    message: expect.stringContaining('got a promise'),
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

test('each listener of an event is called once for it', async () => {
  const { pool } = open();
  const heard: string[] = [];
  pool.on('created', ({ key }) => heard.push(`first ${key}`));
  await pool.lease('a');
  pool.on('created', ({ key }) => heard.push(`second ${key}`));
  await pool.lease('a');
  expect(heard).toEqual(['first a', 'first a', 'second a']);
  await pool.close({ graceMillis: 0, force: true });
});

/** Asks for so many new keys that empty keys are forgotten. */
async function forgetEmptyKeys(pool: KeyedPool<string, Thing>): Promise<void> {
  for (let key = 0; key < 100; key++) await (await pool.lease(`other ${key}`)).destroy();
}

test('a key with a waiter, but without a resource, is not forgotten', async () => {
  let isDown = true;
  const { pool, clock } = openWith(
    {},
    {
      create: (key) => {
        if (isDown && key === 'waiting') throw new Error('down');
      },
    },
  );
  const waiting = pool.lease('waiting');
  await settle();
  await forgetEmptyKeys(pool);
  isDown = false;
  await clock.advance(10);
  void (await waiting).release();
  expect(pool.keys()).toContain('waiting');
  await pool.close();
});

test('a key with `min` resources is not forgotten while its factory fails', async () => {
  let isDown = true;
  const { pool, clock } = openWith(
    { min: 1 },
    {
      create: (key) => {
        if (isDown && key === 'warm') throw new Error('down');
      },
    },
  );
  const warm = pool.pool('warm');
  await settle();
  await forgetEmptyKeys(pool);
  isDown = false;
  await clock.advance(10);
  expect([warm.available, pool.pool('warm')]).toEqual([1, warm]);
  await pool.close();
});

test('a key is not forgotten during the pause after failures: its callers cannot storm a server by leaving', async () => {
  let attempts = 0;
  const { pool, clock } = openWith(
    {},
    {
      create: (key) => {
        if (key === 'failing') throw new Error(`refused ${++attempts}`);
      },
    },
  );
  for (let caller = 0; caller < 20; caller++) {
    const left = outcomeOf(pool.use('failing', () => {}, { timeoutMillis: 20 }));
    await clock.advance(20);
    expect(left().is).toBe('rejected');
    await forgetEmptyKeys(pool);
  }
  expect(attempts).toBeLessThan(10);
  await pool.close();
});

/** Pools by objects, and their factories in the order of the keys. Neither keeps a factory in memory. */
function openByObject(options: KeyedPoolOptions) {
  const factories: WeakRef<Factory<object>>[] = [];
  const pools = createKeyedPool<object, object>(() => {
    const factory = { create: () => ({}), destroy: () => {} };
    factories.push(new WeakRef(factory));
    return factory;
  }, options);
  return { pools, factories };
}

test('the pool of a forgotten key is closed, and nothing of the key is kept in memory', async () => {
  const { pools, factories } = openByObject({ maxTotal: 4, clock: new FakeClock() });
  pools.on('created', () => {});
  using _watch = pools[observe](new RecordingObserver());
  const refs = await (async () => {
    const key = {};
    const forgotten = pools.pool(key);
    await forgotten.use(() => {});
    pools.evict(() => true);
    for (let others = 0; others < 100; others++) await (await pools.lease({})).destroy();
    expect(await rejection(forgotten.lease())).toMatchObject({ code: 'TENURE_POOL_CLOSED' });
    return [new WeakRef(key), new WeakRef(forgotten), factories[0]];
  })();
  await collectGarbage();
  expect(refs.map((ref) => ref?.deref())).toEqual([undefined, undefined, undefined]);
  await pools.close();
});

test('a key that waits for a place, to be warmed up, is not kept in memory when its caller leaves', async () => {
  const { pools, factories } = openByObject({ maxTotal: 1 });
  const held = await pools.lease({});
  await (async () => {
    const caller = new AbortController();
    const warm = rejection(pools.pool({}).warmUp(1, { signal: caller.signal }));
    caller.abort();
    await warm;
    for (let others = 0; others < 100; others++) pools.pool({}); // So many that empty keys are forgotten.
  })();
  await collectGarbage();
  expect(factories[1]?.deref()).toBeUndefined();
  await held.release();
  await pools.close();
});

test('a key that has only a waiter is counted', async () => {
  const { pool } = open({ maxTotal: 1 });
  const a = await pool.lease('a');
  const waiting = pool.lease('b');
  await settle();
  expect(pool.stats()).toMatchObject({ keys: 2, size: 1, pending: 1 });
  void a.release();
  void (await waiting).release();
  await pool.close();
});

test('close rejects with the error of the one pool that could not be closed', async () => {
  const { pool } = open();
  const out = await pool.lease('a');
  void (await pool.lease('b')).release();
  expect(await rejection(pool.close({ graceMillis: 0 }))).toMatchObject({
    code: 'TENURE_POOL_LEASES_OUT',
  });
  void out.release();
  await pool.close();
});

test('a key that may not create more at the same time does not keep out another', async () => {
  const gates = new Gates();
  const { pool } = openWith(
    { maxTotal: 10, maxConcurrentCreates: 1 },
    { create: (key) => (key === 'slow' ? gates.next() : undefined) },
  );
  const slow = [pool.lease('slow'), pool.lease('slow')];
  await settle();
  expect(gates.arrived).toBe(1);
  (await pool.lease('other'))[Symbol.dispose]();
  gates.at(0).open();
  gates.at(1).open();
  for (const lease of await Promise.all(slow)) lease[Symbol.dispose]();
  await pool.close();
});

test('a key that is paused does not keep out another', async () => {
  const { pool } = open({ maxTotal: 1 });
  const held = await pool.lease('held');
  const waiting = [outcomeOf(pool.lease('paused')), outcomeOf(pool.lease('other'))];
  await settle();
  pool.pool('paused').pause();
  held[Symbol.dispose]();
  await settle();
  expect(waiting.map((ended) => ended().is)).toEqual(['pending', 'resolved']);
  await pool.close({ graceMillis: 0, force: true });
});

test('a key whose factory fails does not keep out another', async () => {
  const { pool, clock } = openWith(
    { maxTotal: 1 },
    {
      create: (key) => {
        if (key === 'down') throw new Error('down');
      },
    },
  );
  const down = outcomeOf(pool.lease('down'));
  await settle();
  (await pool.lease('other'))[Symbol.dispose]();
  await pool.close();
  expect([down().is, clock.pendingTimers]).toEqual(['rejected', 0]);
});

test('with createAttempts 1, a key whose last creation failed has its turn as the others have theirs', async () => {
  const clock = new FakeClock();
  let isDown = false;
  const create = () => {
    if (isDown) throw new Error('down');
    return {};
  };
  const pools = createKeyedPool(() => ({ create, destroy: () => {} }), {
    maxTotal: 1,
    createAttempts: 1,
    clock,
  });
  const held = await pools.lease('a');
  const asked = ['b', 'c', 'b', 'c'].map((key) => outcomeOf(pools.lease(key)));
  isDown = true;
  await held.destroy();
  await settle();
  expect(asked.map((outcome) => outcome().is)).toEqual(new Array(4).fill('rejected'));
  await pools.close();
});

test('a key that has all that it may have does not keep out another', async () => {
  const { pool } = open({ max: 1, maxTotal: 2 });
  const full = await pool.lease('full');
  const waiting = pool.lease('full');
  await settle();
  const other = await pool.lease('other');
  for (const lease of [full, other]) lease[Symbol.dispose]();
  (await waiting)[Symbol.dispose]();
  await pool.close();
});

test('a key that has less keeps its resource, although another waits longer', async () => {
  const { pool, factories } = open({ maxTotal: 3 });
  const large = [await pool.lease('large'), await pool.lease('large')];
  const small = await pool.lease('small');
  const waiting = [outcomeOf(pool.lease('large')), outcomeOf(pool.lease('small'))];
  await settle();
  small[Symbol.dispose]();
  await settle();
  expect(waiting.map((ended) => ended().is)).toEqual(['pending', 'resolved']);
  expect(factories.get('small')?.destroyed).toEqual([]);
  for (const lease of large) lease[Symbol.dispose]();
  await pool.close({ graceMillis: 0, force: true });
});

test('a key whose creations hang and ignore their signals keeps at most `max` places, until they time out', async () => {
  const hanging = new Gates();
  const { pool, clock } = openWith(
    { max: 2, maxTotal: 3, createTimeoutMillis: 1_000 },
    { create: (key) => (key === 'dead' ? hanging.next() : undefined) },
  );
  const leave = async (): Promise<void> => {
    const callers = Array.from({ length: 4 }, () =>
      outcomeOf(pool.lease('dead', { timeoutMillis: 100 })),
    );
    await clock.advance(100);
    expect(callers.map((caller) => caller().is)).toEqual(Array(4).fill('rejected'));
  };
  await leave(); // Two creations run on without a place.
  await leave(); // The next two keep theirs.
  expect([hanging.arrived, pool.stats().creating]).toEqual([4, 2]);
  const others = ['a', 'b', 'c'].map((key) => outcomeOf(pool.lease(key)));
  await settle();
  expect(others.map((other) => other().is)).toEqual(['resolved', 'pending', 'pending']);
  await clock.advance(1_000);
  expect(others.map((other) => other().is)).toEqual(Array(3).fill('resolved'));
  await pool.close({ graceMillis: 0, force: true });
});

test('a key whose urgent waiter leaves is served by its next waiter, which came first', async () => {
  const { pool, clock } = open({ maxTotal: 1, priorityRange: 2 });
  const held = await pool.lease('held');
  const controller = new AbortController();
  const first = outcomeOf(pool.lease('a', { priority: 1 }));
  const second = outcomeOf(pool.lease('b'));
  const urgent = outcomeOf(pool.lease('a', { priority: 0, signal: controller.signal }));
  await settle();
  controller.abort();
  await settle();
  void held.release();
  await settle();
  expect([first().is, second().is, urgent().is]).toEqual(['resolved', 'pending', 'rejected']);
  await pool.close({ graceMillis: 0, force: true });
  await clock.advance(0);
});

/** A pool for four resources in all. Creations of the key `held up` wait at a gate. */
function openForFour() {
  const creates = new Gates();
  const t = openWith(
    { maxTotal: 4, createTimeoutMillis: 500, createAttempts: 1 },
    { create: (key) => (key === 'held up' ? creates.next() : undefined) },
  );
  return { ...t, creates };
}

const ENDS: Readonly<Record<string, (t: ReturnType<typeof openForFour>) => Promise<void>>> = {
  async 'a creation whose caller leaves'({ pool, creates }) {
    const controller = new AbortController();
    const left = outcomeOf(pool.lease('held up', { signal: controller.signal }));
    await settle();
    controller.abort();
    await settle();
    expect(left().is).toBe('rejected');
    creates.at(0).open();
  },
  async 'a creation that times out'({ pool, clock }) {
    const timedOut = outcomeOf(pool.lease('held up'));
    await clock.advance(500);
    expect(timedOut().is).toBe('rejected');
  },
  async 'a creation that fails'({ pool, creates }) {
    const failed = outcomeOf(pool.lease('held up'));
    await settle();
    creates.at(0).fail(new Error('down'));
    await settle();
    expect(failed().is).toBe('rejected');
  },
  async 'a creation whose pool is closed'({ pool, clock }) {
    const closed = outcomeOf(pool.lease('held up'));
    await settle();
    const closing = pool.pool('held up').close({ graceMillis: 0 });
    await clock.advance(0);
    await closing;
    expect(closed().is).toBe('rejected');
  },
  async 'a destruction'({ pool }) {
    await (await pool.lease('a')).destroy();
  },
  async 'a detached resource'({ pool }) {
    (await pool.lease('a')).detach();
  },
  async 'an invalidation'({ pool }) {
    await pool.use('a', () => {});
    await pool.invalidate();
  },
};

test.each(Object.entries(ENDS))('%s gives its place back', async (_, end) => {
  const t = openForFour();
  await end(t);
  const leases = Array.from({ length: 5 }, (_, key) => outcomeOf(t.pool.lease(`key ${key}`)));
  await settle();
  expect(leases.map((lease) => lease().is)).toEqual([...Array(4).fill('resolved'), 'pending']);
  await t.pool.close({ graceMillis: 0, force: true });
});

test('a key yields nothing to one whose waiters came later', async () => {
  const { pool, factories } = open({ maxTotal: 2, max: 2 });
  const busy = [await pool.lease('busy'), await pool.lease('busy')];
  const waiting = [outcomeOf(pool.lease('busy')), outcomeOf(pool.lease('later'))];
  await settle();
  busy[0]?.[Symbol.dispose]();
  await settle();
  expect(waiting.map((ended) => ended().is)).toEqual(['resolved', 'pending']);
  expect(factories.get('busy')?.destroyed).toEqual([]);
  await pool.close({ graceMillis: 0, force: true });
});

test('no more resources yield than are needed', async () => {
  const destroys = new Gates();
  const { pool, factories } = openWith({ maxTotal: 3 }, { destroy: () => destroys.next() });
  const busy = [await pool.lease('busy'), await pool.lease('busy'), await pool.lease('busy')];
  const other = outcomeOf(pool.lease('other'));
  const waiting = [outcomeOf(pool.lease('busy')), outcomeOf(pool.lease('busy'))];
  await settle();
  for (const lease of busy) lease[Symbol.dispose]();
  await settle();
  expect(factories.get('busy')?.destroyed).toEqual(['0 yielded']);
  expect(waiting.map((ended) => ended().is)).toEqual(['resolved', 'resolved']);
  destroys.at(0).open();
  await settle();
  expect(other().is).toBe('resolved');
  for (let gate = 1; gate < 4; gate++) destroys.at(gate).open();
  await pool.close({ graceMillis: 0, force: true });
});

test('as many resources yield as are needed', async () => {
  const destroys = new Gates();
  const { pool, factories } = openWith({ maxTotal: 4 }, { destroy: () => destroys.next() });
  const busy = await Promise.all(Array.from({ length: 4 }, () => pool.lease('busy')));
  const other = [outcomeOf(pool.lease('other')), outcomeOf(pool.lease('other'))];
  const waiting = outcomeOf(pool.lease('busy'));
  await settle();
  for (const lease of busy) lease[Symbol.dispose]();
  await settle();
  expect(factories.get('busy')?.destroyed).toEqual(['0 yielded', '1 yielded']);
  expect(waiting().is).toBe('resolved');
  for (let gate = 0; gate < 6; gate++) destroys.at(gate).open();
  await settle();
  expect(other.map((ended) => ended().is)).toEqual(['resolved', 'resolved']);
  await pool.close({ graceMillis: 0, force: true });
});

test('no more idle resources are evicted than are needed, also after others were', async () => {
  const { pool, factories } = open({ maxTotal: 2 });
  for (const key of ['a', 'b', 'c', 'd']) {
    void (await pool.lease(key)).release();
    await settle();
  }
  const destroyed = ['a', 'b', 'c', 'd'].map((key) => factories.get(key)?.destroyed.length);
  expect(destroyed).toEqual([1, 1, 0, 0]);
  await pool.close();
});

test('no more idle resources are evicted than are needed', async () => {
  const destroys = new Gates();
  const { pool, factories } = openWith({ maxTotal: 3 }, { destroy: () => destroys.next() });
  const idle = [await pool.lease('idle'), await pool.lease('idle')];
  const busy = await pool.lease('busy');
  for (const lease of idle) lease[Symbol.dispose]();
  const waiting = pool.lease('other');
  await settle();
  busy[Symbol.dispose]();
  await settle();
  expect(factories.get('idle')?.destroyed).toEqual(['0 yielded']);
  expect(factories.get('busy')?.destroyed).toEqual([]);
  for (let gate = 0; gate < 4; gate++) destroys.at(gate).open();
  (await waiting)[Symbol.dispose]();
  await pool.close();
});

test('a late resource whose destroy hangs has no idle resource evicted that is not needed', async () => {
  const clock = new FakeClock();
  const [creates, destroys] = [new Gates(), new Gates()];
  const destroyed: string[] = [];
  let isSlow = true;
  const factory = {
    create: async () => {
      if (isSlow) await creates.next();
      return {};
    },
    destroy: (_: object, reason: string) => {
      destroyed.push(reason);
      return destroys.next();
    },
  };
  const pools = createKeyedPool(() => factory, {
    clock,
    maxTotal: 2,
    createAttempts: 1,
    createTimeoutMillis: 100,
    destroyTimeoutMillis: 60_000,
  });
  const late = outcomeOf(pools.lease('idle'));
  await clock.advance(200);
  isSlow = false;
  await pools.pool('idle').invalidate();
  creates.at(0).open();
  await clock.advance(200);
  expect([late().is, destroyed]).toEqual(['rejected', ['late']]);
  const leases = [await pools.lease('idle'), await pools.lease('idle')];
  for (const lease of leases) void lease.release();
  const waiting = pools.lease('other');
  await settle();
  expect(destroyed).toEqual(['late', 'yielded']);
  for (let gate = 0; gate < 4; gate++) destroys.at(gate).open();
  void (await waiting).release();
  await pools.close();
});

test('the waits of all keys share one listener on a signal', async () => {
  const pools = createKeyedPool(() => ({ create: () => ({}), destroy() {} }), { maxTotal: 1 });
  const lease = await pools.lease('held');
  const request = new AbortController();
  const keys = Array.from({ length: 20 }, (_, index) => `key ${index}`);
  const waits = keys.map((key) => pools.lease(key, { signal: request.signal }));
  expect(getEventListeners(request.signal, 'abort')).toHaveLength(1);
  request.abort('left');
  expect(await Promise.allSettled(waits)).toEqual(
    keys.map(() => ({ status: 'rejected', reason: 'left' })),
  );
  expect(getEventListeners(request.signal, 'abort')).toEqual([]);
  void lease.release();
  await pools.close();
});

test('calls that hang and ignore their signals are at most twice `maxTotal`, however many keys are asked for', async () => {
  const hanging = new Gates();
  const pools = createKeyedPool(
    (_: number) => ({ create: () => hanging.next(), destroy: () => {} }),
    { max: 1, maxTotal: 2 },
  );
  for (let key = 0; key < 100; key++) {
    const abort = new AbortController();
    const left = pools.lease(key, { signal: abort.signal });
    await settle();
    abort.abort(new Error('left'));
    await expect(left).rejects.toThrow('left');
  }
  expect(hanging.arrived).toBe(4);
  hanging.at(0).open();
  await settle();
  expect(hanging.arrived, 'one has ended, and no caller waits').toBe(4);
  const waits = pools.lease(1_000);
  await settle();
  hanging.at(2).open();
  await settle();
  hanging.at(4).open();
  await (await waits).release();
  for (const at of [1, 3]) hanging.at(at).open();
  await settle();
  await pools.close();
});

test('a key whose call hangs is not forgotten: asked for again and again, it has no more than `max` beside its places', async () => {
  const hanging = new Gates();
  const pools = createKeyedPool(
    (key: string) => ({
      create: () => (key === 'dead' ? hanging.next() : Promise.resolve()),
      destroy: () => {},
    }),
    { max: 1 },
  );
  for (let round = 0; round < 5; round++) {
    const abort = new AbortController();
    const left = pools.lease('dead', { signal: abort.signal });
    await settle();
    abort.abort(new Error('left'));
    await expect(left).rejects.toThrow('left');
    for (let other = 0; other < 40; other++) {
      await (await pools.lease(`other ${round} ${other}`)).destroy(); // So many that empty keys are forgotten.
    }
  }
  expect(hanging.arrived).toBe(2);
  for (const at of [0, 1]) hanging.at(at).open();
  await settle();
  await pools.close();
});
