/** One observer's watch over the pools of all keys, those that are made later included. */
/// <reference lib="esnext.disposable" preserve="true" />
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

/** The watch over one keyed pool. */
export class KeyedWatch implements Observation {
  readonly kind = 'pool';
  readonly endedBy = 'close()';
  readonly name: string;
  readonly stats: () => Readonly<Record<string, number>>;
  readonly #observer: Observer;
  readonly #events: WatchedListeners;
  readonly #ended: () => void;
  readonly #watches = new Map<
    Watchable,
    { watch: Observation; part: ObserverOfPart | undefined }
  >();

  /** Whether the observer does not share the pools by itself. */
  get isMain(): boolean {
    return !sharesComponent(this.#observer);
  }

  /** `ended` is called once, at the end of the watch. */
  constructor(
    name: string,
    stats: () => Readonly<Record<string, number>>,
    observer: Observer,
    events: WatchedListeners,
    ended: () => void,
  ) {
    this.name = name;
    this.stats = stats;
    this.#observer = observer;
    this.#events = events;
    this.#ended = ended;
    if (this.isMain) {
      new ListenerWatch(new GuardedObserver(observer, `the keyed pool '${name}'`), events);
    }
  }

  /**
   * Watches the pool of another key. `key` names it in reports.
   *
   * @throws {@link AlreadyWatchedError} (`TENURE_ALREADY_WATCHED`) while another observer watches that pool.
   */
  add(pool: Watchable, key: string): void {
    const part = this.#observer.part?.(key);
    let watch: Observation;
    try {
      watch = pool[observe](part ?? this.#observer);
    } catch (error) {
      part?.[Symbol.dispose]();
      throw error;
    }
    part?.attached(watch);
    this.#watches.set(pool, { watch, part });
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

  [Symbol.dispose](): void {
    for (const { watch, part } of this.#watches.values()) {
      watch[Symbol.dispose]();
      part?.[Symbol.dispose]();
    }
    this.#watches.clear();
    if (this.isMain) this.#events.watch = null;
    this.#ended();
  }
}
