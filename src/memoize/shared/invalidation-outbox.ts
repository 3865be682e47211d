/**
 * The outbox of invalidations: those that the store or the bus has not confirmed yet.
 *
 * The store confirms an invalidation when its new token has been read back. An answer to the write is no proof: Keyv reports a
 * refused write as done. Each invalidation is tried on its own, so one that the store refuses holds back no other. All that were
 * submitted in one turn share their messages, and a client that pipelines sends those that are tried at a time in one round trip.
 *
 * Each second some of the failed ones are tried again, and the others follow if the store takes them (`retry-round.ts`). New ones for a
 * part of the store that refuses wait for these rounds, but for a few (`refusing-parts.ts`). All are announced to the other processes
 * again and again, by a timer, because these must be told even if no caller calls again.
 *
 * The outbox is bounded. When it is full, one invalidation of the whole cache takes the place of all.
 */
import type { Clock, TimerHandle } from '../../core/clock.js';
import { Deque } from '../../core/deque.js';
import { runInOwnContext } from '../../core/own-context.js';
import { isOfLoadsAlone } from './envelope.js';
import { Invalidation } from './invalidation.js';
import { RefusingParts } from './refusing-parts.js';
import { RetryRound } from './retry-round.js';
import { notKept, SharedStoreError } from './shared-store-error.js';
import { SpacedProbes } from './spaced-probes.js';
import { TurnBatch } from './turn-batch.js';

/** The time between two rounds of retries, in milliseconds. */
const RETRY_MILLIS = 1_000;
/** In which rounds all pending invalidations are announced: in each tenth if they are many, else in each. */
const ANNOUNCING = { many: 10, few: 1 };
/** How many pending invalidations are many. */
const MANY = 1_000;
/** The most pending invalidations. */
const MAX_PENDING = 100_000;
/** How many are tried at a time: few until the store has taken some, since it may refuse all. One more for each that it takes. */
const CONCURRENCY = { first: 240, most: 512 };

/** The outside systems, as the outbox uses them. */
export interface OutboxPort {
  /** Puts the token into the store, and reads it back. */
  store(invalidation: Invalidation): Promise<ReadBack>;
  /** Puts a new token of all tags into the store, before those of single tags, and reads it back. */
  storeTagsToken(): Promise<ReadBack>;
  /** Sends messages about some invalidations, at least one. Rejects unless all were sent. */
  publish(invalidations: readonly Invalidation[]): Promise<void>;
  /** The part of the store that an invalidation concerns. */
  partOf(invalidation: Invalidation): number;
  /** Whether the part of the store that an invalidation concerns gives answers. If not, it is probed after its rest. */
  mayStore(invalidation: Invalidation): boolean;
  /** Told that the outbox is full: the whole cache is to be invalidated. */
  overflowed(error: Error): void;
  failed(error: unknown): void;
}

/** The token that was read after one was put into the store, and whether it is that one. */
export interface ReadBack {
  readonly isOwn: boolean;
  readonly token: string;
}

/** What attempts that begin together share. */
interface Batch {
  /** Puts a new token of all tags into the store, once. */
  readonly tagsToken: () => Promise<void>;
  /** Whether the store may be asked. If not, the invalidation waits for a round of retries. */
  mayTry(invalidation: Invalidation): boolean;
  /** Told that the store has taken an invalidation. */
  taken(invalidation: Invalidation): void;
}

/** The pending invalidations of one cache. */
export class InvalidationOutbox {
  readonly #port: OutboxPort;
  readonly #clock: Clock;
  readonly #maxPending: number;
  /** The one with the oldest attempt is the first. */
  readonly #pending = new Map<string, Invalidation>();
  /** How often the whole cache was invalidated. */
  #clears = 0;
  readonly #submitted = new TurnBatch<Invalidation>((each) => this.#attemptSubmitted(each));
  #submission: Promise<void> | undefined = undefined;
  /** Those that have taken another token. Those of one turn share their messages. */
  readonly #renewed = new TurnBatch<Invalidation>((each) => this.#announce(each));
  #running = 0;
  #mayRun = CONCURRENCY.first;
  /** The attempts that are made although their part of the store gives no answers. */
  readonly #probes: SpacedProbes;
  readonly #queue = new Deque<() => void>();
  readonly #refusing = new RefusingParts();
  #retryTimer: TimerHandle | undefined = undefined;
  /** Where the last round of retries ended. */
  #turn = 0;
  #roundsSinceAnnouncement = 0;
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

