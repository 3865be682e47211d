/**
 * The entries of a cache. Puts results and failures into the store in the form that their terms ask for. When an entry leaves,
 * updates its weight, its tags, its disposal and its node in the observer's heap.
 *
 * In a cache without `max`, a cursor finds the expired entries that no caller asks for again. It moves over a few entries with each
 * insertion. So there is no timer, no order among entries, and no long pause. An expired entry is kept for one round of the cursor at
 * most. With `max`, expired entries are evicted in their turn. `maxWeight` alone is not enough: what weighs nothing is never evicted.
 */
import { fractionFrom } from '../core/fraction.js';
import { isObject } from '../core/is-object.js';
import type { PendingNode } from '../core/pending-node.js';
import { writeStacks } from '../core/write-stacks.js';
import type { EvictEvent } from './cache-events.js';
import type { CacheRecorder } from './cache-recorder.js';
import type { CacheWatch } from './cache-watch.js';
import type { Disposals } from './disposal-port.js';
import type { EntryTerms } from './entry-terms.js';
import { argsOf, type Key, type KeyRef, keyOf, refOf } from './keys/key-trie.js';
import { MAX_BOUNDED_ENTRIES, type MemoizeSettings } from './memoize-options.js';
import { RetentionPolicy } from './retention-policy.js';
import type { FastState, ReadableMap } from './stores/fast-state.js';
import { LruStore } from './stores/lru-store.js';
import { MapStore } from './stores/map-store.js';
import { type Failure, type Lifetime, StagedEntry } from './stores/staged-entry.js';
import type { BoundedStore, RemovalCause, Store } from './stores/store.js';
import { Entry, isDead, isEntry, type Stored, storedFor } from './stores/stored.js';
import { TagIndex } from './tag-index.js';

const NO_ARGS: readonly unknown[] = [];

/** Times shorter than this, in milliseconds, are not rounded: a millisecond is a part of them that counts. */
const EXACT_BELOW = 100;

/** How many entries the cursor moves over with each insertion. At 1 it would never catch up with a growing store. */
const SWEEP_STRIDE = 3;

/** The entries of one cache. */
export class Entries {
  readonly store: Store;
  readonly retention: RetentionPolicy;
  readonly disposals: Disposals | undefined;
  /** The observer's watch over this cache, while there is one. */
  watch: CacheWatch | null = null;
  readonly #settings: MemoizeSettings;
  readonly #recorder: CacheRecorder;
  readonly #fast: FastState;
  readonly #bounded: BoundedStore | undefined;
  #tags: TagIndex | undefined = undefined;
  #weight = 0;
  /** How many entries have a weight above 0. Without one the weight is 0: sums of fractions are not exact. */
  #weighed = 0;
  /** The entries that have left and that listeners have not been told of. */
  #evicted: EvictEvent[] | undefined = undefined;
  #cursor: Iterator<KeyRef> | undefined = undefined;
  /** How many calls of {@link deferred} run. */
  #deferrals = 0;
  #registry: FinalizationRegistry<{ ref: KeyRef; entry: WeakRef<StagedEntry> }> | undefined =
    undefined;

  constructor(settings: MemoizeSettings, recorder: CacheRecorder, fast: FastState) {
    const { max, policy, dispose } = settings;
    this.#settings = settings;
    this.#recorder = recorder;
    this.#fast = fast;
    this.retention = new RetentionPolicy(settings);
    const onRemoved = (ref: KeyRef, stored: Stored, cause: RemovalCause): void =>
      this.#onRemoved(ref, stored, cause);
    if (max === Infinity) this.store = new MapStore(onRemoved, fast);
    else {
      this.#bounded = policy?.makeStore(max, onRemoved) ?? new LruStore(max, onRemoved, fast);
      this.store = this.#bounded;
      if (policy !== undefined) fast.setResults(this.store as ReadableMap<unknown>);
    }
    this.disposals = dispose?.attach(settings, recorder.counters);
  }

  /** The weight of all entries together. */
  get weight(): number {
    return this.#weight;
  }

