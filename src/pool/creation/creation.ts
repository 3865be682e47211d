/** One running call of the factory's `create`. */
import type { PendingNode } from '../../core/pending-node.js';
import type { RunningCall } from './running-call.js';

/** A waiter, as far as its creation is concerned. */
export interface CreationWaiter {
  /** The creation that was begun for it. */
  creation: Creation | null;
}

/** One running creation. It is bound to the waiter that caused it, or to none when it fills up `min`. */
export class Creation<W extends CreationWaiter = CreationWaiter> {
  /** The waiter that it was begun for, while that waits and nothing else has served it. */
  waiter: W | null;
  /** Whether it was begun for no waiter. */
  readonly isForMin: boolean;
  /** How often all resources had been invalidated when it began. */
  readonly invalidations: number;
  /** How often the server had been full when it began. */
  readonly capacityErrors: number;
  /** The node of the resource that is being created, while the pool is watched. */
  readonly pendingNode: PendingNode | undefined;
  readonly controller: AbortController = new AbortController();
  /** The call of `create`, once it has returned a promise. */
  call: RunningCall<unknown> | undefined = undefined;
  /** Settles when the creation has succeeded, failed or been abandoned. */
  readonly ended: Promise<void>;
  end!: () => void;

  constructor(
    waiter: W | null,
    invalidations: number,
    capacityErrors: number,
    pendingNode: PendingNode | undefined,
  ) {
    this.waiter = waiter;
    this.isForMin = waiter === null;
    this.invalidations = invalidations;
    this.capacityErrors = capacityErrors;
    this.pendingNode = pendingNode;
    this.ended = new Promise((resolve) => {
      this.end = resolve;
    });
  }
}