  /** How often the whole cache was invalidated. Each time, the pending invalidations of keys and tags ended without being confirmed. */
  get clears(): number {
    return this.#clears;
  }

  /** The pending invalidation of a key, a tag or the cache. */
  get(kind: Invalidation['kind'], what: string): Invalidation | undefined {
    return this.#pending.size === 0 ? undefined : this.#pending.get(idOf({ kind, what }));
  }

  /** The pending invalidation that covers a key or a tag: its own one, or that of the cache. */
  covering(kind: Invalidation['kind'], what: string): Invalidation | undefined {
    return this.get(kind, what) ?? this.get('cache', '');
  }

  /** Adds an invalidation. It is attempted in a microtask. */
  submit(kind: Invalidation['kind'], what: string): Invalidation {
    const id = idOf({ kind, what });
    const present = this.#pending.get(id);
    if (present !== undefined && present.attempt === undefined) return present;
    if (kind === 'cache') {
      this.#clears++;
      this.#pending.clear(); // It covers all others.
    } else if (this.#pending.size >= this.#maxPending && present === undefined) {
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
    this.#submission = this.#submitted.add(invalidation);
    return invalidation;
  }

  /** Tries the invalidations that are pending now again, and waits for their attempts. True if all of them are confirmed. */
  async deliver(): Promise<boolean> {
    this.#probes.reset();
    await this.#submission;
    const asked = [...this.#pending.values()];
    this.#attemptAll(asked.filter(({ hasFailed }) => hasFailed));
    await Promise.all(asked.map(({ attempt }) => attempt));
    this.#attemptAll(asked.filter(({ hasFailed, wasTried }) => hasFailed && !wasTried)); // They were put off.
    await Promise.all(asked.map(({ attempt }) => attempt));
    const later = ({ kind, what }: Invalidation) => this.covering(kind, what);
    const others = asked.map(later);
    await this.#submission;
    await Promise.all(others.map((other) => other?.attempt));
    return asked.every((each) => isConfirmed(each) || later(each) === undefined);
  }

  /** Announces all that is pending, and begins a round of retries. */
  retry(): void {
    this.#probes.reset();
    this.#roundsSinceAnnouncement = ANNOUNCING.many;
    this.#stopTimer();
    this.#beginRound();
  }

  /** Waits until a pending invalidation was attempted. True if it is confirmed, false if not or if a later one has taken its place. */
  async settled(invalidation: Invalidation): Promise<boolean> {
    await this.#submission;
    await invalidation.attempt;
    return isConfirmed(invalidation);
  }

  /** Stops the timer. What is pending is tried no more. */
  end(): void {
    this.#ended = true;
    this.#stopTimer();
  }

  #isPending(invalidation: Invalidation): boolean {
    return this.#pending.get(idOf(invalidation)) === invalidation;
  }

  // ── Attempts ──

  #attemptSubmitted(submitted: readonly Invalidation[]): void {
    // A cache that has ended retries nothing.
    const mayTry = (each: Invalidation): boolean =>
      this.#ended || this.#refusing.mayTry(() => this.#partOf(each));
    this.#attemptAll(submitted, mayTry);
  }

