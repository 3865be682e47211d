/** The figures of a keyed pool: those of all keys together. */
import type { PoolNumbers, PoolStats } from './pool-stats.js';

/** The figures that describe the present. */
const PRESENT = [
  'size',
  'available',
  'borrowed',
  'pending',
  'creating',
  'validating',
  'resetting',
  'destroying',
] as const;

/** The figures that count since the keyed pool was created. */
const TOTALS = [
  'loans',
  'created',
  'destroyed',
  'detached',
  'waited',
  'createErrors',
  'capacityErrors',
  'acquireTimeouts',
  'acquireAborts',
  'refusals',
  'tryMisses',
] as const;

/** The figures of all keys together. `keys` to `destroying` describe the present; the others count since it was created. */
export interface KeyedPoolStats
  extends Pick<PoolStats, (typeof PRESENT)[number] | (typeof TOTALS)[number]> {
  /** Keys that have resources or waiters. */
  readonly keys: number;
}

type Sums = { -readonly [K in keyof KeyedPoolStats]: number };

/** Sums up the figures of pools, of those too that are forgotten. */
export class KeyedTotals {
  readonly #forgotten: Sums = noFigures();

  /** Keeps the totals of a pool that is forgotten. */
  forget(stats: PoolNumbers): void {
    for (const name of TOTALS) this.#forgotten[name] += stats[name];
  }

  /** Counts a call of `tryLease` for a key without a pool. */
  countTryMiss(): undefined {
    this.#forgotten.tryMisses++;
  }

  /** The figures of these pools and of those that are forgotten. O(keys). */
  sum(pools: Iterable<PoolNumbers>): KeyedPoolStats {
    const sum: Sums = { ...this.#forgotten };
    for (const stats of pools) {
      if (stats.size + stats.pending > 0) sum.keys++;
      for (const name of PRESENT) sum[name] += stats[name];
      for (const name of TOTALS) sum[name] += stats[name];
    }
    return sum;
  }
}

function noFigures(): Sums {
  const names = ['keys', ...PRESENT, ...TOTALS] as const;
  return Object.fromEntries(names.map((name) => [name, 0])) as Sums;
}
