/**
 * The outbox of invalidations: those that the store or the bus has not confirmed yet.
 *
 * The store confirms an invalidation when its new token has been read back. An answer to the write is no proof: Keyv reports a
 * refused write as done. Each invalidation is tried on its own, so one that the store refuses holds back no other. All that were
 * submitted in one turn share their messages, and a client that pipelines sends them in one round trip. Failed ones are tried
 * again every second, by a timer, because the other processes must be told even if no caller calls again.
 *
 * The outbox is bounded. When it is full, one invalidation of the whole cache takes the place of all.
 */
import type { Clock, TimerHandle } from '../../core/clock.js';
import { Deque } from '../../core/deque.js';
import { newToken } from './envelope.js';
import { SharedStoreError } from './shared-store-error.js';
import { SpacedProbes } from './spaced-probes.js';

/** The time between two attempts, in milliseconds; with many pending invalidations, and with few. */
const RETRY_MILLIS = { many: 10_000, few: 1_000 };
/** How many pending invalidations are many. */
const MANY = 1_000;
/** The most pending invalidations. */
const MAX_PENDING = 100_000;
/** How many are tried at a time. */
const CONCURRENCY = 512;

/** One invalidation: the new token of a key, a tag or the whole cache. `what` is a public form. */
export class Invalidation {
  readonly kind: 'key' | 'tag' | 'cache';
  readonly what: string;
  readonly token: string = newToken();
  isStored = false;
  isPublished = false;
  /** The attempt that has begun; `undefined` before the first. */
  attempt: Promise<void> | undefined = undefined;
  /** Whether an attempt has ended without success. */
  hasFailed = false;

  constructor(kind: Invalidation['kind'], what: string) {
    this.kind = kind;
    this.what = what;
  }
}

/** The outside systems, as the outbox uses them. */
export interface OutboxPort {
  /** Puts the new token into the store, and reads it back. Rejects unless it is there. `isWanted` tells whether to try again. */
  store(invalidation: Invalidation, isWanted: () => boolean): Promise<void>;
  /** Puts a new token of all tags into the store, before those of single tags. */
  storeTagsToken(): Promise<void>;
  /** Sends messages about some invalidations, at least one. Rejects unless all were sent. */
  publish(invalidations: readonly Invalidation[]): Promise<void>;
  /** Whether the part of the store that an invalidation concerns gives no answers at present. */
  isResting(invalidation: Invalidation): boolean;
  /** Told that the outbox is full: the whole cache is to be invalidated. */
  overflowed(error: Error): void;
  failed(error: unknown): void;
}

/** The pending invalidations of one cache. */
export class InvalidationOutbox {
  readonly #port: OutboxPort;
  readonly #clock: Clock;
  readonly #maxPending: number;
  readonly #pending = new Map<string, Invalidation>();
  #submitted: Invalidation[] = [];
  #submission: Promise<void> | undefined = undefined;
  #running = 0;
  /** The attempts that are made although their part of the store gives no answers. */
  readonly #probes: SpacedProbes;
  readonly #queue = new Deque<() => void>();
  #retry: TimerHandle | undefined = undefined;
  #ended = false;

  constructor(port: OutboxPort, clock: Clock, maxPending: number = MAX_PENDING) {
    this.#port = port;
    this.#clock = clock;
    this.#maxPending = maxPending;
    this.#probes = new SpacedProbes(clock);
  }

  /** How many invalidations are pending. */
  get size(): number {
    return this.#pending.size;
  }

  /** The pending invalidation of a key, a tag or the cache. */
  get(kind: Invalidation['kind'], what: string): Invalidation | undefined {
    return this.#pending.size === 0 ? undefined : this.#pending.get(`${kind} ${what}`);
  }

