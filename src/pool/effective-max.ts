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
  /** The limit never falls below this. @default the larger of 1 and `min` */
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
  /** The limit at {@link #since}; infinite while the server is not full. */
  #limit = Number.POSITIVE_INFINITY;
  #since = 0;

  constructor(settings: Limits) {
    this.#settings = settings;
  }

  /** How many resources may exist now. O(1). */
  get value(): number {
    const { max, clock } = this.#settings;
    if (this.#limit === Number.POSITIVE_INFINITY) return max;
    const grown = Math.floor((clock.now() - this.#since) / this.#options.recoverMillis);
    const limit = this.#limit + grown;
    if (limit < max) return limit;
    this.#limit = Number.POSITIVE_INFINITY;
    return max;
  }

  /** The server has refused a connection while the pool had `size` resources. */
  serverIsFull(size: number): void {
    const { adaptiveMax, clock } = this.#settings;
    if (adaptiveMax === false) return;
    this.#limit = Math.max(this.#options.floor, Math.floor(Math.min(size, this.value) / 2));
    this.#since = clock.now();
  }

  get #options(): Required<AdaptiveMaxOptions> {
    const { adaptiveMax, min } = this.#settings;
    const { floor = Math.max(1, min), recoverMillis = DEFAULT_RECOVER_MILLIS } =
      typeof adaptiveMax === 'object' ? adaptiveMax : {};
    return { floor, recoverMillis };
  }
}
