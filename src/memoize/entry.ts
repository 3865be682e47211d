/** One stored result. Its life is what an observer is told of, so the observer's name for it is kept beside it. */
import type { NodeId } from '../core/probe.js';

/** Whatever stands for one stored entry in the observer's heap, and keeps the node that it was given there. */
export interface Tracked {
  node: NodeId | undefined;
}

/** A result in its box: `undefined` is a value like any other, and a missing box is a miss. */
export class Entry implements Tracked {
  readonly value: unknown;
  /** When it ceases to be served, on the cache's clock; `undefined` for never. */
  readonly expiresAt: number | undefined;
  node: NodeId | undefined = undefined;

  constructor(value: unknown, expiresAt: number | undefined) {
    this.value = value;
    this.expiresAt = expiresAt;
  }

  /** Whether it may still be served at `now`. */
  isFresh(now: number): boolean {
    return this.expiresAt === undefined || now < this.expiresAt;
  }
}
