/** The figures of a pool, and how they are printed. */
import type { MillisHistogram } from '../core/histogram.js';
import type { PoolCounters } from './pool-counters.js';

/** Percentiles of durations, from a sample: all of the first waits and loans, and some of the later ones. */
export interface Percentiles {
  /** The median, in milliseconds; up to 9 % too high. */
  readonly p50: number;
  /** The 99th percentile, in milliseconds; up to 9 % too high. */
  readonly p99: number;
  /** The longest in the sample, in milliseconds. */
  readonly max: number;
}

/** A pool's figures at one moment. `size` to `max` describe the present; the others count since the pool was created. */
export interface PoolStats {
  /** Resources in any state, those being created and destroyed included; more than `max` only for a while after a `resize`. */
  readonly size: number;
  /** Idle resources. */
  readonly available: number;
  /** Resources that callers hold. */
  readonly borrowed: number;
  /** Callers that wait. */
  readonly pending: number;
  /** Creations that run. */
  readonly creating: number;
  /** Resources being validated before they are lent. */
  readonly validating: number;
  /** Resources being reset and validated after they came back. */
  readonly resetting: number;
  /** Resources being destroyed. */
  readonly destroying: number;
  /** The option `min`. */
  readonly min: number;
  /** The option `max`. */
  readonly max: number;
  /** How many resources may exist now: `max`, or less while the server is full and `adaptiveMax` is set. */
  readonly effectiveMax: number;
  /** Loans granted since the pool was created. */
  readonly loans: number;
  /** Resources created since then. */
  readonly created: number;
  /** Resources destroyed since then. */
  readonly destroyed: number;
  /** Resources destroyed since then, by reason; beyond 100 different reasons, the others count as `other reasons`. */
  readonly destroyedBy: Readonly<Record<string, number>>;
  /** Resources that were detached since then. */
  readonly detached: number;
  /** Callers that had to wait since then. */
  readonly waited: number;
  /** How long callers waited until they got a resource. Callers that got one at once are not counted. */
  readonly waitMillis: Percentiles;
  /** How long resources were held, until they came back. */
  readonly holdMillis: Percentiles;
  /** Creations that failed or timed out since then, without those of `capacityErrors`. */
  readonly createErrors: number;
  /** Creations since then that failed because the server takes no more connections: see `isFull` of the factory. */
  readonly capacityErrors: number;
  /** Callers whose wait timed out since then. */
  readonly acquireTimeouts: number;
  /** Callers whose signal ended their wait since then. */
  readonly acquireAborts: number;
  /** Callers refused since then because `maxWaitingClients` waited already; of an adopted pool, those that the pool underneath rejected. */
  readonly refusals: number;
  /** Calls of `tryLease` since then that found no idle resource. */
  readonly tryMisses: number;
}

/** The parts of a pool that its figures come from. */
export interface PoolFigures {
  readonly settings: { readonly min: number; readonly max: number };
  readonly capacity: { readonly size: number; readonly max: { readonly value: number } };
  readonly stock: { readonly idle: { readonly length: number } };
  readonly waiters: { readonly length: number };
  readonly counters: PoolCounters;
}

/** The figures of a pool that are numbers. They take a tenth of the time of all. */
export type PoolNumbers = Omit<PoolStats, 'destroyedBy' | 'waitMillis' | 'holdMillis'>;

/** The figures of a pool at this moment. */
export function statsOf(pool: PoolFigures): PoolStats {
  const { counters } = pool;
  return {
    ...numbersOf(pool),
    destroyedBy: counters.destroyedBy,
    waitMillis: percentilesOf(counters.waits),
    holdMillis: percentilesOf(counters.holds),
  };
}

/** Those of the figures that are numbers. */
export function numbersOf({
  settings,
  capacity,
  stock,
  waiters,
  counters,
}: PoolFigures): PoolNumbers {
  return {
    size: capacity.size,
    available: stock.idle.length,
    borrowed: counters.borrowed,
    pending: waiters.length,
    creating: counters.creating,
    validating: counters.validating,
    resetting: counters.resetting,
    destroying: counters.destroying,
    min: settings.min,
    max: settings.max,
    effectiveMax: capacity.max.value,
    loans: counters.loans,
    created: counters.created,
    destroyed: counters.destroyed,
    detached: counters.detached,
    waited: counters.waited,
    createErrors: counters.createErrors,
    capacityErrors: counters.capacityErrors,
    acquireTimeouts: counters.acquireTimeouts,
    acquireAborts: counters.acquireAborts,
    refusals: counters.refusals,
    tryMisses: counters.tryMisses,
  };
}

/** The percentiles of a histogram. */
export function percentilesOf(histogram: MillisHistogram): Percentiles {
  return {
    p50: histogram.percentile(0.5),
    p99: histogram.percentile(0.99),
    max: histogram.maxMillis,
  };
}

/** A loan that is out. */
export interface LoanInfo {
  /** How long the resource has been held, in milliseconds, to within a second. */
  readonly heldMillis: number;
  /** The method that took it. */
  readonly takenBy: 'lease' | 'acquire' | 'use';
  /** The name of the application's function that took it, if it has one and the stack was captured: see `callSites`. */
  readonly holder: string | undefined;
  /** The application's line that took it, as `file:line:column`, if the stack was captured: see `callSites`. */
  readonly site: string | undefined;
}

/** The figures that explain why no resource is free, with the longest of `loans`, in one line. */
export function formatFigures(
  stats: Pick<PoolStats, 'size' | 'max' | 'pending' | (typeof STATES)[number]>,
  loans: readonly LoanInfo[],
): string {
  const parts = [`${stats.size} of at most ${stats.max} resources`];
  for (const state of STATES) {
    if (stats[state] > 0) parts.push(`${stats[state]} ${state}`);
  }
  parts.push(`${stats.pending} waiting`);
  const longest = loans.length > 0 ? `. Longest out: ${formatLoans(loans)}` : '';
  return parts.join(', ') + longest;
}

/** What a resource may be doing, in the order of {@link formatFigures}. */
const STATES = [
  'borrowed',
  'available',
  'creating',
  'validating',
  'resetting',
  'destroying',
] as const;

/** The longest loans in one line, longest first. */
export function formatLoans(loans: readonly LoanInfo[], most = 3): string {
  const shown = loans.slice(0, most).map(formatLoan);
  if (loans.length > most) shown.push(`${loans.length - most} more`);
  return shown.join(', ');
}

function formatLoan({ takenBy, heldMillis, holder, site }: LoanInfo): string {
  const where = site === undefined ? '' : ` at ${site}`;
  const who = holder === undefined ? '' : ` in ${holder}`;
  return `${takenBy}() ${age(heldMillis)} ago${where}${who}`;
}

function age(heldMillis: number): string {
  return heldMillis < 1_000
    ? `${Math.round(heldMillis)} ms`
    : `${Math.round(heldMillis / 1_000)} s`;
}