  /**
   * Keeps a result, unless its terms say that this process does not. Callers get `result`; `settled` is the value that it has settled to.
   * Gives the entry.
   */
  put(
    key: Key,
    result: unknown,
    settled: unknown,
    terms: EntryTerms,
    pendingNode?: PendingNode,
  ): Stored {
    const { weight, tags, keptHere } = terms;
    const stored = this.#stored(result, settled, terms);
    if (weight > 0 && keptHere) this.#makeRoom(key, weight);
    if (!keptHere) this.store.delete(key, 'replaced');
    else if (this.store.set(key, stored)) {
      const ref = refOf(key);
      this.#weight += weight;
      if (weight > 0) this.#weighed++;
      this.#added(ref, tags, pendingNode);
      this.disposals?.entryAdded(ref, settled);
      if (this.#settings.weakValues) this.#register(ref, stored, settled);
    }
    this.tellOfRemovals();
    return stored;
  }

  /** Keeps a result in a cache of plain settings, under a key that has no entry. */
  add(key: Key, result: unknown): void {
    const terms = this.retention.ofResult(result, NO_ARGS);
    if (terms?.keptHere !== true) return;
    if (this.store.add(key, this.#stored(result, result, terms))) {
      this.watch?.entryAdded(refOf(key));
    }
  }

  /**
   * Keeps a failure, unless its terms say that this process does not. Gives the entry; `undefined` if a result is stored that may still be
   * served.
   */
  putFailure(key: Key, failure: unknown, how: Failure, error: unknown, terms: EntryTerms): Stored {
    const now = this.#settings.clock.now();
    const present = this.store.peek(key);
    if (present !== undefined && !isDead(present, now)) return undefined;
    this.#sweep(now);
    writeStacks(error);
    const entry = new StagedEntry(
      failure,
      error,
      { dueAt: Infinity, expiresAt: now + terms.ttl, staleUntil: 0, errorUntil: 0 },
      { failure: how },
    );
    if (terms.keptHere && this.store.set(key, entry)) this.#added(refOf(key), terms.tags);
    this.tellOfRemovals();
    return entry;
  }

  /**
   * Calls `work`, which removes entries. Their listeners and disposals are called afterwards: they may call the cache, and must find
   * no entry that is about to be removed, and no result disposed of that is about to be leased.
   */
  deferred<R>(work: () => R): R {
    this.#deferrals++;
    try {
      return work();
    } finally {
      this.#deferrals--;
      this.tellOfRemovals();
    }
  }

  /** Calls `remove`, which removes many entries and calls no foreign code. */
  together<R>(remove: () => R): R {
    return this.watch === null ? remove() : this.watch.removeTogether(remove);
  }

  /** Calls the listeners and the disposals of entries that have left. They may call the cache, so the store must be consistent. */
  tellOfRemovals(): void {
    if (this.#deferrals > 0) return;
    while (this.#evicted !== undefined) {
      const evicted = this.#evicted;
      this.#evicted = undefined;
      for (const event of evicted) this.#recorder.listeners?.emit('evict', event);
    }
    this.disposals?.disposeUnused();
  }

  /** Makes an entry stale in `millis`. */
  markStale(stored: Stored, millis: number): void {
    if (stored instanceof StagedEntry) stored.markStale(this.#settings.clock.now() + millis);
  }

  /** The stored value if it would answer a call; `undefined` otherwise. Removes an expired or collected entry. */
  servable(key: Key): Stored {
    const stored = this.store.peek(key);
    if (!isEntry(stored)) return stored;
    const now = this.#settings.clock.now();
    if (stored.isDead(now)) {
      this.removeDead(key, stored);
      return undefined;
    }
    if (!(stored instanceof StagedEntry)) return stored;
    return stored.failure === undefined && stored.isServable(now) ? stored : undefined;
  }

  /** Removes an entry that no call may be given any more. */
  removeDead(key: Key, entry: Entry): void {
    this.remove(key, causeOf(entry));
  }

  /** Removes an entry; false if there is none. */
  remove(key: Key, cause: RemovalCause): boolean {
    const removed = this.store.delete(key, cause);
    this.tellOfRemovals();
    return removed;
  }

  /** Removes all entries. Their results are disposed of by the next `disposeUnused`. */
  clear(): void {
    this.disposals?.allRemoved(); // Takes its entries from the watch, until their results are disposed of.
    this.watch?.allEntriesRemoved();
    this.store.clear();
    this.#cursor = undefined;
    this.#fast.setMixed(false);
    this.#weight = 0;
    this.#weighed = 0;
    this.#tags = undefined;
    this.#registry = undefined;
  }

  /** Gives the keys of the entries with one of these tags. The caller removes all of them: the tags no longer find them. */
  tagged(tags: readonly string[]): Key[] {
    return Array.from(this.#tags?.take(tags) ?? [], keyOf).filter((key) => key !== undefined);
  }

  /** All tags of all entries. */
  tags(): Iterable<string> {
    return this.#tags?.tags() ?? [];
  }

  /** The tags of an entry. */
  tagsOf(ref: KeyRef): ReadonlySet<string> | undefined {
    return this.#tags?.tagsOf(ref);
  }

  #stored(result: unknown, settled: unknown, terms: EntryTerms): Stored {
    const settings = this.#settings;
    if (!settings.expires && terms.ttl === Infinity) return this.#bareResult(result);
    if (!settings.expires) this.#fast.setMixed(true);
    const now = settings.clock.now();
    this.#sweep(now);
    const part =
      settings.jitter === 0 || terms.ttl < 0
        ? 1
        : 1 - settings.jitter * fractionFrom(settings.random);
    const expiresAt = timeAfter(now, terms.ttl * part);
    if (!settings.hasStages) return new Entry(result, expiresAt);
    const life: Lifetime = {
      dueAt: Math.min(expiresAt, timeAfter(now, settings.refreshAfter * part - (terms.age ?? 0))),
      expiresAt,
      staleUntil: expiresAt + settings.staleWhileRevalidate,
      errorUntil: expiresAt + settings.staleIfError,
    };
    return new StagedEntry(result, settled, life, {
      weight: terms.weight,
      weak: settings.weakValues && isObject(settled) ? settled : undefined,
      idleUntil: now + settings.idleTtl,
    });
  }

  /** Looks at the next few entries, and removes the dead ones among them. */
  #sweep(now: number): void {
    if (this.#settings.max < MAX_BOUNDED_ENTRIES) return;
    for (let step = 0; step < SWEEP_STRIDE; step++) {
      this.#cursor ??= this.store.present();
      const { value, done } = this.#cursor.next();
      if (done) {
        this.#cursor = undefined;
        return;
      }
      const key = keyOf(value);
      if (key === undefined) continue;
      const stored = this.store.peek(key);
      if (isEntry(stored) && stored.isDead(now)) this.store.delete(key, causeOf(stored));
    }
  }

  #added(ref: KeyRef, tags: ReadonlySet<string> | undefined, pendingNode?: PendingNode): void {
    this.watch?.entryAdded(ref, pendingNode);
    if (tags === undefined) return;
    this.#tags ??= new TagIndex();
    this.#tags.add(ref, tags);
  }

  #bareResult(result: unknown): Stored {
    if (result === undefined) this.#fast.setMixed(true);
    return storedFor(result);
  }

  /** Evicts entries until `weight` fits. If there is no room in place of the present entry, that one leaves first. */
  #makeRoom(key: Key, weight: number): void {
    const { maxWeight } = this.#settings;
    const present = this.store.peek(key);
    const freed = present instanceof StagedEntry ? present.weight : 0;
    if (this.#weight - freed + weight <= maxWeight) return;
    this.store.delete(key, 'replaced');
    while (this.#weight + weight > maxWeight && this.#bounded?.evict() === true);
  }

  #register(ref: KeyRef, stored: Stored, settled: unknown): void {
    if (!(stored instanceof StagedEntry) || !isObject(settled)) return;
    this.#registry ??= new FinalizationRegistry(({ ref: of, entry }) => {
      const key = keyOf(of);
      const collected = entry.deref();
      if (key === undefined || collected === undefined || this.store.peek(key) !== collected)
        return;
      this.remove(key, 'collected');
    });
    this.#registry.register(settled, { ref, entry: new WeakRef(stored) }, stored);
  }

