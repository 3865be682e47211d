/**
 * An entry with stages: fresh, due for a refresh, stale, and kept for failures only.
 *
 * ```
 *   stored      refreshAfter       ttl      + staleWhileRevalidate
 *     ├── fresh ─────┼── fresh ─────┼── stale ───────┼
 *     │              │ served,      │ served,        │ served only in place of a
 *     │              │ replaced     │ replaced       │ failure, for + staleIfError
 * ```
 *
 * The fast paths read `freshUntil` alone. They must return neither a failure nor a result that is held weakly. So for these
 * two, `freshUntil` is in the past from the start.
 */
import { Entry } from './stored.js';

/** When the stages of an entry end, on the cache's clock. */
export interface Lifetime {
  readonly refreshAt: number;
  readonly expiresAt: number;
  readonly staleUntil: number;
  readonly errorUntil: number;
}

/** How a stored failure reaches the caller: thrown, or as a rejected promise. */
export type Failure = 'thrown' | 'rejected';

/** A result or a failure, with stages. */
export class StagedEntry extends Entry {
  expiresAt: number;
  staleUntil: number;
  readonly errorUntil: number;
  readonly refreshAt: number;
  /** Whether callers are given a promise of {@link settled}. */
  readonly isAsync: boolean;
  readonly weight: number;
  readonly failure: Failure | undefined;
  readonly #settled: unknown;
  readonly #weak: WeakRef<WeakKey> | undefined;
  /** Whether a background load that replaces it is about to run. */
  refreshing = false;

  constructor(
    result: unknown,
    settled: unknown,
    life: Lifetime,
    options: { readonly weight?: number; readonly failure?: Failure; readonly weak?: WeakKey },
  ) {
    const { weight = 0, failure, weak } = options;
    const quick = failure === undefined && weak === undefined;
    super(
      weak === undefined ? result : undefined,
      quick ? Math.min(life.refreshAt, life.expiresAt) : Number.NEGATIVE_INFINITY,
    );
    this.refreshAt = life.refreshAt;
    this.expiresAt = life.expiresAt;
    this.staleUntil = life.staleUntil;
    this.errorUntil = life.errorUntil;
    this.isAsync = result !== settled;
    this.weight = weight;
    this.failure = failure;
    this.#settled = weak === undefined ? settled : undefined;
    this.#weak = weak === undefined ? undefined : new WeakRef(weak);
  }

  /** Whether its result was held weakly and has been collected. */
  get collected(): boolean {
    return this.#weak !== undefined && this.#weak.deref() === undefined;
  }

  /** The result, settled; for a failure, its error. */
  get settled(): unknown {
    return this.#weak === undefined ? this.#settled : this.#weak.deref();
  }

  /** The result as a caller gets it: settled, or a promise. */
  get result(): unknown {
    if (this.#weak === undefined) return this.value;
    return this.isAsync ? Promise.resolve(this.#weak.deref()) : this.#weak.deref();
  }

  /** Whether a caller may get the result at `now`, stale or not. */
  isServable(now: number): boolean {
    return (now < this.expiresAt || now < this.staleUntil) && !this.collected;
  }

  /** Whether the result is stale at `now` and may be served in place of a failure. */
  replacesFailure(now: number): boolean {
    return (
      this.failure === undefined &&
      now >= this.expiresAt &&
      now < this.errorUntil &&
      !this.collected
    );
  }

  /** Makes the entry stale at `now`, unless it is stale already. It may still be served in place of a failure. */
  markStale(now: number): void {
    if (this.failure !== undefined) return;
    this.freshUntil = Number.NEGATIVE_INFINITY;
    this.expiresAt = Math.min(this.expiresAt, now);
    this.staleUntil = Math.min(this.staleUntil, now);
  }

  override isDead(now: number): boolean {
    return (
      (now >= this.expiresAt && now >= this.staleUntil && now >= this.errorUntil) || this.collected
    );
  }
}
