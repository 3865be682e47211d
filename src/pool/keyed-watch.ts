/** One observer's watch over the pools of all keys, those that are made later included. */
/// <reference lib="esnext.disposable" preserve="true" />
import { guardedCall } from '../core/guarded-call.js';
import { GuardedObserver } from '../core/guarded-observer.js';
import { ListenerWatch, type WatchedListeners } from '../core/listener-watch.js';
import {
  type NodeId,
  type Observation,
  type Observer,
  type ObserverOfPart,
  observe,
  sharesComponent,
  type Watchable,
} from '../core/probe.js';
import { hasTimeLeft, runLater } from '../core/slices.js';

/** A pool takes about as long to be watched as this many nodes to be reported. */
const POOL_IN_NODES = 32;

/** How many pools are let go at once when a watch ends, so that none is left of a few. */
const POOLS_AT_ONCE = 16;

/** The pool of one key. `label` names the key in reports. */
export interface KeyedMember {
  readonly pool: Watchable;
  readonly label: string;
}

/** The watch over one keyed pool. */
export class KeyedWatch implements Observation {
  readonly kind = 'pool';
  readonly endedBy = 'close()';
  readonly hasParts = true;
  readonly name: string;
  readonly stats: () => Readonly<Record<string, number>>;
  readonly maxTotal: () => number;
  readonly #observer: Observer;
  readonly #events: WatchedListeners;
  readonly #ended: () => void;
  readonly #watches = new Map<
    Watchable,
    { watch: Observation; part: ObserverOfPart | undefined }
  >();
  /** Pools that could not be watched: each is tried once. */
  readonly #refused = new WeakSet<Watchable>();
  /** The pools that existed before the watch; `undefined` when all of them are watched. */
  #present: Iterator<KeyedMember> | undefined;

  /** Whether the observer does not share the pools by itself. */
  get isMain(): boolean {
    return !sharesComponent(this.#observer);
  }

  /**
   * `present` gives the pools that exist, as a Map does that changes meanwhile. They are watched by {@link reportPresent}. `ended` is
   * called once, at the end of the watch.
   */
  constructor(
    name: string,
    stats: () => Readonly<Record<string, number>>,
    maxTotal: () => number,
    observer: Observer,
    events: WatchedListeners,
    present: Iterator<KeyedMember>,
    ended: () => void,
  ) {
    this.name = name;
    this.stats = stats;
    this.maxTotal = maxTotal;
    this.#observer = observer;
    this.#events = events;
    this.#present = present;
    this.#ended = ended;
    if (this.isMain) {
      new ListenerWatch(new GuardedObserver(observer, `the keyed pool '${name}'`), events);
    }
  }

  /** Whether pools that existed before are not watched yet. */
  get isIncomplete(): boolean {
    return this.#present !== undefined;
  }

  /** Watches the pools that existed before: as many as take no longer than `most` nodes. True while there are more. */
  reportPresent(most: number): boolean {
    for (let nodes = 0; nodes < most && this.#present !== undefined; nodes += POOL_IN_NODES) {
      const next = this.#present.next();
      if (next.done === true) this.#present = undefined;
      else this.addPresent(next.value);
    }
    return this.isIncomplete;
  }

  /** Watches a pool that existed before. Why it cannot be watched is printed: a caller that leases of it must not be told instead. */
  addPresent(member: KeyedMember): void {
    guardedCall(`the watch of ${member.label}`, () => this.add(member));
  }

  /**
   * Watches the pool of a key, unless that was tried before.
   *
   * @throws {@link AlreadyWatchedError} (`TENURE_ALREADY_WATCHED`) while another observer watches that pool.
   */
  add({ pool, label }: KeyedMember): void {
    if (this.#watches.has(pool) || this.#refused.has(pool)) return;
    const part = this.#observer.part?.(label);
    let watch: Observation;
    try {
      watch = pool[observe](part ?? this.#observer);
    } catch (error) {
      this.#refused.add(pool);
      part?.[Symbol.dispose]();
      throw error;
    }
    this.#watches.set(pool, { watch, part });
    if (part === undefined) watch.reportPresent?.(Number.POSITIVE_INFINITY);
    else part.attached(watch);
  }

  /** Reports that no pool lends anything any more. */
  componentEnded(): void {
    this.#observer.freed(this.#observer.root);
  }

  /** Forgets the pool of a key, which is closed. */
  remove(pool: Watchable): void {
    this.#watches.get(pool)?.part?.[Symbol.dispose]();
    this.#watches.delete(pool);
  }

  /** Tells the pools of a loan that no code can end any more. One of them knows it. */
  abandoned(loan: NodeId): void {
    for (const { watch, part } of this.#watches.values()) {
      if (part === undefined) watch.abandoned?.(loan);
    }
  }

  /** Ends the watch: at once for the observer, and in slices for the pools, if their observers say that they have ended. */
  [Symbol.dispose](): void {
    this.#present = undefined;
    if (this.isMain) this.#events.watch = null;
    this.#ended();
    this.#endSome();
  }

  #endSome(): void {
    let ended = 0;
    for (const [pool, { watch, part }] of this.#watches) {
      if (part?.hasEnded === true && ended >= POOLS_AT_ONCE && !hasTimeLeft()) {
        runLater(() => this.#endSome(), undefined);
        return;
      }
      ended++;
      this.#watches.delete(pool);
      watch[Symbol.dispose]();
      part?.[Symbol.dispose]();
    }
  }
}
