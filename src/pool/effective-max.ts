/**
 * The limit that a pool keeps below `max` while its server is full: the option `adaptiveMax`. Several processes share one
 * server without a coordinator, because the server is the arbiter.
 *
 * Additive increase, multiplicative decrease: when a creation fails because the server takes no more connections, the limit is
 * half of what the pool has; then it grows by one at a time. Source: Chiu and Jain, "Analysis of the Increase and Decrease
 * Algorithms for Congestion Avoidance in Computer Networks", 1989.
 */
import type { Clock } from '../core/clock.js';

/** How the limit adapts. */
export interface AdaptiveMaxOptions {
  /** The limit never falls below this. At most `max`. @default the larger of 1 and `min` */
  readonly floor?: number;
  /** How long it takes for the limit to grow by one, in milliseconds. @default 10_000 */
  readonly recoverMillis?: number;
}

const DEFAULT_RECOVER_MILLIS = 10_000;

/** The limits that a pool was given. */
interface Limits {
  readonly min: number;
  readonly max: number;
  readonly clock: Clock;
  readonly adaptiveMax: boolean | AdaptiveMaxOptions;
}

/** The present limit of one pool. */
export class EffectiveMax {
  readonly #settings: Limits;
  readonly #options: AdaptiveMaxOptions | undefined;
  /** The limit at {@link #since}; infinite while the server is not full. */
  #limit = Number.POSITIVE_INFINITY;
  #since = 0;
  /** How many resources the pool had when the server became full, and the most that it could have. */
  #had = 0;
  #most = 0;
  /** The limit that {@link hasGrown} saw last; infinite while the server is not full. */
  #seen = Number.POSITIVE_INFINITY;

  constructor(settings: Limits) {
    const { adaptiveMax } = settings;
    this.#settings = settings;
    this.#options =
      adaptiveMax === false ? undefined : { ...(adaptiveMax === true ? {} : adaptiveMax) };
  }

  /** How many resources may exist now. O(1). */
  get value(): number {
    const { max, clock } = this.#settings;
    if (this.#limit === Number.POSITIVE_INFINITY) return max;
    const { recoverMillis = DEFAULT_RECOVER_MILLIS } = this.#options ?? {};
    const grown = Math.floor((clock.now() - this.#since) / recoverMillis);
    const limit = this.#limit + grown;
    if (limit < max) return limit;
    this.#limit = Number.POSITIVE_INFINITY;
    return max;
  }

  /** The server has refused a connection while the pool had `size` resources, those that are being created not included. */
  serverIsFull(size: number): void {
    if (this.#options === undefined) return;
    this.#most = this.value;
    this.#since = this.#settings.clock.now();
    this.#halve(size);
    this.#seen = this.#limit;
  }

  /** The server has accepted a connection that was asked for before it was full. */
  acceptedBefore(): void {
    if (this.#limit !== Number.POSITIVE_INFINITY) this.#halve(this.#had + 1);
  }

  #halve(had: number): void {
    const { floor = Math.max(1, this.#settings.min) } = this.#options ?? {};
    this.#had = had;
    this.#limit = Math.max(floor, Math.floor(Math.min(had, this.#most) / 2));
  }

  /** Whether {@link hasGrown} may be true later. */
  get mayGrow(): boolean {
    return this.#seen !== Number.POSITIVE_INFINITY;
  }

  /** Whether the limit has grown since the last call. Time makes it grow, so no event tells of it. */
  hasGrown(): boolean {
    if (!this.mayGrow) return false;
    const { value } = this;
    const hasGrown = value > this.#seen;
    this.#seen = this.#limit === Number.POSITIVE_INFINITY ? Number.POSITIVE_INFINITY : value;
    return hasGrown;
  }
}
