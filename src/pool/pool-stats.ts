/** What a pool counts. */
import type { MillisHistogram } from '../core/histogram.js';
import type { PoolCounters } from './pool-counters.js';

/** How long something took, from a sample: the first ones all, later one in a few. */
export interface Percentiles {
  /** What half of them did not exceed, in milliseconds; up to 9 % too high. */
  readonly p50: number;
  /** What 99 in 100 of them did not exceed, in milliseconds; up to 9 % too high. */
  readonly p99: number;
  /** The longest in the sample, in milliseconds. */
  readonly max: number;
}

/** A pool's figures at one moment. All but the last group describe the present. */
export interface PoolStats {
  /** Resources in any state, those being created and destroyed included; never more than `max`. */
  readonly size: number;
  /** Idle resources. */
  readonly available: number;
  /** Resources that somebody holds. */
  readonly borrowed: number;
  /** Callers who wait. */
  readonly pending: number;
  /** Creations under way. */
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
  /** Loans granted since the pool was created. */
  readonly loans: number;
  /** Resources created since then. */
  readonly created: number;
  /** Resources destroyed since then. */
  readonly destroyed: number;
  /** The same, by reason. */
  readonly destroyedBy: Readonly<Record<string, number>>;
  /** Resources that were detached since then. */
  readonly detached: number;
  /** Callers who had to wait since then. */
  readonly waited: number;
  /** How long those who had to wait did, until they were served. */
  readonly waitMillis: Percentiles;
  /** How long resources were held, until they came back. */
  readonly holdMillis: Percentiles;
  /** Creations that failed or timed out since then. */
  readonly createErrors: number;
  /** Callers whose wait timed out since then. */
  readonly acquireTimeouts: number;
  /** Callers refused since then because `maxWaitingClients` waited already. */
  readonly refusals: number;
}

/** What the figures of a pool are drawn from. */
export interface PoolFigures {
  readonly settings: { readonly min: number; readonly max: number };
  readonly size: number;
  readonly stock: { readonly idle: { readonly length: number } };
  readonly waiters: { readonly length: number };
  readonly creator: { readonly creating: number; readonly errors: number };
  readonly counters: PoolCounters;
}

/** The figures of a pool at this moment. */
export function statsOf({
  settings,
  size,
  stock,
  waiters,
  creator,
  counters,
}: PoolFigures): PoolStats {
  return {
    size,
    available: stock.idle.length,
    borrowed: counters.borrowed,
    pending: waiters.length,
    creating: creator.creating,
    validating: counters.validating,
    resetting: counters.resetting,
    destroying: counters.destroying,
    min: settings.min,
    max: settings.max,
    loans: counters.loans,
    created: counters.created,
    destroyed: counters.destroyed,
    destroyedBy: { ...counters.destroyedBy },
    detached: counters.detached,
    waited: counters.waited,
    waitMillis: percentilesOf(counters.waits),
    holdMillis: percentilesOf(counters.holds),
    createErrors: creator.errors,
    acquireTimeouts: counters.acquireTimeouts,
    refusals: counters.refusals,
  };
}

/** What a histogram shows of itself. */
export function percentilesOf(histogram: MillisHistogram): Percentiles {
  return {
    p50: histogram.percentile(0.5),
    p99: histogram.percentile(0.99),
    max: histogram.maxMillis,
  };
}

/** A loan that is out, as reports show it. */
export interface LoanInfo {
  /** How long it has been out, in milliseconds, to within a second. */
  readonly heldMillis: number;
  /** By what call it was taken. */
  readonly takenBy: 'lease' | 'acquire' | 'use';
  /** The function of the application that took it, if it has a name and its line was taken: see `callSites`. */
  readonly holder: string | undefined;
  /** The line of the application that took it, as `file:line:column`, if it was taken: see `callSites`. */
  readonly site: string | undefined;
}

/** The figures that explain why nothing is to be had, in one line. */
export function formatStats(stats: PoolStats): string {
  const parts = [`${stats.size} of at most ${stats.max} resources`, `${stats.borrowed} borrowed`];
  for (const state of ['available', 'creating', 'validating', 'resetting', 'destroying'] as const) {
    if (stats[state] > 0) parts.push(`${stats[state]} ${state}`);
  }
  parts.push(`${stats.pending} waiting`);
  return parts.join(', ');
}

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
