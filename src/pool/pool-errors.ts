/** The errors of a pool, a class for each failure. Each error names its phase and says what to do. */
import { errorText } from '../core/error-text.js';
import { nameErrorClass, TenureError, type TenureErrorOptions } from '../core/errors.js';
import { printable } from '../core/printable.js';
import { formatFigures, formatLoans, type LoanInfo, type PoolStats } from './pool-stats.js';

/** What the pool was doing when it failed. */
export type PoolPhase = 'wait' | 'create' | 'validate' | 'reset' | 'release' | 'destroy' | 'close';

/** What a caller waits for. */
export type WaitPhase = Extract<PoolPhase, 'wait' | 'create' | 'validate'>;

/** The options of a {@link PoolError}. */
export interface PoolErrorOptions extends TenureErrorOptions {
  /** What the pool was doing. */
  readonly phase: PoolPhase;
}

/** The base of every error that a pool makes. */
export class PoolError extends TenureError {
  /** What the pool was doing. */
  readonly phase: PoolPhase;

  /** @internal */
  constructor(message: string, options: PoolErrorOptions) {
    super(printable(message), options);
    this.phase = options.phase;
  }

  static {
    nameErrorClass(PoolError, 'PoolError');
  }
}

/** What keeps callers waiting besides their own pool: `pause()`, or the resources of other keys under `maxTotal`. */
export type BlockedBy = 'paused' | 'maxTotal';

/** The details of an {@link AcquireTimeoutError}. */
interface AcquireTimeoutDetails {
  readonly timeoutMillis: number;
  readonly phase: WaitPhase;
  readonly stats: PoolStats;
  readonly loans: readonly LoanInfo[];
  readonly lastCreateError: unknown;
  /** How long the event loop was blocked when the time was up, in milliseconds; 0 if it was not. */
  readonly stalledMillis: number;
  /** `undefined` if nothing but the pool itself kept the caller waiting. */
  readonly blockedBy?: BlockedBy | undefined;
}

/**
 * No resource could be lent in time. Code `TENURE_POOL_ACQUIRE_TIMEOUT`. `phase` says what the caller waited for; `cause` is
 * the last error of `create` while the factory keeps failing.
 */
export class AcquireTimeoutError extends PoolError {
  /** The pool's figures when the time was up. */
  readonly stats: PoolStats;
  /** The loans that were out then, longest first. */
  readonly loans: readonly LoanInfo[];

  /** @internal */
  constructor(
    name: string,
    {
      timeoutMillis,
      phase,
      stats,
      loans,
      lastCreateError,
      stalledMillis,
      blockedBy,
    }: AcquireTimeoutDetails,
  ) {
    const reason = WAIT_REASONS[blockedBy ?? phase];
    const lines = [
      `${name}: ResourceRequest timed out: nothing could be lent within ${timeoutMillis} ms (${reason.waitedFor}): ${formatFigures(stats, loans)}.`,
    ];
    if (lastCreateError !== undefined)
      lines.push(`Last create error: ${errorText(lastCreateError)}.`);
    lines.push(stalledMillis > 0 ? stall(stalledMillis).trim() : reason.advice);
    super(lines.join(' '), {
      code: 'TENURE_POOL_ACQUIRE_TIMEOUT',
      phase,
      ...(lastCreateError === undefined ? {} : { cause: lastCreateError }),
    });
    this.stats = stats;
    this.loans = loans;
  }

  static {
    nameErrorClass(AcquireTimeoutError, 'AcquireTimeoutError');
  }
}

/** The pool is closed or draining, and lends nothing. Code `TENURE_POOL_CLOSED`. */
export class PoolClosedError extends PoolError {
  /** @internal */
  constructor(name: string, state: string) {
    super(
      state === 'forgotten'
        ? `${name} was empty and is forgotten. Ask the keyed pool's \`pool(key)\` for it each time.`
        : `${name} is ${state} and cannot accept work any more. Stop its callers before closing it.`,
      { code: 'TENURE_POOL_CLOSED', phase: 'wait' },
    );
  }

  static {
    nameErrorClass(PoolClosedError, 'PoolClosedError');
  }
}

/**
 * As many callers wait as `maxWaitingClients` allows. Code `TENURE_POOL_FULL`. The message has that of generic-pool in it, because
 * programs look for it.
 */
