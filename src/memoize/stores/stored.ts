/**
 * What a store keeps under a key. A result that is good for ever is kept as it is, without a box around it: a box costs
 * as many bytes as the rest of a list node, and every hit one more load. Only a result with a life of its own, one that
 * expires say, is kept in an `Entry`.
 */

/** Stands for the result `undefined`, since a look-up that answers `undefined` is a miss. */
export const UNDEFINED: unique symbol = Symbol('undefined');

/** What is kept for a result: itself, {@link UNDEFINED}, or an {@link Entry}. */
export type Stored = unknown;

/** A result that is good for a while. */
export class Entry {
  readonly value: unknown;
  /** Until when a hit needs nothing but the value, on the cache's clock. */
  freshUntil: number;

  constructor(value: unknown, freshUntil: number) {
    this.value = value;
    this.freshUntil = freshUntil;
  }

  /** Whether it is of no more use to anybody at `now`. */
  isDead(now: number): boolean {
    return now >= this.freshUntil;
  }
}

/** What is kept for a result that never expires. */
export function storedFor(value: unknown): Stored {
  return value === undefined ? UNDEFINED : value;
}

/** The result that is kept in a stored, expired or not. */
export function resultIn(stored: Stored): unknown {
  if (stored === UNDEFINED) return undefined;
  return stored instanceof Entry ? stored.value : stored;
}

/** Whether a stored is of no more use to anybody at `now`. */
export function isDead(stored: Stored, now: number): boolean {
  return stored instanceof Entry && stored.isDead(now);
}