  #onRemoved(ref: KeyRef, stored: Stored, cause: RemovalCause): void {
    if (cause !== 'explicit' && cause !== 'replaced') {
      if (this.#recorder.listeners?.has('evict') === true) {
        this.#evicted ??= [];
        this.#evicted.push({ args: argsOf(ref), cause });
      }
    }
    this.#forget(ref, stored, cause);
    if (stored === undefined) this.tellOfRemovals(); // The engine has collected it: no operation of the cache is running.
  }

  #forget(ref: KeyRef, stored: Stored, cause: RemovalCause): void {
    if (this.#settings.isPlain && this.watch === null && this.#tags === undefined) {
      this.#recorder.removed(cause, 0);
      return;
    }
    const isWeighed = this.#settings.weigh !== undefined && stored instanceof StagedEntry;
    const weight = isWeighed ? stored.weight : 0;
    if (weight > 0) this.#weight = --this.#weighed === 0 ? 0 : this.#weight - weight;
    this.#recorder.removed(cause, weight);
    this.#tags?.remove(ref);
    this.disposals?.entryRemoved(ref, cause);
    this.watch?.entryRemoved(ref);
    if (this.#registry !== undefined && stored instanceof StagedEntry) {
      this.#registry.unregister(stored);
    }
  }
}

/** Why an entry leaves that no call may be given any more. */
function causeOf(entry: Entry): RemovalCause {
  return entry instanceof StagedEntry && entry.collected ? 'collected' : 'expired';
}

/**
 * The time `millis` after `now`. Rounds down, because a fraction costs an entry 16 bytes more, and no lifetime may be lengthened.
 * A short time is exact.
 */
export function timeAfter(now: number, millis: number): number {
  return millis < EXACT_BELOW ? now + millis : Math.floor(now + millis);
}
