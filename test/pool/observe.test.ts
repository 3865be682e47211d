import { expect, test, vi } from 'vitest';
import { captureStack, parseFrames } from '../../src/core/call-site.js';
import type { Holder } from '../../src/core/probe.js';
import { createKeyedPool, createPool, observe, type PoolOptions } from '../../src/pool/index.js';
import { Pool } from '../../src/pool/pool.js';
import { collectGarbage } from '../kit/collect-garbage.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gates } from '../kit/gate.js';
import { RecordingObserver } from '../kit/recording-observer.js';
import { settle } from '../kit/settle.js';
import { outcomeOf, rejection } from './outcome.js';
import { StrictFactory } from './strict-factory.js';

function watched(options: PoolOptions = {}) {
  const clock = new FakeClock();
  const pool = createPool(new StrictFactory(), { clock, ...options });
  const observer = new RecordingObserver();
  return { pool, clock, observer, observation: pool[observe](observer) };
}

test('resource nodes last from creation to destruction, loan nodes from grant to return', async () => {
  const { pool, observer } = watched();
  const lease = await pool.lease();
  const [resource] = observer.liveOf('resource');
  expect(observer.live.get(resource as number)?.holders).toContain(observer.root);
  expect(observer.liveOf('lease')).toHaveLength(1);
  void lease.release();
  expect([observer.liveOf('lease'), observer.liveOf('resource')]).toEqual([[], [resource]]);
  await pool.close();
  expect(observer.live.size).toBe(0);
});

test('each way of lending captures the origin at its own entry point, before any wait', async () => {
  const { pool, observer } = watched({ max: 1 });
  const lease = await pool.lease();
  const waiting = [pool.lease(), pool.acquire(), pool.use(() => {})] as const;
  const { lease: entry, acquire, use, tryLease } = Pool.prototype;
  expect(observer.entries).toEqual([entry, entry, acquire, use]);
  void lease.release();
  void (await waiting[0]).release();
  await pool.release(await waiting[1]);
  await waiting[2];
  pool.tryLease()?.[Symbol.dispose]();
  expect(observer.entries).toEqual([entry, entry, acquire, use, tryLease]);
  expect(observer.liveOf('lease')).toEqual([]);
});

test("the first frame of every origin is the caller's own line", async () => {
  const clock = new FakeClock();
  const pool = createPool(new StrictFactory(), { clock });
  const lines: (string | undefined)[] = [];
  const observer = new RecordingObserver();
  observer.origin = (entry) => {
    const [frame] = parseFrames(captureStack(entry));
    lines.push(frame?.file);
    return {};
  };
  pool[observe](observer);
  (await pool.lease())[Symbol.dispose]();
  (await pool.lease({ timeoutMillis: 5 }))[Symbol.dispose]();
  pool.tryLease()?.[Symbol.dispose]();
  await pool.release(await pool.acquire());
  await pool.release(await pool.acquire(0));
  await pool.use(() => {});
  await pool.use(() => {}, { priority: 0 });
  expect(lines).toEqual(new Array(7).fill('test/pool/observe.test.ts'));
});

test('a waiter keeps the origin of its own call', async () => {
  const { pool, observer } = watched({ max: 1 });
  const lease = await pool.lease();
  const second = pool.lease();
  const third = pool.lease();
  void lease.release();
  await second;
  const [node] = observer.liveOf('lease');
  expect(observer.live.get(node as number)?.origin).toEqual({ number: 2 });
  void (await second).release();
  (await third)[Symbol.dispose]();
});

test('the lease is the capability of its loan, and the pool does not keep it from being collected', async () => {
  const { pool, observer } = watched();
  const capability = await (async () => {
    const lease = await pool.lease();
    const [node] = observer.liveOf('lease');
    const noted = observer.live.get(node as number)?.capability;
    expect(noted?.deref()).toBe(lease);
    return noted;
  })();
  await collectGarbage();
  expect(capability?.deref()).toBeUndefined();
  await pool.acquire();
  const [, acquired] = observer.liveOf('lease');
  expect(observer.live.get(acquired as number)?.capability).toBeUndefined();
});

