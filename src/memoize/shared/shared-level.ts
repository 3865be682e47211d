/**
 * The shared level behind a cache: a store is read before the function is called, and written in the background afterwards.
 *
 * ```
 *   miss ──▶ shared store ──found──▶ result
 *                │ not found
 *                ▼
 *             cluster lock ──▶ shared store once more ──▶ function ──▶ result
 *                                                             └──▶ generations unchanged? ──▶ shared store
 * ```
 *
 * ## Invalidation
 *
 * **An invalidated result is never used.** A store of values has no transactions, so a deletion is not enough: a load that began
 * before an invalidation may write its result afterwards. So each key, each tag and the cache itself has a generation: a random
 * token in the store, which an invalidation replaces.
 *
 * - A result is written with the tokens that were read before its load began. It is used only while they are still the present
 *   ones. So the order in which reads and writes reach the store does not matter.
 * - If tokens cannot be read, the result is not used. A store that fails costs a load, never a wrong result.
 * - The tags of a result are known only after its load. The result is not written if any tag was invalidated during the load.
 * - Tokens of keys expire after a day. By then no load that read them is still running. Tokens of tags and of the cache must
 *   stay, so the store must not evict values without a ttl.
 *
 * ## Bus
 *
 * A message on the bus makes the other processes drop their own entries. A process that is not connected does not trust its own
 * entries. When the connection is lost or restored, all entries become stale. So does the result of a load that began under an
 * earlier connection.
 *
 * ## Failures
 *
 * Failures of the store, the bus and the lock are counted and reported. The function is then called as it is without them. An
 * invalidation that did not reach the store or the bus is tried again: every second, and before the store is next read.
 */
import { systemClock } from '../../core/clock.js';
import type { CacheIdentity } from '../cache-identity.js';
import type { CacheCounters } from '../cache-recorder.js';
import type { ClusterLock } from '../cluster-lock.js';
import type { EntryTerms } from '../entry-terms.js';
import type { InvalidationBus } from '../invalidation-bus.js';
import type { LocalLevel, SharedLevel, SharedLoad, SharedLoadContext } from '../shared-port.js';
import type { SharedStore } from '../shared-store.js';
import { type Envelope, isEnvelope, tokenIn } from './envelope.js';
import { InvalidationOutbox } from './invalidation-outbox.js';
import { decodeArgs, encodeArgs } from './shared-key.js';
import { SharedStoreError } from './shared-store-error.js';
import { OPEN_MILLIS, StoreBreaker } from './store-breaker.js';

/** The outside systems of a shared cache. */
export interface SharedCacheSettings {
  readonly store: SharedStore | undefined;
  readonly storeTimeoutMillis: number;
  readonly bus: InvalidationBus | undefined;
  readonly lock: ClusterLock | undefined;
}

/** A message on the bus: one key, some tags, or the whole cache was invalidated. */
interface Message {
  readonly from: string;
  readonly cache: string;
  readonly key?: string;
  readonly tags?: readonly string[];
}

/** How long the token of a key is kept: longer than any load. */
const TOKEN_MILLIS = 86_400_000;

/** The shared level of one cache, over a store, a bus and a lock. */
export class StoreBackedLevel implements SharedLevel {
  readonly #parts: SharedCacheSettings;
  readonly #cache: CacheIdentity;
  readonly #counters: CacheCounters;
  readonly #local: LocalLevel;
  readonly #id = globalThis.crypto.randomUUID();
  readonly #subscription: Disposable | undefined;
  readonly #store: StoreBreaker;
  readonly #outbox: InvalidationOutbox;
  /** The work that runs in the background. */
  readonly #background = new Set<Promise<void>>();
  #connected: boolean;
  #connection = 0;
  #hasReportedKey = false;
  #lockOpenUntil = 0;

