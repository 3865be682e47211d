/**
 * The outbox of invalidations: those that the shared store or the bus has not acknowledged yet. The outbox tries them again every
 * second, and whenever it is asked to. It has a timer of its own, because the other processes must be told even if no caller
 * calls again.
 */
import { systemClock, type TimerHandle } from '../../core/clock.js';

/** The time between two attempts, in milliseconds. */
const RETRY_MILLIS = 1_000;
/** The most pending invalidations. With more, the whole cache is invalidated instead. */
const MAX_PENDING = 1_000;

/** The pending invalidations of one cache, by name. */
export class InvalidationOutbox {
  /** Runs work in the background and reports its failure. */
  readonly #track: (work: () => Promise<void>) => Promise<void>;
  readonly #pending = new Map<string, () => Promise<void>>();
  #delivery: Promise<void> | undefined = undefined;
  #retry: TimerHandle | undefined = undefined;
  #ended = false;

  constructor(track: (work: () => Promise<void>) => Promise<void>) {
    this.#track = track;
  }

  /** How many invalidations are pending. */
  get size(): number {
    return this.#pending.size;
  }

  /** Whether so many are pending that the whole cache should be invalidated instead. */
  get isFull(): boolean {
    return this.#pending.size >= MAX_PENDING;
  }

  /** Adds an invalidation, in place of a pending one with this name, and delivers all in order. Never rejects. */
  submit(name: string, work: () => Promise<void>): Promise<void> {
    this.#pending.delete(name);
    this.#pending.set(name, work);
    return this.deliver();
  }

  /** Drops all pending invalidations. */
  clear(): void {
    this.#pending.clear();
  }

  /** Stops the timer. */
  end(): void {
    this.#ended = true;
    if (this.#retry !== undefined) systemClock.clearTimer(this.#retry);
  }

  /** Tries the pending invalidations in order, until one fails. Never rejects. */
  deliver(): Promise<void> {
    if (this.#pending.size === 0) return Promise.resolve();
    this.#delivery ??= this.#track(async () => {
      try {
        // The loop also visits invalidations that are submitted while it runs.
        for (const [name, work] of this.#pending) {
          await work();
          if (this.#pending.get(name) === work) this.#pending.delete(name);
        }
      } finally {
        this.#delivery = undefined;
        this.#retryLater();
      }
    });
    return this.#delivery;
  }

  #retryLater(): void {
    if (this.#pending.size === 0 || this.#ended || this.#retry !== undefined) return;
    const again = (): void => {
      this.#retry = undefined;
      void this.deliver();
    };
    this.#retry = systemClock.setTimer(again, RETRY_MILLIS, { background: true });
  }
}
