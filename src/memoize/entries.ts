/**
 * What is kept, and on which terms. The shelf decides whether and for how long a result stays, files it in the store,
 * and settles everything that hangs on an entry when it goes: its weight, its tags, its disposal, its node in the
 * observer's heap.
 *
 * The terms are drawn up before a load ends its flight: the callbacks that they come from are the user's and may
 * invalidate the very load that they are asked about.
 */
import { InvalidArgumentError } from '../core/errors.js';
import type { CacheCounters } from './cache-counters.js';
import type { CacheWatch } from './cache-watch.js';
import { DisposalTracker } from './disposal-tracker.js';
import type { EntryOptions } from './entry-options.js';
import type { EntryTerms } from './entry-terms.js';
import { isObject } from './keys/key-level.js';
import { type Key, type KeyRef, keyOf, refOf } from './keys/key-trie.js';
import type { Callback, MemoizeSettings } from './memoize-options.js';
import type { FastState } from './stores/fast-state.js';
import { LruStore } from './stores/lru-store.js';
import { MapStore } from './stores/map-store.js';
import { S3FifoStore } from './stores/s3-fifo-store.js';
import { type Failure, type Lifetime, StagedEntry } from './stores/staged-entry.js';
import type { BoundedStore, OnRemoved, RemovalCause, Store } from './stores/store.js';
import { Entry, isDead, type Stored, storedFor } from './stores/stored.js';
import { TagIndex } from './tag-index.js';

/** The entries of one cache. */
export class Entries {
  readonly store: Store;
  readonly disposals: DisposalTracker | undefined;
  /** The watch over this cache, while there is one. */
  watch: CacheWatch | null = null;
  readonly #settings: MemoizeSettings;
  readonly #counters: CacheCounters;
  readonly #fast: FastState;
  readonly #bounded: BoundedStore | undefined;
  /** The terms of a result that nothing is asked about. */
  readonly #defaultTerms: EntryTerms;
  #tags: TagIndex | undefined = undefined;
  #weight = 0;
  #registry: FinalizationRegistry<{ ref: KeyRef; entry: WeakRef<StagedEntry> }> | undefined =
    undefined;

