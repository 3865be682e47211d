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
 * A load that should replace the entry may fail. The entry is then served without a new load for `retryAfterMillis`, in each
 * of these stages.
 *
 * The fast paths read `freshUntil` alone. They must return neither a failure nor a result that is held weakly, and they do not
 * prolong an idle time. So for such entries `freshUntil` is in the past from the start.
 */
import type { ResultOrigin } from '../result-origin.js';
import { Entry, isEntry, type Stored } from './stored.js';

/** When the stages of an entry end, on the cache's clock. */
export interface Lifetime {
  /** From when on a call begins a load that replaces the entry. */
  readonly dueAt: number;
  readonly expiresAt: number;
  readonly staleUntil: number;
  readonly errorUntil: number;
}

/** How a stored failure reaches the caller: thrown, or as a rejected promise. */
export type Failure = 'thrown' | 'rejected';

/** What only some entries have. */
export interface StagedOptions {
  readonly weight?: number;
  readonly failure?: Failure;
  /** The result, to be held weakly. */
  readonly weak?: WeakKey | undefined;
  /** When the entry leaves unless it is used before, on the cache's clock. */
  readonly idleUntil?: number;
}

/** A result or a failure, with stages. */
export class StagedEntry extends Entry {
  dueAt: number;
  expiresAt: number;
  staleUntil: number;
  readonly errorUntil: number;
  idleUntil: number;
  /** Whether callers are given a promise of {@link settled}. */
  readonly isAsync: boolean;
  readonly weight: number;
  readonly failure: Failure | undefined;
  readonly #settled: unknown;
  readonly #weak: WeakRef<WeakKey> | undefined;
  /** Whether a background load that replaces it is about to run. */
  refreshing = false;
  /** `undefined` without a shared store. */
  origin: ResultOrigin | undefined = undefined;

  constructor(result: unknown, settled: unknown, life: Lifetime, options: StagedOptions) {
    const { weight = 0, failure, weak, idleUntil = Infinity } = options;
    super(weak === undefined ? result : undefined, 0);
    this.dueAt = life.dueAt;
    this.expiresAt = life.expiresAt;
    this.staleUntil = life.staleUntil;
    this.errorUntil = life.errorUntil;
    this.idleUntil = idleUntil;
    this.isAsync = !Object.is(result, settled);
    this.weight = weight;
    this.failure = failure;
    this.#settled = weak === undefined ? settled : undefined;
    this.#weak = weak === undefined ? undefined : new WeakRef(weak);
    this.#setFreshness();
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
  override get result(): unknown {
    if (this.#weak === undefined) return this.value;
    return this.isAsync ? Promise.resolve(this.#weak.deref()) : this.#weak.deref();
  }

  /** Whether a caller may get the result at `now`, stale or not. */
  isServable(now: number): boolean {
    const { dueAt, expiresAt, staleUntil, errorUntil } = this;
    const isPaused = now < dueAt && now < errorUntil;
    return (now < expiresAt || now < staleUntil || isPaused) && !this.collected;
  }

  /**
   * Whether the result may be served at `now` in place of the failure of a load: a stale one, within `staleIfError`. With `evenFresh` also
   * one that a call would have got if it had not been evicted.
   */
  replacesFailure(now: number, evenFresh: boolean): boolean {
    const { expiresAt, staleUntil, errorUntil } = this;
    const until = evenFresh ? Math.max(staleUntil, errorUntil) : errorUntil;
    return (
      this.failure === undefined &&
      (evenFresh || now >= expiresAt) &&
      now < until &&
      !this.isDead(now)
    );
  }

  /** Lets no call begin a load that replaces the entry before `dueAt`. */
  setDueAt(dueAt: number): void {
    this.dueAt = dueAt;
    if (this.freshUntil !== -Infinity) this.#setFreshness();
  }

  /** Makes the entry stale at a time, unless it is stale before. A result may still be served in place of a failure. */
  markStale(at: number): void {
    this.setFreshUntil(Math.min(this.freshUntil, at));
    this.dueAt = Math.min(this.dueAt, at);
    this.expiresAt = Math.min(this.expiresAt, at);
    this.staleUntil = Math.min(this.staleUntil, at);
  }

  override isDead(now: number): boolean {
    const { expiresAt, staleUntil, errorUntil, idleUntil } = this;
    const isOver = now >= expiresAt && now >= staleUntil && now >= errorUntil;
    return isOver || now >= idleUntil || this.collected;
  }

  #setFreshness(): void {
    const isPlain =
      this.failure === undefined && this.#weak === undefined && this.idleUntil === Infinity;
    this.setFreshUntil(isPlain ? Math.min(this.dueAt, this.expiresAt) : -Infinity);
  }
}

/** Notes where an entry comes from. */
export function setOrigin(stored: Stored, origin: ResultOrigin | undefined): void {
  if (stored instanceof StagedEntry) stored.origin = origin;
}

/** Whether a stored value is a {@link StagedEntry}. */
export function isStaged(stored: Stored): stored is StagedEntry {
  return isEntry(stored) && stored instanceof StagedEntry;
}
