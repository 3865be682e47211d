/** How many resources a pool has, and how many more it may have. Everything is computed when it is asked for, in O(1). */
import type { PoolCounters } from './pool-counters.js';
import type { PoolLimits } from './pool-options.js';

/** The resources that a pool keeps; those being created are not among them. */
export interface StockedResources {
  readonly slots: { readonly size: number };
  readonly idle: { readonly length: number };
}

/** The capacity of one pool. */
export class Capacity {
  readonly #limits: PoolLimits;
  readonly #stock: StockedResources;
  readonly #counters: PoolCounters;
  readonly #waiters: { readonly length: number };
  /** The room that a ceiling shared with other pools leaves, if there is such a ceiling. */
  sharedRoom: { readonly room: number } | null = null;

  constructor(
    limits: PoolLimits,
    stock: StockedResources,
    counters: PoolCounters,
    waiters: { readonly length: number },
  ) {
    this.#limits = limits;
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

  /** True when there are more resources, those being created included, than `max` allows. */
  get hasExcess(): boolean {
    return this.usable + this.#counters.creating > this.#limits.max;
  }

  /** How many more resources may be created: by `max`, and by the shared ceiling if there is one. */
  get spare(): number {
    const own = this.#limits.max - this.size;
    return this.sharedRoom === null ? own : Math.min(own, this.sharedRoom.room);
  }

  /** How many waiters there are for whom no resource is idle, being created, validated or reset. */
  get shortfall(): number {
    const { creating, validating, resetting } = this.#counters;
    return this.#waiters.length - this.#stock.idle.length - creating - validating - resetting;
  }
}