test('touch and expectHold are passed on while the lease lasts', async () => {
  const { pool, observer } = watched();
  const lease = await pool.lease();
  const [node] = observer.liveOf('lease');
  lease.touch('query sent');
  lease.touch();
  lease.expectHold(60_000);
  await pool.use((_thing, context) => {
    context.touch('in use');
    context.expectHold(5);
  });
  void lease.release();
  lease.touch('too late');
  const reports = observer.log.filter((line) => /touched|expected/.test(line));
  expect(reports.slice(0, 3)).toEqual([
    `touched ${node} query sent`,
    `touched ${node}`,
    `expected ${node} 60000`,
  ]);
  expect(reports).toHaveLength(5);
  expect(() => pool.tryLease()?.expectHold(-1)).toThrow(/`holdMillis`/);
});

test('a watch that begins later gets the present resources, and leaves out loans that began before', async () => {
  const clock = new FakeClock();
  const pool = createPool(new StrictFactory(), { clock });
  const before = await pool.lease();
  const waiting = await pool.lease();
  const observer = new RecordingObserver();
  pool[observe](observer);
  expect([observer.liveOf('resource').length, observer.liveOf('lease').length]).toEqual([2, 0]);
  before.touch('unknown loan');
  void before.release();
  await waiting.destroy();
  expect(observer.liveOf('resource')).toHaveLength(1);
  using _lease = await pool.lease();
  expect(observer.liveOf('lease')).toHaveLength(1);
});

test('a second observer is refused while the first watches, and accepted afterwards', async () => {
  const { pool, observer, observation } = watched({ max: 1 });
  expect(() => pool[observe](new RecordingObserver())).toThrow(
    expect.objectContaining({ code: 'TENURE_ALREADY_WATCHED' }),
  );
  const lease = await pool.lease();
  const asked = pool.lease(); // This loan's origin was captured by the first observer.
  observation[Symbol.dispose]();
  observation[Symbol.dispose]();
  const length = observer.log.length;
  const second = new RecordingObserver();
  pool[observe](second);
  void lease.release();
  void (await asked).release();
  expect([observer.log.length, second.liveOf('lease')]).toEqual([length, []]);
  (await pool.lease())[Symbol.dispose]();
  await pool.close();
  expect(second.live.size).toBe(0);
});

test('the observation has a kind, a name and figures', async () => {
  const { pool, observation } = watched({ name: 'db', max: 3 });
  using _lease = await pool.lease();
  expect([observation.kind, observation.name]).toEqual(['pool', 'db']);
  const { waitMillis, holdMillis, destroyedBy, ...figures } = pool.stats();
  expect([waitMillis.max, holdMillis.max, destroyedBy]).toEqual([0, 0, {}]);
  expect(observation.stats()).toEqual(figures);
  expect(observation.stats()).toMatchObject({ borrowed: 1, size: 1, max: 3, available: 0 });
});

test('every end of a loan frees its node once: failures, forced closes, timeouts', async () => {
  const { pool, observer, clock } = watched({ max: 2, acquireTimeoutMillis: 10 });
  const first = await pool.lease();
  const second = await pool.acquire();
  const timedOut = pool.lease().catch((error: unknown) => error);
  await clock.advance(10);
  await timedOut;
  await first.destroy();
  expect(await rejection(pool.release({} as never))).toBeDefined();
  expect(observer.liveOf('lease')).toHaveLength(1);
  await pool.close({ graceMillis: 0, force: true });
  await pool.release(second).catch(() => {});
  expect(observer.log.filter((line) => line.startsWith('freed late'))).toHaveLength(1);
  expect(observer.live.size).toBe(0);
});

test('an observer of a keyed pool is told of all keys, those that are made later included', async () => {
  const pools = createKeyedPool<string, object>(() => new StrictFactory(), {
    clock: new FakeClock(),
  });
  void (await pools.lease('before')).release();
  const observer = new RecordingObserver();
  const watch = pools[observe](observer);
  const [before, later] = [await pools.lease('before'), await pools.lease('later')];
  expect(observer.liveOf('resource')).toHaveLength(2);
  expect(observer.liveOf('lease')).toHaveLength(2);
  const reported = observer.log.length;
  watch[Symbol.dispose]();
  const second = new RecordingObserver();
  pools[observe](second);
  for (const lease of [before, later]) void lease.release();
  expect([observer.log.length, second.liveOf('resource').length]).toEqual([reported, 2]);
  await pools.close();
  expect(second.live.size).toBe(0);
});

test('an observer of a keyed pool without keys is told of the close', async () => {
  const pools = createKeyedPool((_key: string) => new StrictFactory(), { clock: new FakeClock() });
  const observer = new RecordingObserver();
  const freed = vi.spyOn(observer, 'freed');
  using _watch = pools[observe](observer);
  await pools.close();
  expect(freed.mock.calls).toEqual([[observer.root]]);
});

