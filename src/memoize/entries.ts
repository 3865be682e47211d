/**
 * The entries of a cache. Decides whether and for how long a result is kept, and puts it into the store. When an entry leaves,
 * updates its weight, its tags, its disposal and its node in the observer's heap.
 *
 * The terms of a result are decided before its load ends. They come from the user's callbacks, which may invalidate the
 * very load that they are asked about.
 */
import { InvalidArgumentError } from '../core/errors.js';
import type { CacheRecorder } from './cache-recorder.js';
import type { CacheWatch } from './cache-watch.js';
import type { Disposals } from './disposal-port.js';
import type { EntryOptions } from './entry-options.js';
import type { EntryTerms } from './entry-terms.js';
import { isObject } from './keys/key-level.js';
import { argsOf, type Key, type KeyRef, keyOf, refOf } from './keys/key-trie.js';
import type { Callback, MemoizeSettings } from './memoize-options.js';
import type { FastState } from './stores/fast-state.js';
import { LruStore } from './stores/lru-store.js';
import { MapStore } from './stores/map-store.js';
import { type Failure, type Lifetime, StagedEntry } from './stores/staged-entry.js';
import type { BoundedStore, RemovalCause, Store } from './stores/store.js';
import { Entry, isDead, type Stored, storedFor } from './stores/stored.js';
import { TagIndex } from './tag-index.js';

/** The entries of one cache. */
export class Entries {
  readonly store: Store;
  readonly disposals: Disposals | undefined;
  /** The observer's watch over this cache, while there is one. */
  watch: CacheWatch | null = null;
  readonly #settings: MemoizeSettings;
  readonly #recorder: CacheRecorder;
  readonly #fast: FastState;
  readonly #bounded: BoundedStore | undefined;
  /** The terms of a result that no callback is asked about. */
  readonly #defaultTerms: EntryTerms;
  #tags: TagIndex | undefined = undefined;
  #weight = 0;
  #registry: FinalizationRegistry<{ ref: KeyRef; entry: WeakRef<StagedEntry> }> | undefined =
    undefined;

  constructor(settings: MemoizeSettings, recorder: CacheRecorder, fast: FastState) {
    const { max, maxWeight, policy, ttl, dispose } = settings;
    this.#settings = settings;
    this.#recorder = recorder;
    this.#fast = fast;
    this.#defaultTerms = {
      ttl: typeof ttl === 'number' ? ttl : Infinity,
      tags: undefined,
      weight: 0,
    };
    const onRemoved = (ref: KeyRef, stored: Stored, cause: RemovalCause): void =>
      this.#onRemoved(ref, stored, cause);
    if (max === Infinity && maxWeight === Infinity) this.store = new MapStore(onRemoved, fast);
    else {
      this.#bounded = policy?.makeStore(max, onRemoved) ?? new LruStore(max, onRemoved, fast);
      this.store = this.#bounded;
    }
    this.disposals = dispose?.attach(settings, recorder.counters);
  }

  /** The weight of all entries together. */
  get weight(): number {
    return this.#weight;
  }

  /** The terms on which a result is kept; `undefined` if it is not kept. Reports an error of a callback. */
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

  /** Keeps a result. Callers get `result`; `settled` is the value that it has settled to. */
  put(key: Key, result: unknown, settled: unknown, terms: EntryTerms): void {
    const { weight, tags } = terms;
    const stored = this.#stored(result, settled, terms);
    if (weight > 0) this.#makeRoom(key, weight);
    if (this.store.set(key, stored)) {
      const ref = refOf(key);
      this.#weight += weight;
      this.watch?.entryAdded(ref);
      this.disposals?.entryAdded(ref, settled);
      if (tags !== undefined) {
        this.#tags ??= new TagIndex();
        this.#tags.add(ref, tags);
      }
      if (this.#settings.weakValues) this.#register(ref, stored, settled);
    }
    this.disposals?.disposeUnused();
  }

  /** Keeps a result in a cache of plain settings, under a key that has no entry. */
  add(key: Key, result: unknown): void {
    if (this.#settings.max === 0) return;
    const stored = this.#stored(result, result, this.#defaultTerms);
    if (this.store.add(key, stored)) this.watch?.entryAdded(refOf(key));
  }

  /** Keeps a failure for `negativeTtl`, unless a result is stored that may still be served. */
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
      const present = this.store.peek(key);
      if (ttl === 0 || (present !== undefined && !isDead(present, now))) return;
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

  /** Removes an entry; false if there is none. */
  remove(key: Key, cause: RemovalCause): boolean {
    const removed = this.store.delete(key, cause);
    this.disposals?.disposeUnused();
    return removed;
  }

  /** Removes all entries. Their results are disposed of by the next `disposeUnused`. */
  clear(): void {
    if (this.watch !== null) for (const ref of this.store.refs()) this.watch.entryRemoved(ref);
    this.store.clear();
    this.#fast.setMixed(false);
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
    if (!settings.expires && terms.ttl === Infinity) return this.#bareResult(result);
    if (!settings.expires) this.#fast.setMixed(true);
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
    return new StagedEntry(
      result,
      settled,
      life,
      settings.weakValues && isObject(settled) ? { weight, weak: settled } : { weight },
    );
  }

  #bareResult(result: unknown): Stored {
    if (result === undefined) this.#fast.setMixed(true);
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

  /** Evicts entries until `weight` fits. The entry that is replaced leaves first. */
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
    const { listeners } = this.#recorder;
    if (cause !== 'explicit' && cause !== 'replaced' && listeners?.has('evict') === true) {
      listeners.emit('evict', { args: argsOf(ref), cause });
    }
    if (this.#settings.isPlain && this.watch === null && this.#tags === undefined) {
      this.#recorder.removed(cause, 0);
      return;
    }
    const isWeighed = this.#settings.weigh !== undefined && stored instanceof StagedEntry;
    const weight = isWeighed ? stored.weight : 0;
    this.#weight -= weight;
    this.#recorder.removed(cause, weight);
    this.#tags?.remove(ref);
    this.disposals?.entryRemoved(ref, cause);
    this.watch?.entryRemoved(ref);
    if (cause === 'collected') this.disposals?.disposeUnused(); // No operation of the cache is running that would do it.
    if (this.#registry !== undefined && stored instanceof StagedEntry) {
      this.#registry.unregister(stored);
    }
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
    `memoize: \`${option}\` must return ${expected}, it returned ${String(got)}.`,
  );
}
