/**
 * Whether a component is exhausted: every resource is out, and callers wait or have left without one. They have timed out, their signal
 * has aborted, or they were refused. This is looked at with each sweep and check. A quiet service may have a caller only now and then, so
 * what one look has seen holds until a resource is lent again or comes back.
 */
import type { ComponentStats } from '../core/probe.js';

/** The shortage of one component. */
export class Shortage {
  #left: number;
  #since = Number.NEGATIVE_INFINITY;
  #isFull = false;
  #wereRefused = false;

  /** `stats` are the component's figures at the start of the watch. */
  constructor(stats: ComponentStats | undefined) {
    this.#left = leftOf(stats);
  }

  /** Whether every resource is out and callers were refused meanwhile. */
  get isExhausted(): boolean {
    return this.#isFull && this.#wereRefused;
  }

  /** When a resource was lent or came back last, in milliseconds. */
  get since(): number {
    return this.#since;
  }

  /** Looks at the figures. `lastMovedAt` is when a resource was lent or came back last. */
  look(stats: ComponentStats | undefined, lastMovedAt: number): void {
    const { borrowed, pending = 0 } = stats ?? {};
    const max = stats?.['effectiveMax'] ?? stats?.['max'];
    const left = leftOf(stats);
    const areRefused = pending > 0 || left > this.#left;
    this.#isFull = borrowed !== undefined && max !== undefined && borrowed > 0 && borrowed >= max;
    this.#wereRefused = areRefused || (this.#wereRefused && lastMovedAt === this.#since);
    this.#left = left;
    this.#since = lastMovedAt;
  }
}

/** The figures that count callers which got no resource. */
const LEFT = ['acquireTimeouts', 'acquireAborts', 'refusals'] as const;

/** How many callers have left without a resource. */
function leftOf(stats: ComponentStats | undefined): number {
  return LEFT.reduce((sum, figure) => sum + (stats?.[figure] ?? 0), 0);
}
