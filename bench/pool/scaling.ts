/**
 * What a loan costs as a pool grows from 10 to 10,000 resources, and what a wait costs as the line grows from 10 to
 * 100,000: served, and cancelled from the middle. What grows in the bare floor beside it too is the caches of the
 * machine and V8's collector, which has to keep more alive.
 *
 * Run with `npx tsx bench/pool/scaling.ts [rounds]`.
 */
import { createPool, type Lease, type Pool } from '../../src/pool/index.js';
import { median, ROUNDS } from '../compare.js';

const LOANS = 100_000;

/** Nanoseconds per operation, at a size. */
type Cost = (size: number) => Promise<number>;

async function medianOfRounds(measure: () => Promise<number>): Promise<number> {
  await measure();
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) times.push(await measure());
  return median(times);
}

async function nanosPer(operations: number, run: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await run();
  return ((performance.now() - start) * 1e6) / operations;
}

async function table(
  title: string,
  sizes: readonly number[],
  ours: Cost,
  floor: Cost,
): Promise<void> {
  console.log(`\n${title}: ns, times the first, and how the bare floor grows`);
  let first: { readonly ours: number; readonly floor: number } | undefined;
  for (const size of sizes) {
    const nanos = { ours: await ours(size), floor: await floor(size) };
    first ??= nanos;
    const row = [
      `${nanos.ours.toFixed(0)} ns`,
      `${(nanos.ours / first.ours).toFixed(2)}×`,
      `${nanos.floor.toFixed(0)} ns`,
      `${(nanos.floor / first.floor).toFixed(2)}×`,
    ];
    console.log(
      `  ${size.toLocaleString('en').padStart(9)} ${row.map((cell) => cell.padStart(9)).join(' ')}`,
    );
  }
}

async function poolOf(resources: number): Promise<Pool<object>> {
  const pool = createPool({ create: () => ({}), destroy: () => {} }, { max: resources });
  await pool.warmUp();
  return pool;
}

/** All resources go round: the one that was given back first is lent next. */
async function loan(resources: number): Promise<number> {
  const pool = createPool(
    { create: () => ({}), destroy: () => {} },
    { max: resources, fifo: true },
  );
  await pool.warmUp();
  return medianOfRounds(() =>
    nanosPer(LOANS, async () => {
      for (let i = 0; i < LOANS; i++) void (await pool.lease()).release();
    }),
  );
}

async function bareLoan(resources: number): Promise<number> {
  const ring = Array.from({ length: resources }, () => ({ loans: 0 }));
  let next = 0;
  return medianOfRounds(() =>
    nanosPer(LOANS, async () => {
      for (let i = 0; i < LOANS; i++) {
        const resource = await Promise.resolve(ring[next]);
        if (resource !== undefined) resource.loans++;
        next = (next + 1) % resources;
      }
    }),
  );
}

/** Many lines, one after the other, so that short ones are measured as long as long ones. */
async function linesOf(waiters: number, wait: () => Promise<void>): Promise<number> {
  const lines = Math.ceil(LOANS / waiters);
  return medianOfRounds(() =>
    nanosPer(lines * waiters, async () => {
      for (let line = 0; line < lines; line++) await wait();
    }),
  );
}

async function waitInPool(
  waiters: number,
  end: (pool: Pool<object>, holder: Lease<object>) => Promise<void>,
): Promise<number> {
  const pool = await poolOf(1);
  return linesOf(waiters, async () => end(pool, await pool.lease()));
}

const served: Cost = (waiters) =>
  waitInPool(waiters, async (pool, holder) => {
    const line = Array.from({ length: waiters }, async () => (await pool.lease()).release());
    await holder.release();
    await Promise.all(line);
  });

const bareServed: Cost = (waiters) =>
  linesOf(waiters, async () => {
    const resolvers: ((resource: object) => void)[] = [];
    const line = Array.from({ length: waiters }, async () => {
      await new Promise<object>((resolve) => resolvers.push(resolve));
    });
    for (const resolve of resolvers) resolve({});
    await Promise.all(line);
  });

const LEFT = new Error('left');

/** The place of each one that leaves: from the middle to the end, then from the front. */
function* fromTheMiddle(count: number): Generator<number> {
  for (let i = 0; i < count; i++) yield (i + (count >> 1)) % count;
}

const cancelled: Cost = (waiters) =>
  waitInPool(waiters, async (pool, holder) => {
    const controllers = Array.from({ length: waiters }, () => new AbortController());
    const line = controllers.map(({ signal }) => pool.lease({ signal }).catch(() => {}));
    for (const place of fromTheMiddle(waiters)) controllers[place]?.abort(LEFT);
    await Promise.all(line);
    await holder.release();
  });

const bareCancelled: Cost = (waiters) =>
  linesOf(waiters, async () => {
    const controllers = Array.from({ length: waiters }, () => new AbortController());
    const line = controllers.map(({ signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      }).catch(() => {}),
    );
    for (const place of fromTheMiddle(waiters)) controllers[place]?.abort(LEFT);
    await Promise.all(line);
  });

const RESOURCES = [10, 100, 1_000, 10_000];
const WAITERS = [10, 100, 1_000, 10_000, 100_000];

await table('A loan, with so many resources', RESOURCES, loan, bareLoan);
await table('A wait that is served, in a line of so many', WAITERS, served, bareServed);
await table(
  'A wait with a signal of its own, cancelled from the middle of so many',
  WAITERS,
  cancelled,
  bareCancelled,
);
process.exit();
