/**
 * Whether a component is exhausted: every resource is out, and callers wait or have left without one. They have timed out, their signal
 * has aborted, they were refused, or they have only tried (`tryLease`). This is looked at with each sweep and check. A quiet service
 * may have a caller only now and then, so what one look has seen holds until a resource is lent again or comes back.
 */
import type { ComponentStats } from '../core/probe.js';

/** The shortage of one component. */
export class Shortage {
  #left: number;
  #tries: number;
  #since = Number.NEGATIVE_INFINITY;
  #isFull = false;
  #wereRefused = false;
  #haveTried = false;

  /** `stats` are the component's figures at the start of the watch. */
  constructor(stats: ComponentStats | undefined) {
    this.#left = leftOf(stats);
    this.#tries = triesOf(stats);
  }

  /** Whether every resource is out and callers were refused meanwhile, or have tried in vain. */
  get isExhausted(): boolean {
    return this.#isFull && (this.#wereRefused || this.#haveTried);
  }

  /** Whether no caller has asked for more than an idle resource. */
  get isOnlyTried(): boolean {
    return !this.#wereRefused;
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
    const tries = triesOf(stats);
    const isStill = lastMovedAt === this.#since;
    this.#isFull = borrowed !== undefined && max !== undefined && borrowed > 0 && borrowed >= max;
    this.#wereRefused = pending > 0 || left > this.#left || (this.#wereRefused && isStill);
    this.#haveTried = tries > this.#tries || (this.#haveTried && isStill);
    this.#left = left;
    this.#tries = tries;
    this.#since = lastMovedAt;
  }
}

/** The figures that count callers which got no resource. */
const LEFT = ['acquireTimeouts', 'acquireAborts', 'refusals'] as const;

/** How many callers have left without a resource. */
function leftOf(stats: ComponentStats | undefined): number {
  return LEFT.reduce((sum, figure) => sum + (stats?.[figure] ?? 0), 0);
}

/** How many callers have found no idle resource, and asked for no other. */
function triesOf(stats: ComponentStats | undefined): number {
  return stats?.['tryMisses'] ?? 0;
}
