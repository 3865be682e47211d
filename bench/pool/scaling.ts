/**
 * What a loan costs as a pool grows from 10 to 10,000 resources, and what a wait costs as the queue grows from 10 to
 * 100,000 waiters: served, and cancelled from the middle. The bare floor beside it grows, too: the caches of the machine
 * miss more often, and V8's collector keeps more alive.
 *
 * Run with `npm run bench:one bench/pool/scaling.ts [rounds]`.
 */
import { createPool, type Lease, type Pool } from '../../src/pool/index.js';
import { isEntry, numberArgument } from '../command-line.js';
import { type BenchOptions, median, scaled } from '../compare.js';
import { flat, type Row } from '../row.js';

const LOANS = 100_000;
const FLOOR = 'bare floor';

/** Nanoseconds per operation, at a size. */
type Cost = (size: number, options: BenchOptions) => Promise<number>;

interface Scaling {
  readonly title: string;
  readonly sizes: readonly number[];
  readonly ours: Cost;
  readonly floor: Cost;
}

/** No package is measured besides tenure. */
export const packages = [] as const;

/** Measures the smallest and the largest size. */
export async function rows(options: BenchOptions): Promise<Row[]> {
  const all: Row[] = [];
  for (const { title, sizes, ours, floor } of SCALINGS) {
    const [first, last] = [sizes[0] as number, scaled(sizes.at(-1) as number, options.scale ?? 1)];
    const growth = async (cost: Cost): Promise<number> => {
      await cost(first, { rounds: 1, scale: (options.scale ?? 1) / 10 }); // Compiles it.
      const before = await cost(first, options);
      return (await cost(last, options)) / before;
    };
    const figures = new Map([
      ['tenure', await growth(ours)],
      [FLOOR, await growth(floor)],
    ]);
    const span = `${first} to ${last.toLocaleString('en')}`;
    all.push(flat({ title: `${title}: growth from ${span}`, unit: '×', figures }, 'tenure', FLOOR));
  }
  return all;
}

async function print(scaling: Scaling, options: BenchOptions): Promise<void> {
  console.log(`\n${scaling.title}: ns, times the first, and how the bare floor grows`);
  let first: { readonly ours: number; readonly floor: number } | undefined;
  for (const size of scaling.sizes) {
    const nanos = {
      ours: await scaling.ours(size, options),
      floor: await scaling.floor(size, options),
    };
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

async function medianOfRounds(rounds: number, once: () => Promise<number>): Promise<number> {
  await once();
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) times.push(await once());
  return median(times);
}

async function nanosPer(operations: number, run: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await run();
  return ((performance.now() - start) * 1e6) / operations;
}

async function poolOf(resources: number): Promise<Pool<object>> {
  const pool = createPool({ create: () => ({}), destroy: () => {} }, { max: resources });
  await pool.warmUp();
  return pool;
}

/** Lends all resources in turn: the one that was released first is lent next. */
const loan: Cost = async (resources, { rounds, scale = 1 }) => {
  const loans = scaled(LOANS, scale);
  const pool = createPool(
    { create: () => ({}), destroy: () => {} },
    { max: resources, fifo: true },
  );
  await pool.warmUp();
  return medianOfRounds(rounds, () =>
    nanosPer(loans, async () => {
      for (let i = 0; i < loans; i++) void (await pool.lease()).release();
    }),
  );
};

const bareLoan: Cost = async (resources, { rounds, scale = 1 }) => {
  const loans = scaled(LOANS, scale);
  const ring = Array.from({ length: resources }, () => ({ loans: 0 }));
  let next = 0;
  return medianOfRounds(rounds, () =>
    nanosPer(loans, async () => {
      for (let i = 0; i < loans; i++) {
        const resource = await Promise.resolve(ring[next]);
        if (resource !== undefined) resource.loans++;
        next = (next + 1) % resources;
      }
    }),
  );
};

/** Fills and empties many queues one after the other, so that short ones are measured for as long as long ones. */
async function queuesOf(
  waiters: number,
  { rounds, scale = 1 }: BenchOptions,
  wait: () => Promise<void>,
): Promise<number> {
  const queues = Math.ceil(scaled(LOANS, scale) / waiters);
  return medianOfRounds(rounds, () =>
    nanosPer(queues * waiters, async () => {
      for (let queue = 0; queue < queues; queue++) await wait();
    }),
  );
}

async function waitInPool(
  waiters: number,
  options: BenchOptions,
  end: (pool: Pool<object>, holder: Lease<object>) => Promise<void>,
): Promise<number> {
  const pool = await poolOf(1);
  return queuesOf(waiters, options, async () => end(pool, await pool.lease()));
}

const served: Cost = (waiters, options) =>
  waitInPool(waiters, options, async (pool, holder) => {
    const queue = Array.from({ length: waiters }, async () => (await pool.lease()).release());
    await holder.release();
    await Promise.all(queue);
  });

const bareServed: Cost = (waiters, options) =>
  queuesOf(waiters, options, async () => {
    const resolvers: ((resource: object) => void)[] = [];
    const queue = Array.from({ length: waiters }, async () => {
      await new Promise<object>((resolve) => resolvers.push(resolve));
    });
    for (const resolve of resolvers) resolve({});
    await Promise.all(queue);
  });

const LEFT = new Error('left');

/** The places of the waiters in the order in which they leave: from the middle to the end, then from the front. */
function* fromTheMiddle(count: number): Generator<number> {
  for (let i = 0; i < count; i++) yield (i + (count >> 1)) % count;
}

const cancelled: Cost = (waiters, options) =>
  waitInPool(waiters, options, async (pool, holder) => {
    const controllers = Array.from({ length: waiters }, () => new AbortController());
    const queue = controllers.map(({ signal }) => pool.lease({ signal }).catch(() => {}));
    for (const place of fromTheMiddle(waiters)) controllers[place]?.abort(LEFT);
    await Promise.all(queue);
    await holder.release();
  });

const bareCancelled: Cost = (waiters, options) =>
  queuesOf(waiters, options, async () => {
    const controllers = Array.from({ length: waiters }, () => new AbortController());
    const queue = controllers.map(({ signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      }).catch(() => {}),
    );
    for (const place of fromTheMiddle(waiters)) controllers[place]?.abort(LEFT);
    await Promise.all(queue);
  });

const RESOURCES = [10, 100, 1_000, 10_000];
const WAITERS = [10, 100, 1_000, 10_000, 100_000];

const SCALINGS: readonly Scaling[] = [
  { title: 'A loan, by resources', sizes: RESOURCES, ours: loan, floor: bareLoan },
  { title: 'A wait that is served, by waiters', sizes: WAITERS, ours: served, floor: bareServed },
  {
    title: 'A wait with its own signal, cancelled from the middle, by waiters',
    sizes: WAITERS,
    ours: cancelled,
    floor: bareCancelled,
  },
];

if (isEntry(import.meta.url)) {
  for (const scaling of SCALINGS) await print(scaling, { rounds: numberArgument(0, 11) });
  process.exit();
}
