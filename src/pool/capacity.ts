/** How many resources a pool has, and how many more it may have. Everything is computed when it is asked for, in O(1). */
import type { EffectiveMax } from './effective-max.js';
import type { PoolCounters } from './pool-counters.js';

/** The resources that a pool keeps; those being created are not among them. */
export interface StockedResources {
  readonly slots: { readonly size: number };
  readonly idle: { readonly length: number };
}

/** What a ceiling shared with other pools leaves. */
export interface SharedRoom {
  /** The most resources that all pools may have together. */
  readonly maxTotal: number;
  readonly room: number;
  readonly hasExcess: boolean;
  /** Whether another creation may give its place away and run on. */
  readonly mayAbandon: boolean;
  /** Told that a creation has given its place away, or that such a creation has ended. */
  countAbandoned(change: 1 | -1): void;
  /** Told that the pool would create resources that no waiter needs, if there was room. */
  awaitRoom(): void;
}

/** The capacity of one pool. */
export class Capacity {
  /** How many resources may exist now: `max`, or less while the server is full. */
  readonly max: EffectiveMax;
  readonly #stock: StockedResources;
  readonly #counters: PoolCounters;
  readonly #waiters: { readonly length: number };
  /** What a ceiling shared with other pools leaves, if there is such a ceiling. */
  shared: SharedRoom | null = null;

  constructor(
    max: EffectiveMax,
    stock: StockedResources,
    counters: PoolCounters,
    waiters: { readonly length: number },
  ) {
    this.max = max;
    this.#stock = stock;
    this.#counters = counters;
    this.#waiters = waiters;
  }

  /** Resources in any state, those being created and destroyed included. */
  get size(): number {
    return this.#stock.slots.size + this.#counters.creating;
  }

  /** Resources that exist and are not being destroyed. */
  get usable(): number {
    return this.#stock.slots.size - this.#counters.destroying;
  }

  /** True when there are more resources, those being created included, than may exist now. */
  get hasExcess(): boolean {
    return (
      this.usable + this.#counters.creating > this.max.value || this.shared?.hasExcess === true
    );
  }

  /** How many more resources may be created: by the present limit, and by the shared ceiling if there is one. */
  get spare(): number {
    const own = this.max.value - this.size;
    return this.shared === null ? own : Math.min(own, this.shared.room);
  }

  /**
   * How many waiters there are for whom no resource is idle or on its way. A call of the factory that has become slow is not
   * counted on: it may hang.
   */
  get shortfall(): number {
    const { creating, validating, resetting, slow } = this.#counters;
    const onTheWay = Math.max(0, creating + validating + resetting - slow);
    return this.#waiters.length - this.#stock.idle.length - onTheWay;
  }
}
