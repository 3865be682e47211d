/**
 * Invalidations that have not got through. Each is tried again, every second and whenever somebody asks for it, until it
 * has: nobody may call again, and the other processes must be told all the same.
 */
import { systemClock, type TimerHandle } from '../../core/clock.js';

/** How often they are tried again, in milliseconds. */
const RETRY_MILLIS = 1_000;
/** So many become one of everything. */
const MAX_PENDING = 1_000;

/** What is still to be done, by what it invalidates. */
export class InvalidationOutbox {
  /** Runs work behind the callers' backs, and tells of its failure. */
  readonly #track: (work: () => Promise<void>) => Promise<void>;
  readonly #pending = new Map<string, () => Promise<void>>();
  #delivery: Promise<void> | undefined = undefined;
  #retry: TimerHandle | undefined = undefined;
  #ended = false;

  constructor(track: (work: () => Promise<void>) => Promise<void>) {
    this.#track = track;
  }

  /** How many have not got through. */
  get size(): number {
    return this.#pending.size;
  }

  /** Whether there are so many that everything had better be invalidated. */
  get isFull(): boolean {
    return this.#pending.size >= MAX_PENDING;
  }

  /** Carries out an invalidation, in its turn; it replaces an earlier one of the same name. */
  submit(name: string, work: () => Promise<void>): Promise<void> {
    this.#pending.delete(name);
    this.#pending.set(name, work);
    return this.deliver();
  }

  /** Forgets all. */
  clear(): void {
    this.#pending.clear();
  }

  /** Tries none any more. */
  end(): void {
    this.#ended = true;
    if (this.#retry !== undefined) systemClock.clearTimer(this.#retry);
  }

  /** Tries what has not got through, in order. Never rejects. */
  deliver(): Promise<void> {
    if (this.#pending.size === 0) return Promise.resolve();
    this.#delivery ??= this.#track(async () => {
      try {
        // What is submitted during a round is taken along by it.
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
