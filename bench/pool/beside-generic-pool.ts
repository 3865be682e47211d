/**
 * The pool beside generic-pool and a bare floor, in one process: what one loan costs when nobody waits, and when 100
 * workers share 10 resources. Each round runs all contenders in a new random order, and medians are compared, so a
 * pause of the machine hits nobody in particular.
 *
 * Run with `npx tsx bench/pool/beside-generic-pool.ts [rounds]`.
 */
import genericPool from 'generic-pool';
import { createPool } from '../../src/pool/index.js';

const ROUNDS = Number(process.argv[2] ?? 11);
const MAX = 10;
const WORKERS = 100;

interface Contender {
  readonly name: string;
  /** Performs about `loans` loans. */
  run(loans: number): Promise<void>;
}

const factory = {
  create: async (): Promise<object> => ({}),
  destroy: async (): Promise<void> => {},
};

function floor(): Contender {
  const stack = Array.from({ length: MAX }, () => ({}));
  return {
    name: 'floor: pop, Promise.resolve, push',
    async run(loans) {
      for (let i = 0; i < loans; i++) stack.push((await Promise.resolve(stack.pop())) as object);
    },
  };
}

function uncontended(): Contender[] {
  const ours = createPool(factory, { max: MAX });
  const theirs = genericPool.createPool(factory, { max: MAX });
  const theirsTimed = genericPool.createPool(factory, { max: MAX, acquireTimeoutMillis: 30_000 });
  return [
    floor(),
    {
      name: 'tenure lease + release',
      async run(loans) {
        for (let i = 0; i < loans; i++) void (await ours.lease()).release();
      },
    },
    {
      name: 'tenure acquire + release',
      async run(loans) {
        for (let i = 0; i < loans; i++) void ours.release(await ours.acquire());
      },
    },
    {
      name: 'tenure use',
      async run(loans) {
        for (let i = 0; i < loans; i++) await ours.use(nothing);
      },
    },
    {
      name: 'tenure tryLease + release',
      async run(loans) {
        for (let i = 0; i < loans; i++) void ours.tryLease()?.release();
      },
    },
    {
      name: 'generic-pool acquire + release',
      async run(loans) {
        for (let i = 0; i < loans; i++) void theirs.release(await theirs.acquire());
      },
    },
    {
      name: 'generic-pool with acquireTimeoutMillis',
      async run(loans) {
        for (let i = 0; i < loans; i++) void theirsTimed.release(await theirsTimed.acquire());
      },
    },
    {
      name: 'generic-pool use',
      async run(loans) {
        for (let i = 0; i < loans; i++) await theirs.use(nothingAsync);
      },
    },
  ];
}

/** A queue of resolvers in front of a stack: the least that a contended pool can do. */
function contendedFloor(): Contender {
  const stack = Array.from({ length: MAX }, () => ({}));
  const waiting: ((resource: object) => void)[] = [];
  let head = 0;
  const acquire = (): Promise<object> => {
    const resource = stack.pop();
    return resource === undefined
      ? new Promise((resolve) => waiting.push(resolve))
      : Promise.resolve(resource);
  };
  const release = (resource: object): void => {
    const next = waiting[head];
    if (next === undefined) stack.push(resource);
    else {
      head++;
      if (head === 4_096) {
        waiting.splice(0, head);
        head = 0;
      }
      next(resource);
    }
  };
  return {
    name: 'floor: a queue of resolvers',
    run: (loans) =>
      byWorkers(loans, async () => {
        const resource = await acquire();
        await null;
        release(resource);
      }),
  };
}

function contended(): Contender[] {
  const ours = createPool(factory, { max: MAX });
  const theirs = genericPool.createPool(factory, { max: MAX });
  return [
    contendedFloor(),
    {
      name: 'tenure lease + release',
      run: (loans) =>
        byWorkers(loans, async () => {
          const lease = await ours.lease();
          await null;
          void lease.release();
        }),
    },
    {
      name: 'tenure acquire + release',
      run: (loans) =>
        byWorkers(loans, async () => {
          const resource = await ours.acquire();
          await null;
          void ours.release(resource);
        }),
    },
    {
      name: 'generic-pool acquire + release',
      run: (loans) =>
        byWorkers(loans, async () => {
          const resource = await theirs.acquire();
          await null;
          void theirs.release(resource);
        }),
    },
  ];
}

async function byWorkers(loans: number, once: () => Promise<void>): Promise<void> {
  const each = Math.ceil(loans / WORKERS);
  const worker = async (): Promise<void> => {
    for (let i = 0; i < each; i++) await once();
  };
  await Promise.all(Array.from({ length: WORKERS }, worker));
}

function nothing(): void {}

async function nothingAsync(): Promise<void> {}

async function compare(title: string, contenders: Contender[], loans: number): Promise<void> {
  const nanos = new Map<Contender, number[]>(contenders.map((contender) => [contender, []]));
  for (const contender of contenders) await contender.run(loans); // Warms up.
  for (let round = 0; round < ROUNDS; round++) {
    for (const contender of shuffled(contenders)) {
      const start = performance.now();
      await contender.run(loans);
      nanos.get(contender)?.push(((performance.now() - start) * 1e6) / loans);
    }
  }
  const least = median(nanos.get(contenders[0] as Contender) ?? []);
  console.log(`\n${title}: median ns per loan of ${ROUNDS} rounds, and times the floor`);
  for (const [contender, all] of nanos) {
    const mid = median(all);
    console.log(
      `  ${contender.name.padEnd(40)} ${mid.toFixed(0).padStart(6)} ns ${(mid / least).toFixed(2).padStart(7)}×`,
    );
  }
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, key: Math.random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
}

await compare('Uncontended', uncontended(), 100_000);
await compare(`${WORKERS} workers on ${MAX} resources`, contended(), 100_000);