test('a drain ends with the loss of the last lease, while its resource is being destroyed', async () => {
  const gates = new Gates();
  const factory = new StrictFactory(1, { destroy: () => gates.next() });
  const pool = createPool(factory, { onAbandoned: 'destroy', clock: new FakeClock() });
  const observer = new RecordingObserver();
  using observation = pool[observe](observer);
  const lease = await pool.lease();
  const drained = outcomeOf(pool.drain());
  const [loan] = observer.liveOf('lease');
  observation.abandoned?.(loan as number);
  await settle();
  expect([drained().is, pool.stats().destroying]).toEqual(['resolved', 1]);
  expect(() => lease.resource).toThrow();
  gates.at(0).open();
  await pool.close();
});

test('an observer that is refused for one key watches no key', async () => {
  const pools = createKeyedPool<string, object>(() => new StrictFactory(), {
    clock: new FakeClock(),
  });
  const [first, second] = [pools.pool('first'), pools.pool('second')];
  using _ofSecond = second[observe](new RecordingObserver());
  expect(() => pools[observe](new RecordingObserver())).toThrow(
    expect.objectContaining({ code: 'TENURE_ALREADY_WATCHED' }),
  );
  using _ofFirst = first[observe](new RecordingObserver());
  await pools.close();
});

test('a pool that was watched apart, before the watch of all keys came to it, lends all the same', async () => {
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
  const pools = createKeyedPool((_key: string) => new StrictFactory(), { clock: new FakeClock() });
  const apart = pools.pool('a');
  const endOfPart = vi.fn();
  const part = () =>
    Object.assign(new RecordingObserver(), { attached() {}, [Symbol.dispose]: endOfPart });
  const observation = pools[observe](
    Object.assign(new RecordingObserver(), { asksForPresent: true, part }),
  );
  using _ofOne = apart[observe](new RecordingObserver());
  for (let i = 0; i < 3; i++) await pools.use('a', () => {});
  expect(observation.reportPresent?.(1_000)).toBe(false);
  expect(printed.mock.calls.flat().filter((text) => text instanceof Error)).toMatchObject([
    { code: 'TENURE_ALREADY_WATCHED' },
  ]);
  expect(endOfPart).toHaveBeenCalledTimes(1);
  printed.mockRestore();
  await pools.close();
});

test('what has ended touches, expects and hands over no later loan of its resource', async () => {
  const { pool, observer } = watched({ max: 1 });
  const told = { touched: vi.fn(), expected: vi.fn(), transferred: vi.fn() };
  Object.assign(observer, told);
  const ended = await pool.lease();
  void ended.release();
  const { context } = await pool.use((_thing, given) => ({ context: given }));
  using later = await pool.lease();
  for (const holder of [ended, context]) {
    holder.touch('too late');
    holder.expectHold(1_000);
  }
  ended.transfer({} as Holder);
  expect(Object.values(told).map(({ mock }) => mock.calls)).toEqual([[], [], []]);
  later.transfer({} as Holder);
  expect(told.transferred).toHaveBeenCalledTimes(1);
});

test('a watch that is ended twice leaves the next watch alone', async () => {
  const { pool, observation } = watched();
  observation[Symbol.dispose]();
  const second = new RecordingObserver();
  pool[observe](second);
  observation[Symbol.dispose]();
  using _lease = await pool.lease();
  expect(second.liveOf('lease')).toHaveLength(1);
});

test('the nodes of a watch that has ended are not reported to the next observer', async () => {
  const pool = createPool({ create: () => ({}), destroy: () => {} });
  const watch = pool[observe](new RecordingObserver());
  const lease = await pool.lease();
  watch[Symbol.dispose]();
  const next = Object.assign(new RecordingObserver(), { asksForPresent: true });
  const reports = (['touched', 'expected', 'freed'] as const).map((name) => vi.spyOn(next, name));
  const allocated = vi.spyOn(next, 'allocated');
  const again = pool[observe](next);
  lease.touch();
  lease.expectHold(1_000); // The next watch is told of the resource, by a node of its own.
  await lease.release();
  await pool.clear();
  const own = allocated.mock.results.map(({ value }) => value);
  expect(reports.map(({ mock }) => mock.calls.map(([node]) => node))).toEqual([[], [], own]);
  again[Symbol.dispose]();
  await pool.close();
});