  constructor(
    parts: SharedCacheSettings,
    cache: CacheIdentity,
    counters: CacheCounters,
    local: LocalLevel,
  ) {
    this.#parts = parts;
    this.#cache = cache;
    this.#counters = counters;
    this.#local = local;
    const { bus, store } = parts;
    this.#store = new StoreBreaker(store, parts.storeTimeoutMillis);
    this.#outbox = new InvalidationOutbox((work) => this.#track(work));
    this.#connected = bus === undefined;
    store?.on?.('error', this.#failed);
    this.#subscription = bus?.subscribe({
      message: (text) => this.#receive(text),
      connected: (state) => this.#connect(state),
      error: this.#failed,
    });
  }

  /** Gets a result from the store, or from `compute`, with the cluster's lock if there is one. */
  async getOrCompute(
    context: SharedLoadContext,
    keyArgs: readonly unknown[] | undefined,
    forced: boolean,
    compute: () => unknown,
  ): Promise<unknown> {
    const encoded = keyArgs === undefined ? undefined : encodeArgs(keyArgs);
    if (encoded === undefined) {
      this.#failedOnce(
        new SharedStoreError(
          `The cache '${this.#cache.name}' was called with an argument that other processes cannot compare, such as an ` +
            'object or a receiver: give it a `key` that returns a string or a number. The call was not shared.',
        ),
      );
      return compute();
    }
    const load = this.#newLoad(encoded);
    context.shared = load;
    const found = await this.#read(load, forced);
    if (found !== undefined) return this.#useStored(load, context, found);
    const { lock } = this.#parts;
    const { name } = this.#cache;
    if (lock === undefined || systemClock.now() < this.#lockOpenUntil) return compute();
    try {
      load.lease = await lock.acquire(`${name}:${encoded}`);
    } catch (error) {
      this.#lockOpenUntil = systemClock.now() + OPEN_MILLIS;
      this.#failed(error);
      return compute();
    }
    const brought = await this.#read(load, forced);
    return brought === undefined ? compute() : this.#useStored(load, context, brought);
  }

  /** Writes the result of a load that has ended, if it was stored, and releases the lock. */
  loadEnded(load: SharedLoad, value: unknown, terms: EntryTerms | undefined): void {
    const { lease } = load;
    const wanted = terms !== undefined && !load.found && lease?.lost !== true;
    if (!wanted && lease === undefined) return;
    void this.#track(async () => {
      try {
        if (wanted) await this.#write(load, value, terms);
      } finally {
        await lease?.release();
      }
    });
  }

  /** Whether the entry that a load has just stored must be marked stale: this process may have missed an invalidation. */
  mustMarkStale(load: SharedLoad | undefined): boolean {
    if (!this.#connected) return true;
    return (
      load !== undefined && (load.connection !== this.#connection || load.lease?.lost === true)
    );
  }

  /** Invalidates one result in all processes. */
  invalidate(keyArgs: readonly unknown[]): void {
    const key = encodeArgs(keyArgs);
    if (key !== undefined) void this.#invalidateKey(key, crypto.randomUUID());
  }

  /** Invalidates one result in all processes, and writes a newer one. */
  replace(keyArgs: readonly unknown[], value: unknown, terms: EntryTerms | undefined): void {
    const key = encodeArgs(keyArgs);
    if (key === undefined) return;
    const token = crypto.randomUUID();
    const invalidated = this.#invalidateKey(key, token);
    if (terms === undefined) return;
    void this.#track(async () => {
      const load = this.#newLoad(key);
      await invalidated;
      await this.#read(load, true);
      if (load.generations?.key === token) await this.#write(load, value, terms);
    });
  }

  /** Invalidates the results with one of these tags in all processes. */
  invalidateTags(tags: readonly string[]): void {
    void this.#submit(`tags ${JSON.stringify(tags)}`, { tags }, async () => {
      // The token of all tags comes first. A load that reads the new token of one tag can then see that it began too early.
      await this.#store.set(this.#nameOf('tags', ''), crypto.randomUUID(), 0);
      for (const tag of tags)
        await this.#store.set(this.#nameOf('tag', tag), crypto.randomUUID(), 0);
    });
  }

  /** Invalidates all results in all processes. */
  invalidateAll(): void {
    void this.#submit('all', {}, () =>
      this.#store.set(this.#nameOf('cache', ''), crypto.randomUUID(), 0),
    );
  }

  /** Settles when all pending invalidations and writes have succeeded or failed. */
  async flush(): Promise<void> {
    await this.#outbox.deliver();
    await Promise.all(this.#background);
  }

  /** Disconnects the cache from the bus and the store. */
  end(): void {
    this.#outbox.end();
    this.#subscription?.[Symbol.dispose]();
    this.#parts.store?.off?.('error', this.#failed);
  }

  /** Reads the present tokens into the load. Returns the stored result if it is valid, unless `tokensOnly` is set. */
  async #read(load: SharedLoad, tokensOnly: boolean): Promise<Envelope | undefined> {
    if (!this.#store.exists) return undefined;
    load.generations = undefined;
    if (this.#store.isOpen) return undefined;
    try {
      if (this.#outbox.size > 0) await this.#outbox.deliver();
      if (this.#outbox.size > 0) return undefined;
      const [envelope, key, cache, tags] = await this.#store.get([
        this.#nameOf('entry', load.key),
        ...this.#generationNames(load.key),
      ]);
      load.generations = { key: tokenIn(key), cache: tokenIn(cache), tags: tokenIn(tags) };
      if (tokensOnly) return undefined;
      const good = await this.#validate(envelope, load.generations);
      if (good === undefined) this.#counters.sharedMisses++;
      return good;
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
  }

  async #validate(
    envelope: unknown,
    now: { readonly key: string; readonly cache: string },
  ): Promise<Envelope | undefined> {
    if (!isEnvelope(envelope)) return undefined;
    if (envelope.key !== now.key || envelope.cache !== now.cache) return undefined;
    if (envelope.until !== undefined && Date.now() >= envelope.until) return undefined;
    const tags = Object.entries(envelope.tags ?? {});
    if (tags.length === 0) return envelope;
    const tokens = await this.#store.get(tags.map(([tag]) => this.#nameOf('tag', tag)));
    return tags.every(([, token], at) => tokenIn(tokens[at]) === token) ? envelope : undefined;
  }

  #newLoad(key: string): SharedLoad {
    return {
      key,
      connection: this.#connection,
      generations: undefined,
      lease: undefined,
      found: false,
    };
  }

  #useStored(load: SharedLoad, context: SharedLoadContext, envelope: Envelope): unknown {
    this.#counters.sharedHits++;
    load.found = true;
    if (envelope.until !== undefined) context.ttl = Math.max(0, envelope.until - Date.now());
    if (envelope.tags !== undefined) context.tags = Object.keys(envelope.tags);
    return envelope.value;
  }

  async #write(load: SharedLoad, value: unknown, terms: EntryTerms): Promise<void> {
    const { generations: before, lease } = load;
    if (!this.#store.exists || before === undefined || terms.ttl <= 0) return;
    const tags = [...(terms.tags ?? [])];
    const [there, key, cache, all, ...tokens] = await this.#store.get([
      this.#nameOf('entry', load.key),
      ...this.#generationNames(load.key),
      ...tags.map((tag) => this.#nameOf('tag', tag)),
    ]);
    if (tokenIn(key) !== before.key || tokenIn(cache) !== before.cache) return;
    if (tags.length > 0 && tokenIn(all) !== before.tags) return;
    if (lease !== undefined) {
      const fencedOff =
        isEnvelope(there) && there.key === before.key && (there.fence ?? 0) > lease.fence;
      if (lease.lost || fencedOff) return;
    }
    const lasting = terms.ttl === Number.POSITIVE_INFINITY;
    const envelope: Envelope = {
      value,
      key: before.key,
      cache: before.cache,
      ...(lasting ? {} : { until: Date.now() + terms.ttl }),
      ...(tags.length === 0
        ? {}
        : { tags: Object.fromEntries(tags.map((tag, at) => [tag, tokenIn(tokens[at])])) }),
      ...(lease === undefined ? {} : { fence: lease.fence }),
    };
    const name = this.#nameOf('entry', load.key);
    await this.#store.set(name, envelope, lasting ? 0 : Math.ceil(terms.ttl));
    this.#counters.sharedWrites++;
  }

  #invalidateKey(key: string, token: string): Promise<void> {
    return this.#submit(`key ${key}`, { key }, async () => {
      await this.#store.set(this.#nameOf('key', key), token, TOKEN_MILLIS);
      await this.#store.delete(this.#nameOf('entry', key));
    });
  }

  /** Puts an invalidation into the outbox: it is carried out in the store, then published on the bus. */
  #submit(
    name: string,
    about: Omit<Message, 'from' | 'cache'>,
    inStore: () => Promise<void>,
  ): Promise<void> {
    const message: Message = { from: this.#id, cache: this.#cache.name, ...about };
    const work = async (): Promise<void> => {
      if (this.#store.exists) await inStore();
      await this.#store.inTime(this.#parts.bus?.publish(JSON.stringify(message)));
    };
    if (this.#outbox.isFull && name !== 'all') {
      this.#outbox.clear();
      this.invalidateAll();
      return Promise.resolve();
    }
    return this.#outbox.submit(name, work);
  }

  #receive(text: string): void {
    let message: Message;
    try {
      message = JSON.parse(text) as Message;
      if (message.from === this.#id || message.cache !== this.#cache.name) return;
      if (message.key !== undefined) this.#local.forgetHere(decodeArgs(message.key));
      else if (message.tags !== undefined) this.#local.forgetTagsHere(message.tags);
      else this.#local.forgetAllHere();
    } catch (error) {
      this.#failed(error);
    }
  }

  #connect(state: boolean): void {
    if (state === this.#connected) return;
    this.#connected = state;
    this.#connection++;
    this.#local.markAllStale();
    if (state && this.#outbox.size > 0) void this.#outbox.deliver();
  }

  #track(work: () => Promise<void>): Promise<void> {
    const tracked: Promise<void> = work()
      .catch(this.#failed)
      .finally(() => this.#background.delete(tracked));
    this.#background.add(tracked);
    return tracked;
  }

  readonly #failed = (error: unknown): void => {
    this.#counters.sharedErrors++;
    const { onError, name } = this.#cache;
    onError(error, `the shared level of the cache '${name}'`);
  };

  #failedOnce(error: SharedStoreError): void {
    if (!this.#hasReportedKey) this.#failed(error);
    this.#hasReportedKey = true;
  }

  #generationNames(key: string): string[] {
    return [this.#nameOf('key', key), this.#nameOf('cache', ''), this.#nameOf('tags', '')];
  }

  #nameOf(kind: 'entry' | 'key' | 'tag' | 'tags' | 'cache', what: string): string {
    return `${this.#cache.name}:${kind}:${what}`;
  }
}
