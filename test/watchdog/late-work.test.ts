/**
 * Work that was begun within a scope and goes on after it: workers that a startup scope starts, a response that is streamed after its handler.
 * Its loans come back again and again after their scope, so the watchdog stops telling of them as lost.
 */
import { expect, onTestFinished, test } from 'vitest';
import { createPool, type Lease } from '../../src/pool/index.js';
import { Watchdog } from '../../src/watchdog/index.js';
import { FakeClock } from '../kit/fake-clock.js';

const HOLD_MILLIS = 3_000;

function watching(max = 10) {
  const clock = new FakeClock();
  const watchdog = new Watchdog({ level: 'advanced', clock, rules: { abandoned: false } });
  onTestFinished(() => watchdog[Symbol.dispose]());
  const told: string[] = [];
  watchdog.on('leak', ({ rule, count }) => told.push(`${rule} ×${count}`));
  const pool = createPool({ create: () => ({}), destroy: () => {} }, { max, clock });
  watchdog.watch(pool);
  const take = () => watchdog.scope('startup', () => pool.lease());
  return { clock, watchdog, pool, told, take };
}

type Watching = ReturnType<typeof watching>;

async function comeBackLate({ clock, take }: Watching, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const lease = await take();
    await clock.advance(HOLD_MILLIS);
    await lease.release();
  }
}

test('loans that come back late again and again are told of three times', async () => {
  const t = watching();
  await comeBackLate(t, 50);
  expect(t.told).toEqual(['orphaned ×1', 'orphaned ×1', 'orphaned ×1']);
});

test('a check in the meantime does not report them either', async () => {
  const t = watching();
  await comeBackLate(t, 3);
  const lease = await t.take();
  await t.clock.advance(HOLD_MILLIS);
  expect(await t.watchdog.check()).toEqual([]);
  await lease.release();
});

test('loans that checks have reported, and that have come back, say the same', async () => {
  const { clock, watchdog, take, told } = watching();
  for (let i = 0; i < 4; i++) {
    const lease = await take();
    await clock.advance(20);
    expect(await watchdog.check()).toHaveLength(i < 3 ? 1 : 0);
    await lease.release();
  }
  expect(told).toEqual([]);
});

test('one of them that stays out is told of when it is out for longer than the others were', async () => {
  const t = watching();
  await comeBackLate(t, 10);
  t.told.length = 0;
  const kept = await t.take();
  await t.clock.advance(20_000);
  expect(t.told).toEqual(['orphaned ×1']);
  expect(await t.watchdog.check()).toMatchObject([{ rule: 'orphaned', count: 1 }]);
  await kept.release();
});

test('each loss is told while the pool is exhausted', async () => {
  const t = watching(1);
  await comeBackLate(t, 3);
  t.told.length = 0;
  const kept: Lease<object> = await t.take();
  await t.pool.lease({ timeoutMillis: 0 }).catch(() => {});
  expect(await t.watchdog.check()).toMatchObject([{ rule: 'orphaned', count: 1 }]);
  await kept.release();
});

test('loans of another scope that come back late say nothing of a scope', async () => {
  const t = watching();
  await comeBackLate(t, 10);
  const kept = await t.watchdog.scope('GET /', () => t.pool.lease());
  expect(await t.watchdog.check()).toMatchObject([{ rule: 'orphaned', scope: 'GET /' }]);
  await kept.release();
});

/** A queue that runs the next job in the flow of the job that has ended, as p-queue, Bottleneck and sockets with keep-alive do. */
function jobQueue() {
  const waiting: (() => void)[] = [];
  let isBusy = false;
  const next = (): void => {
    const job = waiting.shift();
    isBusy = job !== undefined;
    job?.();
  };
  return <R>(work: () => Promise<R>): Promise<R> =>
    new Promise<R>((resolve, reject) => {
      waiting.push(() => void work().then(resolve, reject).finally(next));
      if (!isBusy) next();
    });
}

test('jobs that run in the flows of requests which have ended are not lost', async () => {
  const { clock, watchdog, pool, told } = watching();
  const add = jobQueue();
  const requests = Array.from({ length: 30 }, () =>
    watchdog.scope('GET /report', () => add(() => pool.use(() => wait(clock, 10)))),
  );
  await clock.advance(25);
  for (let i = 0; i < 20; i++) {
    await clock.advance(10);
    expect(await watchdog.check()).toEqual([]);
  }
  await clock.advance(100);
  await Promise.all(requests);
  expect(told).toEqual([]);
});

test('such a job that keeps its lease is told of once it is out for far longer than is usual', async () => {
  const { clock, watchdog, pool, told } = watching();
  const add = jobQueue();
  const kept: Lease<object>[] = [];
  const work = async (isLast: boolean): Promise<void> => {
    const lease = await pool.lease();
    await wait(clock, 10);
    if (isLast) kept.push(lease);
    else await lease.release();
  };
  const requests = Array.from({ length: 10 }, (_, i) =>
    watchdog.scope('GET /report', () => add(() => work(i === 9))),
  );
  await clock.advance(200);
  await Promise.all(requests);
  expect(await watchdog.check()).toEqual([]);
  await clock.advance(20_000);
  expect(told).toEqual(['orphaned ×1']);
  for (const lease of kept) await lease.release();
});

test('what a scope keeps, and what it takes first after its end, is told of at once', async () => {
  const { clock, watchdog, pool } = watching();
  const kept: Lease<object>[] = [];
  await watchdog.scope('GET /', async () => {
    kept.push(await pool.lease());
    void wait(clock, 10).then(async () => void kept.push(await pool.lease()));
  });
  await clock.advance(20);
  expect(await watchdog.check()).toMatchObject([{ rule: 'orphaned' }, { rule: 'orphaned' }]);
  for (const lease of kept) await lease.release();
});

function wait(clock: FakeClock, millis: number): Promise<void> {
  return new Promise((resolve) => void clock.setTimer(resolve, millis));
}
