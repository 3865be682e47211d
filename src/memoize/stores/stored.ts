/**
 * The stored form of a result. A result that expires is stored in an `Entry`. A result that never expires is stored bare. An
 * object around it would need as many bytes as the rest of a list node. Each hit would need one more memory access.
 */

import { tickAt } from '../../core/coarse-clock.js';

/** Stored for the result `undefined`, because a look-up that returns `undefined` is a miss. */
export const UNDEFINED: unique symbol = Symbol('undefined');

/** The stored form of a result: the result itself, {@link UNDEFINED}, or an {@link Entry}. */
export type Stored = unknown;

/** A result that expires. */
export class Entry {
  readonly value: unknown;
  /** The tick of {@link freshUntil}. An integer is in the entry itself, so a hit reads one object less. */
  freshTick: number;
  #freshUntil: number;

  constructor(value: unknown, freshUntil: number) {
    this.value = value;
    this.freshTick = tickAt(freshUntil);
    this.#freshUntil = freshUntil;
  }

  /** The time, on the cache's clock, before which a hit may return the value without a further check. */
  get freshUntil(): number {
    return this.#freshUntil;
  }

  protected setFreshUntil(time: number): void {
    this.freshTick = tickAt(time);
    this.#freshUntil = time;
  }

  /** The result as a caller gets it. */
  get result(): unknown {
    return this.value;
  }

  /** Whether no call may be given the result at `now` or later. */
  isDead(now: number): boolean {
    return !(now < this.freshUntil); // Either may be NaN, by a clock that fails.
  }
}

/** The stored form of a result that never expires. */
export function storedFor(value: unknown): Stored {
  return value === undefined ? UNDEFINED : value;
}

/** Whether a stored value is an {@link Entry}. A bare result may be a proxy whose prototype cannot be read, because it was revoked. */
export function isEntry(stored: Stored): stored is Entry {
  try {
    return stored instanceof Entry;
  } catch {
    return false;
  }
}

/** The result in a stored value, expired or not. */
export function resultIn(stored: Stored): unknown {
  if (stored === UNDEFINED) return undefined;
  return isEntry(stored) ? stored.result : stored;
}

/** Whether no call may be given a stored value at `now` or later. */
export function isDead(stored: Stored, now: number): boolean {
  return isEntry(stored) && stored.isDead(now);
}