  #attemptAll(
    invalidations: readonly Invalidation[],
    mayTry: (each: Invalidation) => boolean = () => true,
  ): void {
    const due = invalidations.filter((invalidation) => this.#isPending(invalidation));
    if (due.length > 0) this.#beginAll(due, this.#newBatch(mayTry), due);
  }

  #newBatch(mayTry: Batch['mayTry'], taken: Batch['taken'] = () => {}): Batch {
    let stored: Promise<void> | undefined;
    const tagsToken = (): Promise<void> => {
      stored ??= this.#twice(() => this.#port.storeTagsToken());
      return stored;
    };
    return { tagsToken, mayTry, taken };
  }

  /** Begins attempts, and announces some invalidations, and those that take another token. */
  #beginAll(
    invalidations: readonly Invalidation[],
    batch: Batch,
    announced: readonly Invalidation[],
  ): void {
    const renewed = invalidations.filter(({ wasTried, isStored }) => wasTried && !isStored);
    for (const each of renewed) each.renewToken();
    const published = this.#announce(new Set([...announced, ...renewed]));
    for (const each of invalidations) {
      each.hasFailed = false;
      each.attempt = this.#attempt(each, batch, published);
    }
  }

  async #attempt(
    invalidation: Invalidation,
    batch: Batch,
    published: Promise<void>,
  ): Promise<void> {
    try {
      if (!invalidation.isStored) await this.#inTurn(invalidation, batch);
    } catch (error) {
      if (this.#isPending(invalidation)) this.#port.failed(error); // Otherwise a later one has taken its place.
    }
    await published;
    await invalidation.renewal;
    if (!this.#isPending(invalidation)) return;
    const id = idOf(invalidation);
    this.#pending.delete(id);
    if (!isConfirmed(invalidation)) {
      invalidation.hasFailed = true;
      this.#pending.set(id, invalidation);
      this.#retryLater();
    } else if (this.#pending.size === 0) {
      this.#refusing.forget();
      this.#mayRun = CONCURRENCY.first;
    }
  }

  async #store(invalidation: Invalidation, batch: Batch): Promise<void> {
    const isFirst = !invalidation.wasTried;
    invalidation.wasTried = true;
    try {
      // Tokens of tags come after that of all tags. A load that reads the token of one tag can then see that it began too early.
      if (invalidation.kind === 'tag') await batch.tagsToken();
      await this.#twice(
        () => this.#port.store(invalidation),
        () => {
          const isPending = this.#isPending(invalidation);
          if (isPending) this.#renew(invalidation);
          return isPending;
        },
      );
    } catch (error) {
      if (isFirst && this.#isPending(invalidation)) {
        this.#refusing.refused(this.#partOf(invalidation));
      }
      throw error;
    }
    invalidation.isStored = true;
    this.#mayRun = Math.min(this.#mayRun + 1, CONCURRENCY.most);
    this.#refusing.taken(() => this.#partOf(invalidation));
    batch.taken(invalidation);
  }

  /**
   * The second time is for another process that has put its own token into the store in the meantime. A third token does as well, unless
   * it is that of an older `set`: it has come since the first time, so what is loaded under it is newer than the invalidation.
   */
  async #twice(put: () => Promise<ReadBack>, mayRepeat = () => true): Promise<void> {
    const first = await put();
    if (first.isOwn) return;
    if (mayRepeat()) {
      const { isOwn, token } = await put();
      if (isOwn || (token !== first.token && isOfLoadsAlone(token))) return;
    }
    throw notKept();
  }

  /** Has an invalidation take another token, and announces it together with the others of this turn. */
  #renew(invalidation: Invalidation): void {
    invalidation.renewToken();
    invalidation.renewal = this.#renewed.add(invalidation);
  }

  #partOf(invalidation: Invalidation): number {
    invalidation.part ??= this.#port.partOf(invalidation);
    return invalidation.part;
  }

  /** Sends messages about what the store or the bus has not confirmed: a receiver may have been away. */
  #announce(invalidations: Iterable<Invalidation>): Promise<void> {
    return this.#publish([...invalidations].filter((each) => !isConfirmed(each)));
  }

  async #publish(invalidations: readonly Invalidation[]): Promise<void> {
    if (invalidations.length === 0) return;
    const tokens = invalidations.map(({ token }) => token);
    try {
      await this.#port.publish(invalidations);
      for (const [at, each] of invalidations.entries()) each.notePublished(tokens[at] as string);
    } catch (error) {
      this.#port.failed(error);
    }
  }

  /** Limits how many are in the hands of the store. Of those that get no answers at present, only one asks it, now and then. */
  async #inTurn(invalidation: Invalidation, batch: Batch): Promise<void> {
    if (this.#port.mayStore(invalidation)) return this.#limited(invalidation, batch);
    const probe = this.#probes.begin(() => this.#store(invalidation, batch));
    if (probe !== undefined) return probe;
    await this.#probes.ended();
    this.#throwIfResting(invalidation);
    return this.#limited(invalidation, batch);
  }

  async #limited(invalidation: Invalidation, batch: Batch): Promise<void> {
    const mustWait = this.#running >= this.#mayRun;
    if (mustWait) await new Promise<void>((resolve) => this.#queue.push(resolve));
    else this.#running++;
    try {
      if (mustWait) this.#throwIfResting(invalidation);
      if (batch.mayTry(invalidation)) await this.#store(invalidation, batch);
    } finally {
      this.#running--;
      for (; this.#running < this.#mayRun && this.#queue.length > 0; this.#running++) {
        this.#queue.shift()?.();
      }
    }
  }

  #throwIfResting(invalidation: Invalidation): void {
    if (this.#port.mayStore(invalidation)) return;
    throw new SharedStoreError('The store gives no answers. The invalidation is tried again.');
  }

  // ── Retries ──

  #beginRound(): void {
    const failed = [...this.#pending.values()].filter(({ hasFailed }) => hasFailed);
    if (failed.length === 0) return;
    this.#refusing.beginRound();
    const round = new RetryRound(
      failed.filter(({ isStored }) => !isStored),
      (each) => this.#partOf(each),
      this.#turn,
    );
    const isAnnounced = this.#mayAnnounce();
    const begin = (retries: readonly Invalidation[], announced: readonly Invalidation[]): void => {
      const due = retries.filter((each) => each.hasFailed && this.#isPending(each));
      if (!this.#ended && due.length > 0) this.#beginAll(due, batch, announced);
    };
    const batch = this.#newBatch(
      () => true,
      (each) => begin(round.after(this.#partOf(each)), []),
    );
    const isInStore = ({ isStored, isPublished }: Invalidation): boolean =>
      isStored && (isAnnounced || isPublished);
    begin(
      [...failed.filter(isInStore), ...round.sample((part) => this.#refusing.takes(part))],
      isAnnounced ? failed : [],
    );
    this.#turn = round.turn;
    this.#retryLater();
  }

  /** Whether a round announces what is pending. If that is much, few do: an announcement counts for longer than ten rounds. */
  #mayAnnounce(): boolean {
    const every = this.#pending.size > MANY ? ANNOUNCING.many : ANNOUNCING.few;
    if (++this.#roundsSinceAnnouncement < every) return false;
    this.#roundsSinceAnnouncement = 0;
    return true;
  }

  #retryLater(): void {
    if (this.#ended || this.#retryTimer !== undefined) return;
    const again = (): void => {
      this.#retryTimer = undefined;
      this.#beginRound();
    };
    this.#retryTimer = runInOwnContext(() =>
      this.#clock.setTimer(again, RETRY_MILLIS, { background: true }),
    );
  }

  #stopTimer(): void {
    if (this.#retryTimer !== undefined) this.#clock.clearTimer(this.#retryTimer);
    this.#retryTimer = undefined;
  }
}

function idOf({ kind, what }: Pick<Invalidation, 'kind' | 'what'>): string {
  return `${kind} ${what}`;
}

function isConfirmed({ isStored, isPublished }: Invalidation): boolean {
  return isStored && isPublished;
}
