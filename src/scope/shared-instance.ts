/** One value of a shared cell, from the start of its creation to the end of its disposal. */
import type { TimerHandle } from '../core/clock.js';
import type { Owner } from '../core/current-owner.js';
import type { GuardedObserver } from '../core/guarded-observer.js';
import type { NodeId, Observer } from '../core/probe.js';

/**
 * ```
 *   creating ──▶ ready ──▶ disposing ──▶ ended
 *      └──────── failed, abandoned ────────▲
 * ```
 */
export type InstancePhase = 'creating' | 'ready' | 'disposing' | 'ended';

/** One value. It owns what is leased while it is created. */
export class SharedInstance<T> implements Owner {
  phase: InstancePhase = 'creating';
  /** The value; `undefined` until the phase is `'ready'`. */
  value: T | undefined = undefined;
  /** How many leases are out, and how many callers wait for the creation. */
  holds = 0;
  /** Whether later callers get another instance. */
  isRetired = false;
  /** Whether it counts among the values that exist. */
  isLive = false;
  /** How many of its leases the main observer knows. While there is none, the component holds the value in the reports. */
  reportedLeases = 0;
  /** How many callers wait for the end, and get an error of the disposal. */
  endWaiters = 0;
  /** Retires the instance when it has been idle for long enough. */
  timer: TimerHandle | undefined = undefined;
  /** To whom it is reported; `undefined` while the component is not watched. */
  reporter: GuardedObserver | undefined = undefined;
  /** Its node, as the component knows it. */
  reported: NodeId | undefined = undefined;
  /** Aborts the creation when no caller waits for it any more, or when its time is over. */
  controller: AbortController = new AbortController();
  /** Stops the time limit of the creation. While there is one, the creation goes on without callers. */
  stopLimit: (() => void) | undefined = undefined;
  /** Resolves when the value is there; rejects if the creation fails. */
  ready!: Promise<void>;
  /** Settles with the disposal. */
  readonly ended: Promise<void>;
  resolveReady!: () => void;
  rejectReady!: (reason: unknown) => void;
  resolveEnded!: () => void;
  rejectEnded!: (reason: unknown) => void;

  constructor() {
    this.#expectCallers();
    this.ended = new Promise((resolve, reject) => {
      this.resolveEnded = resolve;
      this.rejectEnded = reject;
    });
    this.ended.catch(() => {});
  }

  #expectCallers(): void {
    this.ready = new Promise((resolve, reject) => {
      this.resolveReady = resolve;
      this.rejectReady = reject;
    });
    this.ready.catch(() => {}); // Each caller that waits is told by its own promise.
  }

  /** Rejects the callers that wait for the creation now. Later callers wait for it, too. */
  refuseCallers(reason: unknown): void {
    this.rejectReady(reason);
    this.holds = 0;
    this.#expectCallers();
  }

  /** Whether it waits for a disposal before its creation begins. */
  get waits(): boolean {
    return this.phase === 'creating' && !this.isLive;
  }

  get observer(): Observer | undefined {
    return this.reporter?.main;
  }

  get node(): NodeId | undefined {
    return this.reported === undefined ? undefined : this.reporter?.idForMain(this.reported);
  }
}
