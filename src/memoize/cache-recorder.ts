/** Counts the events of a cache for `cacheInfo`, and emits them to listeners. `FastState` counts the hits. */
import { EventListeners } from '../core/event-listeners.js';
import type { ListenerWatch, WatchedListeners } from '../core/listener-watch.js';
import { CACHE_EVENTS, type CacheEventMap } from './cache-events.js';
import type { RemovalCause } from './stores/store.js';

/** The counters of one cache. They never decrease. */
export class CacheCounters {
  misses = 0;
  joins = 0;
  staleHits = 0;
  loads = 0;
  loadFailures = 0;
  loadMillis = 0;
  refreshes = 0;
  refreshFailures = 0;
  evictions = 0;
  evictedWeight = 0;
  expirations = 0;
  collected = 0;
  disposals = 0;
  disposeFailures = 0;
  sharedHits = 0;
  sharedMisses = 0;
  sharedWrites = 0;
  sharedErrors = 0;
  sharedRejects = 0;
  sharedFailures = 0;
}

/** The counters and the listeners of one cache. */
export class CacheRecorder implements WatchedListeners {
  readonly counters: CacheCounters = new CacheCounters();
  /** `null` until the first listener is added. */
  listeners: EventListeners<CacheEventMap> | null = null;
  /** How many arguments of a call its listeners get. */
  argsOfEvents = Infinity;
  #watch: ListenerWatch | null = null;

  /** The listeners, made on first use. */
  get events(): EventListeners<CacheEventMap> {
    if (this.listeners === null) {
      this.listeners = new EventListeners<CacheEventMap>('a cache', CACHE_EVENTS);
      this.listeners.watch = this.#watch;
    }
    return this.listeners;
  }

  /** How many listeners there are. O(events). */
  get size(): number {
    return this.listeners?.size ?? 0;
  }

  get watch(): ListenerWatch | null {
    return this.#watch;
  }

  set watch(watch: ListenerWatch | null) {
    this.#watch = watch;
    if (this.listeners !== null) this.listeners.watch = watch;
  }

  /** Tells the listeners of a call. They get a list of their own: a listener that changes it does not change the call. */
  called(event: 'hit' | 'miss' | 'stale', args: readonly unknown[]): void {
    this.listeners?.emit(event, { args: args.slice(0, this.argsOfEvents) });
  }

  missed(args: readonly unknown[]): void {
    this.counters.misses++;
    this.called('miss', args);
  }

  loaded(value: unknown, millis: number): void {
    this.counters.loads++;
    this.counters.loadMillis += millis;
    this.listeners?.emit('load', { value, millis });
  }

  loadFailed(error: unknown, millis: number): void {
    this.counters.loadFailures++;
    this.counters.loadMillis += millis;
    this.listeners?.emit('error', { error });
  }

  /** Counts callers that got a result past its `ttl`. */
  servedStale(args: readonly unknown[], callers: number = 1): void {
    this.counters.staleHits += callers;
    for (let caller = 0; caller < callers; caller++) this.called('stale', args);
  }

  /** Counts an entry that has left the cache. */
  removed(cause: RemovalCause, weight: number): void {
    const { counters } = this;
    if (cause === 'size') {
      counters.evictions++;
      counters.evictedWeight += weight;
    } else if (cause === 'expired') counters.expirations++;
    else if (cause === 'collected') counters.collected++;
  }
}
