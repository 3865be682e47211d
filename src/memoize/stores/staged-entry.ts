/**
 * A result whose life has more than one end.
 *
 * ```
 *   stored      refreshAfter       ttl      + staleWhileRevalidate
 *     ├── fresh ─────┼── fresh ─────┼── stale ───────┼
 *     │              │ served,      │ served,        │ not served, but stands in for a
 *     │              │ replaced     │ replaced       │ failure for + staleIfError
 * ```
 *
 * The fast paths only know `freshUntil`. Whatever they must not hand out by themselves, a failure or a result that is
 * held weakly, says that it was never fresh.
 */
import { Entry } from './stored.js';

/** When the parts of an entry's life end, on the cache's clock. */
export interface Lifetime {
  readonly refreshAt: number;
  readonly expiresAt: number;
  readonly staleUntil: number;
  readonly errorUntil: number;
}

/** How a stored failure reaches the caller: thrown, or as a rejected promise. */
export type Failure = 'thrown' | 'rejected';

/** A result, or a failure, with a life of its own. */
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
  /** A replacement is about to be loaded in the background. */
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

  /** Whether a result that was held weakly has been collected. */
  get collected(): boolean {
    return this.#weak !== undefined && this.#weak.deref() === undefined;
  }

  /** What the load brought, settled. */
  get settled(): unknown {
    return this.#weak === undefined ? this.#settled : this.#weak.deref();
  }

  /** What a caller is given. */
  get result(): unknown {
    if (this.#weak === undefined) return this.value;
    return this.isAsync ? Promise.resolve(this.#weak.deref()) : this.#weak.deref();
  }

  /** Whether a caller may be given the result at `now`, be it stale. */
  isServable(now: number): boolean {
    return (now < this.expiresAt || now < this.staleUntil) && !this.collected;
  }

  /** Whether the result, past its time, may stand in for a failure at `now`. */
  replacesFailure(now: number): boolean {
    return (
      this.failure === undefined &&
      now >= this.expiresAt &&
      now < this.errorUntil &&
      !this.collected
    );
  }

  /** Makes it stale at `now`, if it is not already: it may be wrong. It can still stand in for a failure. */
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
