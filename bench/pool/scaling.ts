/**
 * What a loan costs as a pool grows from 10 to 10,000 resources, and what a wait costs as the line grows from 10 to
 * 100,000: served, timed out, and cancelled from the middle. Flat, if all is well.
 *
 * Run with `npx tsx bench/pool/scaling.ts`.
 */
import { createPool, type Lease, type Pool } from '../../src/pool/index.js';
import { print } from '../memoize/measure.js';

const ROUNDS = 7;
const LOANS = 200_000;

async function poolOf(resources: number): Promise<Pool<object>> {
  const pool = createPool({ create: () => ({}), destroy: () => {} }, { max: resources });
  await pool.warmUp();
  return pool;
}

async function median(measure: () => Promise<number>): Promise<number> {
  await measure();
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) times.push(await measure());
  return times.sort((a, b) => a - b)[ROUNDS >> 1] ?? Number.NaN;
}

async function table(
  title: string,
  sizes: readonly number[],
  nanosAt: (size: number) => Promise<number>,
): Promise<void> {
  console.log(`\n${title}: ns, and times the first`);
  let first: number | undefined;
  for (const size of sizes) {
    const nanos = await nanosAt(size);
    first ??= nanos;
    print(size.toLocaleString('en'), `${nanos.toFixed(0)} ns`, nanos / first);
  }
}

async function nanosPerLoan(resources: number): Promise<number> {
  const pool = await poolOf(resources);
  return median(async () => {
    const start = performance.now();
    for (let i = 0; i < LOANS; i++) void (await pool.lease()).release();
    return ((performance.now() - start) * 1e6) / LOANS;
  });
}

/** Many lines, one after the other, so that short ones are measured as long as long ones. */
async function nanosPerWait(
  waiters: number,
  end: (pool: Pool<object>, holder: Lease<object>) => Promise<void>,
): Promise<number> {
  const pool = await poolOf(1);
  const lines = Math.ceil(100_000 / waiters);
  return median(async () => {
    const start = performance.now();
    for (let line = 0; line < lines; line++) await end(pool, await pool.lease());
    return ((performance.now() - start) * 1e6) / (lines * waiters);
  });
}

const RESOURCES = [10, 100, 1_000, 10_000];
const WAITERS = [10, 100, 1_000, 10_000, 100_000];

await table('A loan, with so many resources', RESOURCES, nanosPerLoan);

await table('A wait that is served, in a line of so many', WAITERS, (waiters) =>
  nanosPerWait(waiters, async (pool, holder) => {
    const served = Array.from({ length: waiters }, async () => (await pool.lease()).release());
    await holder.release();
    await Promise.all(served);
  }),
);

await table(
  'A wait with a signal of its own, cancelled from the middle of so many',
  WAITERS,
  (waiters) =>
    nanosPerWait(waiters, async (pool, holder) => {
      const controllers = Array.from({ length: waiters }, () => new AbortController());
      const ended = controllers.map(({ signal }) => pool.lease({ signal }).catch(() => {}));
      for (let i = 0; i < waiters; i++) {
        controllers[(i + (waiters >> 1)) % waiters]?.abort(); // From the middle to the end, then from the front.
      }
      await Promise.all(ended);
      await holder.release();
    }),
);
process.exit();
