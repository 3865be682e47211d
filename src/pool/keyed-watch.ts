/** One observer's watch over the pools of all keys, those that are made later included. */
/// <reference lib="esnext.disposable" preserve="true" />
import {
  type NodeId,
  type Observation,
  type Observer,
  observe,
  type Watchable,
} from '../core/probe.js';

/** The watch over one keyed pool. */
export class KeyedWatch implements Observation {
  readonly kind = 'pool';
  readonly name: string;
  readonly stats: () => Readonly<Record<string, number>>;
  readonly #observer: Observer;
  readonly #ended: () => void;
  readonly #watches = new Map<Watchable, Observation>();

  /** `ended` is called once, at the end of the watch. */
  constructor(
    name: string,
    stats: () => Readonly<Record<string, number>>,
    observer: Observer,
    ended: () => void,
  ) {
    this.name = name;
    this.stats = stats;
    this.#observer = observer;
    this.#ended = ended;
  }

  /**
   * Watches the pool of another key.
   *
   * @throws {@link AlreadyWatchedError} (`TENURE_ALREADY_WATCHED`) while another observer watches that pool.
   */
  add(pool: Watchable): void {
    this.#watches.set(pool, pool[observe](this.#observer));
  }

  /** Forgets the pool of a key, which is closed. */
  remove(pool: Watchable): void {
    this.#watches.delete(pool);
  }

  /** Tells the pools of a loan that no code can end any more. One of them knows it. */
  abandoned(loan: NodeId): void {
    for (const watch of this.#watches.values()) watch.abandoned?.(loan);
  }

  [Symbol.dispose](): void {
    for (const watch of this.#watches.values()) watch[Symbol.dispose]();
    this.#watches.clear();
    this.#ended();
  }
}
