/**
 * Whether a component is exhausted: every resource is out, and callers wait or have timed out. This is looked at with
 * each sweep and check. A quiet service may have a caller only now and then, so what one look has seen holds until a
 * resource is lent again.
 */
import type { ComponentStats } from '../core/probe.js';

/** The shortage of one component. */
export class Shortage {
  #timeouts: number;
  #since = Number.NEGATIVE_INFINITY;
  #isFull = false;
  #wereRefused = false;

  /** `stats` are the component's figures at the start of the watch. */
  constructor(stats: ComponentStats | undefined) {
    this.#timeouts = timeoutsOf(stats);
  }

  /** Whether every resource is out and callers were refused meanwhile. */
  get isExhausted(): boolean {
    return this.#isFull && this.#wereRefused;
  }

  /** When the last resource was lent, in milliseconds. Nothing has come back since, if the component is full. */
  get since(): number {
    return this.#since;
  }

  /** Looks at the figures. `lastLentAt` is when the youngest loan that is out began. */
  look(stats: ComponentStats | undefined, lastLentAt: number): void {
    const { borrowed, pending = 0 } = stats ?? {};
    const max = stats?.['effectiveMax'] ?? stats?.['max'];
    const timeouts = timeoutsOf(stats);
    const areRefused = pending > 0 || timeouts > this.#timeouts;
    this.#isFull = borrowed !== undefined && max !== undefined && borrowed > 0 && borrowed >= max;
    this.#wereRefused = areRefused || (this.#wereRefused && lastLentAt === this.#since);
    this.#timeouts = timeouts;
    this.#since = lastLentAt;
  }
}

function timeoutsOf(stats: ComponentStats | undefined): number {
  return stats?.['acquireTimeouts'] ?? 0;
}
