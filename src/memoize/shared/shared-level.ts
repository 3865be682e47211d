/**
 * The shared level behind a cache: read through before the function is called, written behind its back.
 *
 * ```
 *   miss ──▶ shared store ──has it──▶ result
 *                │ has not
 *                ▼
 *             cluster lock ──▶ shared store once more ──▶ function ──▶ result
 *                                                             └──▶ generations unchanged? ──▶ shared store
 * ```
 *
 * **No invalidated result is ever believed.** A store of values knows no transactions, so deleting is not enough: a load
 * that began before an invalidation may write after it. Each key, each tag and the cache itself therefore has a
 * generation, a random token in the store that an invalidation replaces. A result is written with the tokens that were
 * read before its load began, and believed only while they are the present ones, in whatever order reads and writes
 * arrive. Tokens that cannot be read make a result unbelievable, never believable, so a store that fails can only cost
 * a load. The tags of a result are known only after its load: it is not written if any tag was invalidated meanwhile.
 * The store may forget tokens of keys after a day, when no load can still be on its way; those of tags and of the
 * cache must stay, so do not let it evict what has no ttl.
 *
 * **The bus** makes other processes drop what they keep themselves. Whoever does not hear it trusts nothing of its own:
 * entries that were stored before the connection was lost, or by a load that began before it came back, are stale.
 *
 * **Failures** of store, bus and lock are counted and reported, and the function is called as if there were none of them.
 * An invalidation that did not reach the store or the bus is tried again, every second and before the store is next
 * believed.
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

/** What is published. */
interface Message {
  readonly from: string;
  readonly cache: string;
  readonly key?: string;
  readonly tags?: readonly string[];
}

/** How long the token of a key is kept: longer than any load. */
const TOKEN_MILLIS = 86_400_000;
/** What the caches of one name have in common. */
export class StoreBackedLevel implements SharedLevel {
  readonly #parts: SharedCacheSettings;
  readonly #cache: CacheIdentity;
  readonly #counters: CacheCounters;
  readonly #local: LocalLevel;
  readonly #id = globalThis.crypto.randomUUID();
  readonly #subscription: Disposable | undefined;
  readonly #store: StoreBreaker;
  readonly #outbox: InvalidationOutbox;
  /** What goes on behind the callers' backs. */
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
          `The cache '${this.#cache.name}' was called with something that means nothing in another process, such ` +
            'as an object or a receiver: give it a `key` that returns a string or a number. The call was not shared.',
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

  /** A load is over; `terms` are those on which its result was kept, if it was. Writes it and gives the lock back. */
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

  /** Whether what a load brought must not be trusted although it was just stored. */
  mustMarkStale(load: SharedLoad | undefined): boolean {
    if (!this.#connected) return true;
    return (
      load !== undefined && (load.connection !== this.#connection || load.lease?.lost === true)
    );
  }

  /** Sees to it that nobody is served a result from before now. */
  invalidate(keyArgs: readonly unknown[]): void {
    const key = encodeArgs(keyArgs);
    if (key !== undefined) void this.#invalidateKey(key, crypto.randomUUID());
  }

  /** The same, and shares a newer one. */
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

  /** The same for all results with one of these tags. */
  invalidateTags(tags: readonly string[]): void {
    void this.#submit(`tags ${JSON.stringify(tags)}`, { tags }, async () => {
      // In this order: who reads the new token of a tag has been told by that of all tags that his load began too early.
      await this.#store.set(this.#nameOf('tags', ''), crypto.randomUUID(), 0);
      for (const tag of tags)
        await this.#store.set(this.#nameOf('tag', tag), crypto.randomUUID(), 0);
    });
  }

  /** The same for all results. */
  invalidateAll(): void {
    void this.#submit('all', {}, () =>
      this.#store.set(this.#nameOf('cache', ''), crypto.randomUUID(), 0),
    );
  }

  /** Waits until what was invalidated and written has got through, or has failed. */
  async flush(): Promise<void> {
    await this.#outbox.deliver();
    await Promise.all(this.#background);
  }

  /** Hears and says nothing any more. */
  end(): void {
    this.#outbox.end();
    this.#subscription?.[Symbol.dispose]();
    this.#parts.store?.off?.('error', this.#failed);
  }

  /** Reads the present generations, and the result if it is to be believed. */
  async #read(load: SharedLoad, blindly: boolean): Promise<Envelope | undefined> {
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
      if (blindly) return undefined;
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

  /** Carries out an invalidation in the store, then tells the others; remembers it until both have succeeded. */
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