export class PoolFullError extends PoolError {
  /** The name of the pool. */
  readonly pool: string;
  /** How many callers may wait. */
  readonly maxWaitingClients: number;

  /** @internal */
  constructor(name: string, maxWaitingClients: number) {
    super(
      `${name}: max waitingClients count exceeded (${maxWaitingClients}). Shed load, or raise \`max\` or \`maxWaitingClients\`.`,
      { code: 'TENURE_POOL_FULL', phase: 'wait' },
    );
    this.pool = name;
    this.maxWaitingClients = maxWaitingClients;
  }

  static {
    nameErrorClass(PoolFullError, 'PoolFullError');
  }
}

/** `create` failed. Code `TENURE_POOL_CREATE`; `cause` is the error that it threw or rejected with. */
export class CreateError extends PoolError {
  /** @internal */
  constructor(message: string, options: { readonly code?: string; readonly cause?: unknown }) {
    super(message, { code: 'TENURE_POOL_CREATE', ...options, phase: 'create' });
  }

  static {
    nameErrorClass(CreateError, 'CreateError');
  }
}

/** `max` or `maxTotal` is less than the resources that `warmUp` or `ready` waits for. Code `TENURE_POOL_WARM_UP`. */
export class WarmUpError extends PoolError {
  /** @internal */
  constructor(name: string, count: number, limit: 'max' | 'maxTotal', most: number) {
    super(
      `${name}: ${count} resources cannot be created ahead: \`${limit}\` is ${most} now. Ask for fewer.`,
      {
        code: 'TENURE_POOL_WARM_UP',
        phase: 'create',
      },
    );
  }

  static {
    nameErrorClass(WarmUpError, 'WarmUpError');
  }
}

/** `create` did not settle within `createTimeoutMillis`. Code `TENURE_POOL_CREATE_TIMEOUT`. */
export class CreateTimeoutError extends CreateError {
  /** @internal */
  constructor(name: string, timeoutMillis: number, stalledMillis: number) {
    super(
      `${name}: create() did not settle within ${timeoutMillis} ms.${stall(stalledMillis)} Let it stop by its \`signal\`, or raise \`createTimeoutMillis\`.`,
      { code: 'TENURE_POOL_CREATE_TIMEOUT' },
    );
  }

  static {
    nameErrorClass(CreateTimeoutError, 'CreateTimeoutError');
  }
}

/** `create` returned an object that is in the pool already. Code `TENURE_POOL_DUPLICATE_RESOURCE`. */
export class DuplicateResourceError extends CreateError {
  /** @internal */
  constructor(name: string) {
    super(
      `${name}: create() returned an object that is in the pool already. Two callers would hold it at once: make a new one each time.`,
      { code: 'TENURE_POOL_DUPLICATE_RESOURCE' },
    );
  }

  static {
    nameErrorClass(DuplicateResourceError, 'DuplicateResourceError');
  }
}

/**
 * `validate` or `reset` did not settle within `validateTimeoutMillis`; its resource is destroyed.
 * Code `TENURE_POOL_VALIDATE_TIMEOUT`.
 */
export class ValidateTimeoutError extends PoolError {
  /** @internal */
  constructor(
    name: string,
    phase: 'validate' | 'reset',
    timeoutMillis: number,
    stalledMillis: number,
  ) {
    super(
      `${name}: ${phase}() did not settle within ${timeoutMillis} ms; the resource is destroyed.${stall(stalledMillis)} Find out why it hangs, or raise \`validateTimeoutMillis\`.`,
      { code: 'TENURE_POOL_VALIDATE_TIMEOUT', phase },
    );
  }

  static {
    nameErrorClass(ValidateTimeoutError, 'ValidateTimeoutError');
  }
}

/**
 * `destroy` did not settle within `destroyTimeoutMillis`; its place is given away.
 * Code `TENURE_POOL_DESTROY_TIMEOUT`.
 */
export class DestroyTimeoutError extends PoolError {
  /** @internal */
  constructor(name: string, timeoutMillis: number, stalledMillis: number) {
    super(
      `${name}: destroy timed out: it did not settle within ${timeoutMillis} ms; its place is given away.${stall(stalledMillis)} Find out why it hangs, or raise \`destroyTimeoutMillis\`.`,
      { code: 'TENURE_POOL_DESTROY_TIMEOUT', phase: 'destroy' },
    );
  }