  constructor(settings: MemoizeSettings, counters: CacheCounters, fast: FastState) {
    this.#settings = settings;
    this.#fast = fast;
    const { ttl } = settings;
    this.#defaultTerms = {
      ttl: typeof ttl === 'number' ? ttl : Infinity,
      tags: undefined,
      weight: 0,
    };
    this.#counters = counters;
    const onRemoved: OnRemoved = (ref, stored, cause) => this.#onRemoved(ref, stored, cause);
    const { max, maxWeight } = settings;
    if (max === Number.POSITIVE_INFINITY && maxWeight === Number.POSITIVE_INFINITY) {
      this.store = new MapStore(onRemoved, fast);
    } else {
      this.#bounded =
        settings.policy === 's3-fifo'
          ? new S3FifoStore(max, onRemoved)
          : new LruStore(max, onRemoved, fast);
      this.store = this.#bounded;
    }
    this.disposals =
      settings.dispose === false ? undefined : new DisposalTracker(settings, counters);
  }

  /** What all entries weigh. */
  get weight(): number {
    return this.#weight;
  }

  /** On which terms a result is to be kept; `undefined` if it is not. What a callback throws is reported. */
  decideTerms(
    settled: unknown,
    args: readonly unknown[],
    own?: EntryOptions,
  ): EntryTerms | undefined {
    const settings = this.#settings;
    if (settings.max === 0) return undefined;
    if (own === undefined && !settings.asksCallbacks) return this.#defaultTerms;
    try {
      if (settings.cacheIf?.(settled, ...args) === false) return undefined;
      const weight = settings.weigh?.(settled, ...args) ?? 0;
      if (!(weight >= 0)) throw malformed('weigh', 'a number ≥ 0', weight);
      if (weight > settings.maxWeight) return undefined;
      return {
        ttl: own?.ttl ?? millisFrom('ttl', settings.ttl, settled, args),
        tags: this.#tagsFrom(settled, args, own),
        weight,
      };
    } catch (error) {
      settings.onError(error, `the terms of a result of the cache '${settings.name}'`);
      return undefined;
    }
  }

  /** Keeps a result; `result` is what callers are given, `settled` what it has settled to. */
  put(key: Key, result: unknown, settled: unknown, terms: EntryTerms): void {
    const stored = this.#stored(result, settled, terms);
    if (stored instanceof StagedEntry && stored.weight > 0) this.#makeRoom(key, stored.weight);
    if (this.store.set(key, stored)) {
      const ref = refOf(key);
      this.#weight += terms.weight;
      this.watch?.entryAdded(ref);
      this.disposals?.entryAdded(ref, settled);
      if (terms.tags !== undefined) {
        this.#tags ??= new TagIndex();
        this.#tags.add(ref, terms.tags);
      }
      if (this.#settings.weakValues) this.#register(ref, stored, settled);
    }
    this.disposals?.disposeUnused();
  }

  /** Keeps a result in a cache of simple settings, under a key under which there is nothing. */
  add(key: Key, result: unknown): void {
    if (this.#settings.max === 0) return;
    const stored = this.#stored(result, result, this.#defaultTerms);
    if (this.store.add(key, stored)) this.watch?.entryAdded(refOf(key));
  }

  /** Keeps a failure for as long as `negativeTtl` says, unless there is a result that is better than none. */
  putFailure(
    key: Key,
    failure: unknown,
    how: Failure,
    error: unknown,
    args: readonly unknown[],
  ): void {
    const { negativeTtl, clock, onError, name, max } = this.#settings;
    if (negativeTtl === 0 || max === 0) return;
    try {
      const ttl = millisFrom('negativeTtl', negativeTtl, error, args);
      const now = clock.now();
      const there = this.store.peek(key);
      if (ttl === 0 || (there !== undefined && !isDead(there, now))) return;
      const life = { refreshAt: Infinity, expiresAt: now + ttl, staleUntil: 0, errorUntil: 0 };
      this.store.sweep(now);
      const entry = new StagedEntry(failure, error, life, { failure: how });
      if (this.store.set(key, entry)) this.watch?.entryAdded(refOf(key));
    } catch (thrown) {
      onError(thrown, `the negativeTtl of the cache '${name}'`);
    }
    this.disposals?.disposeUnused();
  }

  /** Makes an entry stale. */
  markStale(key: Key): void {
    const stored = this.store.peek(key);
    if (stored instanceof StagedEntry) stored.markStale(this.#settings.clock.now());
  }

  /** Removes an entry; false for none. */
  remove(key: Key, cause: RemovalCause): boolean {
    const removed = this.store.delete(key, cause);
    this.disposals?.disposeUnused();
    return removed;
  }

  /** Removes everything; the results are disposed of when the custody is settled. */
  clear(): void {
    if (this.watch !== null)
      for (const ref of this.store.refs()) this.watch.entryRemoved(ref);
    this.store.clear();
    this.#fast.storesBareResults = !this.#settings.expires;
    this.#weight = 0;
    this.#tags = undefined;
    this.#registry = undefined;
    this.disposals?.allRemoved();
  }

  /** The keys of the entries with one of these tags. */
  tagged(tags: readonly string[]): Key[] {
    const refs = this.#tags?.tagged(tags) ?? [];
    return [...refs].map(keyOf).filter((key) => key !== undefined);
  }

  /** The tags of an entry. */
  tagsOf(ref: KeyRef): ReadonlySet<string> | undefined {
    return this.#tags?.tagsOf(ref);
  }

  #stored(result: unknown, settled: unknown, terms: EntryTerms): Stored {
    const settings = this.#settings;
    if (!settings.expires && terms.ttl === Number.POSITIVE_INFINITY)
      return this.#bareResult(result);
    this.#fast.endBareResults();
    const now = settings.clock.now();
    this.store.sweep(now);
    const part = settings.jitter === 0 ? 1 : 1 - settings.jitter * settings.random();
    const expiresAt = Math.ceil(now + terms.ttl * part); // A fraction costs an entry 16 bytes more.
    if (!settings.hasStages) return new Entry(result, expiresAt);
    const life: Lifetime = {
      refreshAt: now + settings.refreshAfter * part,
      expiresAt,
      staleUntil: expiresAt + settings.staleWhileRevalidate,
      errorUntil: expiresAt + settings.staleIfError,
    };
    const { weight } = terms;
    return settings.weakValues && isObject(settled)
      ? new StagedEntry(result, settled, life, { weight, weak: settled })
      : new StagedEntry(result, settled, life, { weight });
  }

  #bareResult(result: unknown): Stored {
    if (result === undefined) this.#fast.endBareResults();
    return storedFor(result);
  }

  #tagsFrom(
    settled: unknown,
    args: readonly unknown[],
    own: EntryOptions | undefined,
  ): ReadonlySet<string> | undefined {
    const { tags } = this.#settings;
    if (tags === undefined && own?.tags === undefined) return undefined;
    const all = new Set([...(tags?.(settled, ...args) ?? []), ...(own?.tags ?? [])]);
    for (const tag of all) if (typeof tag !== 'string') throw malformed('tags', 'strings', tag);
    return all.size === 0 ? undefined : all;
  }

  /** What is replaced goes first: nothing is evicted for its sake. */
  #makeRoom(key: Key, weight: number): void {
    const { maxWeight } = this.#settings;
    if (this.#weight + weight <= maxWeight) return;
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
      this.store.delete(key, 'collected');
    });
    this.#registry.register(settled, { ref, entry: new WeakRef(stored) }, stored);
  }

  #onRemoved(ref: KeyRef, stored: Stored, cause: RemovalCause): void {
    if (this.#settings.isPlain && this.watch === null && this.#tags === undefined) {
      this.#counters.removed(cause, 0);
      return;
    }
    const weighed = this.#settings.weigh !== undefined && stored instanceof StagedEntry;
    const weight = weighed ? stored.weight : 0;
    this.#weight -= weight;
    this.#counters.removed(cause, weight);
    this.#tags?.remove(ref);
    this.disposals?.entryRemoved(ref, cause);
    this.watch?.entryRemoved(ref);
    if (cause === 'collected') this.disposals?.disposeUnused(); // Nobody's operation, so nobody else does.
    if (this.#registry !== undefined && stored instanceof StagedEntry)
      this.#registry.unregister(stored);
  }
}

function millisFrom(
  option: string,
  given: number | Callback<number>,
  value: unknown,
  args: readonly unknown[],
): number {
  if (typeof given === 'number') return given;
  const millis = given(value, ...args);
  if (!(millis >= 0)) throw malformed(option, 'a number of milliseconds ≥ 0', millis);
  return millis;
}

function malformed(option: string, expected: string, got: unknown): Error {
  return new InvalidArgumentError(
    `memoize: \`${option}\` must give ${expected}, it gave ${String(got)}.`,
  );
}
