/** What a pool counts. */

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
  /** Creations that failed or timed out since then. */
  readonly createErrors: number;
  /** Callers whose wait timed out since then. */
  readonly acquireTimeouts: number;
}

/** A loan that is out, as reports show it. */
export interface LoanInfo {
  /** How long it has been out, in milliseconds, to within a second. */
  readonly heldMillis: number;
  /** By what call it was taken. */
  readonly takenBy: 'lease' | 'acquire' | 'use';
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
  const shown = loans.slice(0, most).map((loan) => `${loan.takenBy}() ${age(loan.heldMillis)} ago`);
  if (loans.length > most) shown.push(`${loans.length - most} more`);
  return shown.join(', ');
}

function age(heldMillis: number): string {
  return heldMillis < 1_000
    ? `${Math.round(heldMillis)} ms`
    : `${Math.round(heldMillis / 1_000)} s`;
}