  /** Adds an invalidation. It is attempted in a microtask. */
  submit(kind: Invalidation['kind'], what: string): Invalidation {
    const id = `${kind} ${what}`;
    const present = this.#pending.get(id);
    if (present !== undefined && present.attempt === undefined) return present;
    if (kind === 'cache')
      this.#pending.clear(); // It covers all others.
    else if (this.#pending.size >= this.#maxPending && present === undefined) {
      this.#port.overflowed(
        new SharedStoreError(
          `${this.#maxPending} invalidations are pending. The whole cache is invalidated instead. Is the shared store down?`,
        ),
      );
      return this.submit('cache', '');
    }
    const invalidation = new Invalidation(kind, what);
    this.#pending.delete(id);
    this.#pending.set(id, invalidation);
    this.#submitted.push(invalidation);
    this.#submission ??= Promise.resolve().then(() => this.#attemptSubmitted());
    return invalidation;
  }

  /** Tries the invalidations that are pending now again, and waits for their attempts. True if all of them are confirmed. */
  async deliver(): Promise<boolean> {
    this.#probes.reset();
    await this.#submission;
    const asked = [...this.#pending.values()];
    this.#attemptAll(asked.filter(({ hasFailed }) => hasFailed));
    await Promise.all(asked.map(({ attempt }) => attempt));
    const others = asked.map((each) => this.#laterThan(each));
    await this.#submission;
    await Promise.all(others.map((other) => other?.attempt));
    return asked.every((each) => isConfirmed(each) || this.#laterThan(each) === undefined);
  }

  /** Waits until a pending invalidation was attempted. True if it is not pending any more. */
  async settled(invalidation: Invalidation): Promise<boolean> {
    await this.#submission;
    await invalidation.attempt;
    return !this.#isPending(invalidation);
  }

  /** Stops the timer. What is pending is tried no more. */
  end(): void {
    this.#ended = true;
    if (this.#retry !== undefined) this.#clock.clearTimer(this.#retry);
  }

  /** The pending invalidation of what another one covers: the same one, or one that has taken its place. */
  #laterThan({ kind, what }: Invalidation): Invalidation | undefined {
    return this.get(kind, what) ?? this.get('cache', '');
  }

  #isPending({ kind, what, token }: Invalidation): boolean {
    return this.#pending.get(`${kind} ${what}`)?.token === token;
  }

  #attemptSubmitted(): void {
    this.#submission = undefined;
    const submitted = this.#submitted;
    this.#submitted = [];
    this.#attemptAll(submitted);
  }

  #attemptAll(invalidations: readonly Invalidation[]): void {
    const due = invalidations.filter((invalidation) => this.#isPending(invalidation));
    if (due.length === 0) return;
    for (const each of due) each.hasFailed = false;
    // What the store does not have yet is announced again: a receiver may have been away.
    const published = this.#publish(due.filter((each) => !each.isPublished || !each.isStored));
    let stored: Promise<void> | undefined;
    const tagsToken = (): Promise<void> => {
      stored ??= this.#port.storeTagsToken();
      return stored;
    };
    for (const invalidation of due) {
      invalidation.attempt = this.#attempt(invalidation, published, tagsToken);
    }
  }

  async #attempt(
    invalidation: Invalidation,
    published: Promise<void>,
    tagsToken: () => Promise<void>,
  ): Promise<void> {
    try {
      if (!invalidation.isStored) {
        const isWanted = (): boolean => this.#isPending(invalidation);
        await this.#inTurn(invalidation, async () => {
          // Tokens of tags come after that of all tags. A load that reads the token of one tag can then see that it began too early.
          if (invalidation.kind === 'tag') await tagsToken();
          await this.#port.store(invalidation, isWanted);
        });
        invalidation.isStored = true;
      }
    } catch (error) {
      if (this.#isPending(invalidation)) this.#port.failed(error); // Otherwise a later one has taken its place.
    }
    await published;
    const { kind, what } = invalidation;
    if (!this.#isPending(invalidation)) return;
    if (isConfirmed(invalidation)) this.#pending.delete(`${kind} ${what}`);
    else {
      invalidation.hasFailed = true;
      this.#retryLater();
    }
  }

  async #publish(invalidations: readonly Invalidation[]): Promise<void> {
    if (invalidations.length === 0) return;
    try {
      await this.#port.publish(invalidations);
      for (const each of invalidations) each.isPublished = true;
    } catch (error) {
      this.#port.failed(error);
    }
  }

  /** Limits how many are in the hands of the store. Of those that get no answers at present, only one asks it, now and then. */
  async #inTurn(invalidation: Invalidation, work: () => Promise<void>): Promise<void> {
    if (!this.#port.isResting(invalidation)) return this.#limited(invalidation, work);
    const probe = this.#probes.begin(work);
    if (probe !== undefined) return probe;
    await this.#probes.ended();
    this.#throwIfResting(invalidation);
    return this.#limited(invalidation, work);
  }

  async #limited(invalidation: Invalidation, work: () => Promise<void>): Promise<void> {
    const mustWait = this.#running >= CONCURRENCY;
    if (mustWait) await new Promise<void>((resolve) => this.#queue.push(resolve));
    else this.#running++;
    try {
      if (mustWait) this.#throwIfResting(invalidation);
      await work();
    } finally {
      if (this.#queue.length > 0) this.#queue.shift()?.();
      else this.#running--;
    }
  }

  #throwIfResting(invalidation: Invalidation): void {
    if (!this.#port.isResting(invalidation)) return;
    throw new SharedStoreError('The store gives no answers. The invalidation is tried again.');
  }

  #retryLater(): void {
    if (this.#ended || this.#retry !== undefined) return;
    const again = (): void => {
      this.#retry = undefined;
      this.#attemptAll([...this.#pending.values()].filter(({ hasFailed }) => hasFailed));
    };
    const delay = this.#pending.size > MANY ? RETRY_MILLIS.many : RETRY_MILLIS.few;
    this.#retry = this.#clock.setTimer(again, delay, { background: true });
  }
}

function isConfirmed({ isStored, isPublished }: Invalidation): boolean {
  return isStored && isPublished;
}
