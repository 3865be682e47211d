/**
 * Runs seeded scripts on generic-pool and on our pool, and compares what a user sees after each step: which caller got
 * which resource, the order, and the counters. The scripts stay within what both pools promise: a factory that never
 * fails and settles at once.
 */
import genericPool from 'generic-pool';
import { expect, test } from 'vitest';
import { createPool, type PoolOptions } from '../../src/pool/index.js';
import { settle } from '../kit/settle.js';

interface Item {
  readonly id: number;
}

/** The methods and counters that both pools have. */
interface Common {
  acquire(priority?: number): Promise<Item>;
  release(item: Item): Promise<void>;
  destroy(item: Item): Promise<void>;
  use(fn: (item: Item) => Promise<unknown>): Promise<unknown>;
  isBorrowedResource(item: Item): boolean;
  drain(): Promise<void>;
  clear(): Promise<void>;
  readonly size: number;
  readonly available: number;
  readonly borrowed: number;
  readonly pending: number;
  readonly spareResourceCapacity: number;
  readonly min: number;
  readonly max: number;
}

type Maker = (
  factory: { create(): Promise<Item>; destroy(item: Item): Promise<void> },
  options: PoolOptions,
) => Common;

/** A small seeded random generator, so that both pools get equal numbers. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

async function play(make: Maker, seed: number): Promise<string[]> {
  const log: string[] = [];
  const pick = numbers(seed);
  let created = 0;
  const max = 1 + pick(4);
  const options = {
    max,
    min: pick(max + 1),
    priorityRange: 1 + pick(3),
    fifo: pick(2) === 0,
    ...(pick(3) === 0 ? { maxWaitingClients: pick(4) } : {}),
  };
  const pool = make(
    {
      create: async () => ({ id: created++ }),
      destroy: async (item) => void log.push(`destroy ${item.id}`),
    },
    options,
  );
  const held: Item[] = [];
  let asked = 0;
  const ask = (): void => {
    const name = asked++;
    pool.acquire(pick(4)).then(
      (item) => {
        held.push(item);
        log.push(`${name} got ${item.id}`);
      },
      () => log.push(`${name} was refused`),
    );
  };
  const giveBack = async (end: 'release' | 'destroy'): Promise<void> => {
    const item = held.splice(pick(held.length), 1)[0];
    if (item === undefined) return;
    log.push(`${end} ${item.id}, borrowed: ${pool.isBorrowedResource(item)}`);
    await pool[end](item);
    log.push(`borrowed: ${pool.isBorrowedResource(item)}`);
  };
  const look = (): void => {
    const { size, available, borrowed, pending, spareResourceCapacity, min } = pool;
    log.push(JSON.stringify({ size, available, borrowed, pending, spareResourceCapacity, min }));
  };
  await settle();
  look();
  for (let step = 0; step < 40; step++) {
    const dice = pick(10);
    if (dice < 5) ask();
    else if (dice < 8) await giveBack('release');
    else if (dice < 9) await giveBack('destroy');
    else {
      pool.release({ id: -1 }).catch(() => log.push('a stranger was refused'));
    }
    await settle();
    look();
  }
  const drained = pool.drain();
  ask();
  while (pool.borrowed + pool.pending > 0) {
    await giveBack('release');
    await settle();
  }
  await drained;
  const cleared = log.length;
  await pool.clear();
  log.push(...log.splice(cleared).sort()); // The order of destruction is not part of the contract.
  log.push(String(pool.size)); // Not `available`: generic-pool still counts destroyed resources there.
  return log;
}

test('300 seeded scripts give equal logs on generic-pool and on our pool', async () => {
  for (let seed = 1; seed <= 300; seed++) {
    const theirs = await play((factory, options) => genericPool.createPool(factory, options), seed);
    const ours = await play((factory, options) => createPool(factory, options), seed);
    expect(ours, `seed ${seed}`).toEqual(theirs);
  }
});

test('events of generic-pool carry the error of the factory', async () => {
  const failure = new Error('cannot destroy');
  for (const make of [genericPool.createPool, createPool] as unknown as Maker[]) {
    const pool = make(
      { create: async () => ({ id: 0 }), destroy: () => Promise.reject(failure) },
      {},
    );
    const heard: unknown[] = [];
    (pool as unknown as { on(event: string, listener: (error: unknown) => void): void }).on(
      'factoryDestroyError',
      (error) => heard.push(error),
    );
    await pool.destroy(await pool.acquire());
    await settle();
    expect(heard).toEqual([failure]);
  }
});