  static {
    nameErrorClass(DestroyTimeoutError, 'DestroyTimeoutError');
  }
}

/**
 * A resource was given back that its caller does not hold. The pool does not change. By `code`:
 * - `TENURE_POOL_DOUBLE_RELEASE`: it was released before;
 * - `TENURE_POOL_RELEASE_AFTER_DESTROY`: it was destroyed before;
 * - `TENURE_POOL_RELEASE_AFTER_DETACH`: its lease was detached, so the pool no longer has it;
 * - `TENURE_POOL_RELEASE_OF_LEASE`: it was lent by `lease()` or `use()`, which alone can release it;
 * - `TENURE_POOL_FOREIGN_RESOURCE`: the pool does not know it.
 */
export class ReleaseError extends PoolError {
  /** @internal */
  constructor(message: string, code: string) {
    super(message, { code, phase: 'release' });
  }

  static {
    nameErrorClass(ReleaseError, 'ReleaseError');
  }
}

/** The resource of a lease was used after the lease had ended. Code `TENURE_POOL_LEASE_ENDED`. */
export class LeaseEndedError extends PoolError {
  /** @internal */
  constructor(name: string, ending: string, outcome: string) {
    super(`${name}: this lease has ended (${ending}); ${outcome}`, {
      code: 'TENURE_POOL_LEASE_ENDED',
      phase: 'release',
    });
  }

  static {
    nameErrorClass(LeaseEndedError, 'LeaseEndedError');
  }
}

/** The timeout of a wait for the whole pool is over. Code `TENURE_POOL_DEADLINE`. What has begun goes on. */
export class DeadlineError extends PoolError {
  /** @internal */
  constructor(name: string, where: string, timeoutMillis: number, figures: string) {
    super(
      `${name}: ${where}() did not end within ${timeoutMillis} ms: ${figures}. See what hangs or is held, or give a longer \`timeoutMillis\`.`,
      { code: 'TENURE_POOL_DEADLINE', phase: 'wait' },
    );
  }

  static {
    nameErrorClass(DeadlineError, 'DeadlineError');
  }
}

/** The grace of `close` is over, and loans are still out. Code `TENURE_POOL_LEASES_OUT`. */
export class LeasesOutError extends PoolError {
  /** The loans that are still out, longest first. */
  readonly loans: readonly LoanInfo[];

  /** @internal */
  constructor(name: string, graceMillis: number, loans: readonly LoanInfo[]) {
    super(
      `${name}: ${loans.length} still out ${graceMillis} ms after it was closed: ${formatLoans(loans)}. Release every lease, give a longer \`graceMillis\`, or close with \`force: true\`.`,
      { code: 'TENURE_POOL_LEASES_OUT', phase: 'close' },
    );
    this.loans = loans;
  }

  static {
    nameErrorClass(LeasesOutError, 'LeasesOutError');
  }
}

interface WaitReason {
  readonly waitedFor: string;
  readonly advice: string;
}

const SEE_FACTORY = 'See whether the factory is slow or failing.';

const WAIT_REASONS: Readonly<Record<WaitPhase | BlockedBy, WaitReason>> = {
  wait: {
    waitedFor: 'waiting for a release',
    advice:
      'Release what is held, never lease while holding a lease of the same pool, or raise `max`.',
  },
  create: { waitedFor: 'waiting for create()', advice: SEE_FACTORY },
  validate: { waitedFor: 'waiting for validate()', advice: SEE_FACTORY },
  paused: {
    waitedFor: 'the pool is paused',
    advice: 'Call resume(), or give callers a timeout that is longer than the pause.',
  },
  maxTotal: {
    waitedFor: 'waiting for a resource of another key',
    advice: 'Release what other keys hold, or raise `maxTotal`.',
  },
};

/** What to add to the message of a timeout while the event loop was blocked. */
function stall(stalledMillis: number): string {
  return stalledMillis === 0
    ? ''
    : ` The event loop was blocked for ${Math.round(stalledMillis)} ms, so the cause may be this process.`;
}
