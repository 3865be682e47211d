/**
 * The shared level behind a cache: a store is read before the function is called, and written in the background afterwards.
 *
 * ```
 *   miss ──▶ shared store ──found──▶ result
 *                │ not found
 *                ▼
 *             cluster lock ──▶ shared store once more ──▶ function ──▶ result
 *                                                             └──▶ tokens unchanged? ──▶ shared store
 * ```
 *
 * `docs/design/shared-cache.md` tells the protocol, and what each guard is for. `shared-loads.ts` takes the steps of a load,
 * `shared-results.ts` reads and writes results, `shared-sets.ts` writes given values, `invalidation-outbox.ts` delivers invalidations,
 * `announcements.ts` remembers those of other processes, and `store-access.ts` has the breaker.
 */
import type { Clock } from '../../core/clock.js';
import { isError } from '../../core/is-error.js';
import type { CacheIdentity } from '../cache-identity.js';
import type { CacheCounters } from '../cache-recorder.js';
import type { ClusterLease, ClusterLock } from '../cluster-lock.js';
import type { EntryTerms } from '../entry-terms.js';
import type { InvalidationBus } from '../invalidation-bus.js';
import { decodeArgs, encodeArgs } from '../keys/encoded-args.js';
import type { ResultOrigin } from '../result-origin.js';
import type {
  LoadOutcome,
  LoadPurpose,
  LocalLevel,
  SharedLevel,
  SharedLoad,
  SharedLoadContext,
  SharedState,
} from '../shared-port.js';
import { Announcements } from './announcements.js';
import { BusAccess } from './bus-access.js';
import { type Received, readMessage } from './bus-messages.js';
import { DigestIndex } from './digest-index.js';
import { ErrorReports } from './error-reports.js';
import type { Invalidation } from './invalidation.js';
import { InvalidationOutbox, type OutboxPort, type ReadBack } from './invalidation-outbox.js';
import { KeyNames, type NameSettings } from './key-names.js';
import { AbandonedLoadError, LoadAccess } from './load-access.js';
import { LoadLock } from './load-lock.js';
import { RetryPauses } from './retry-pauses.js';
import { newRevision } from './revision.js';
import { SharedLoads } from './shared-loads.js';
import { SharedResults } from './shared-results.js';
import { SharedSets } from './shared-sets.js';
import { SharedStoreError } from './shared-store-error.js';
import { SharedValues, type ValueHooks } from './shared-values.js';
import { StoreAccess } from './store-access.js';

/** The outside systems of a shared cache. */
export interface SharedCacheSettings extends NameSettings, ValueHooks {
  readonly storeTimeoutMillis: number;
  readonly bus: InvalidationBus | undefined;
  readonly lock: ClusterLock | undefined;
  readonly hashKeys: boolean;
  readonly localTtlMillis: number;
  readonly clock: Clock;
}

/**
 * How long a process that was just connected to the bus, or has missed messages, keeps no results of the store, in milliseconds. The
 * message of an invalidation may have been sent just before, and its token may arrive in the store just after a result was read there.
 */
const CONNECTING_MILLIS = 5_000;

/** An invalidation needs no store. */
const NO_STORE: ReadBack = { isOwn: true, token: '' };

/** The shared level of one cache, over a store, a bus and a lock. */
export class StoreBackedLevel implements SharedLevel {
  readonly #settings: SharedCacheSettings;
  readonly #cache: CacheIdentity;
  readonly #local: LocalLevel;
  readonly #id = globalThis.crypto.randomUUID();
  readonly #names: KeyNames;
  readonly #digests: DigestIndex;
  readonly #reports: ErrorReports;
  readonly #access: StoreAccess | undefined;
  #hasEnded = false;
  readonly #announcements: Announcements;
  readonly #bus: BusAccess | undefined;
  readonly #outbox: InvalidationOutbox;
  readonly #results: SharedResults | undefined;
  readonly #lock: LoadLock | undefined;
  readonly #loads: SharedLoads | undefined;
  readonly #sets: SharedSets | undefined;
  readonly #pauses = new RetryPauses();
  readonly #subscription: Disposable | undefined;
  /** The work that runs in the background. */
  readonly #background = new Set<Promise<void>>();
  #isConnected: boolean;
  #connection = 0;
  /** Until when the store may lack the token of an invalidation whose message was missed, in milliseconds. */
  #connectingUntil = Number.NEGATIVE_INFINITY;
  /** When the connection to the bus was lost, in milliseconds; `Infinity` before the first one. */
  #disconnectedAt = Number.POSITIVE_INFINITY;
  #hasReportedKey = false;

  constructor(
    settings: SharedCacheSettings,
    cache: CacheIdentity,
    counters: CacheCounters,
    local: LocalLevel,
  ) {
    const { bus, store, lock, clock, hashKeys } = settings;
    this.#settings = settings;
    this.#cache = cache;
    this.#local = local;
    this.#names = new KeyNames(settings, cache.name);
    this.#digests = new DigestIndex(hashKeys, () => this.#textsHere());
    this.#reports = new ErrorReports(cache, counters, clock);
    this.#announcements = new Announcements(clock);
    const [from, cacheName] = [this.#id, this.#names.cache];
    const timeoutMillis = settings.storeTimeoutMillis;
    this.#bus = bus && new BusAccess({ bus, clock, timeoutMillis, from, cache: cacheName });
    this.#outbox = new InvalidationOutbox(this.#outboxPort(), clock);
    if (store !== undefined) {
      this.#access = StoreAccess.to(store, clock);
      this.#results = new SharedResults({
        access: new LoadAccess(this.#access, () => this.#hasEnded),
        store: this.#access,
        timeoutMillis,
        names: this.#names,
        values: SharedValues.of(this.#access.time, settings),
        digests: this.#digests,
        announcements: this.#announcements,
        outbox: this.#outbox,
        cache,
        counters,
        report: this.#report,
      });
      this.#sets = new SharedSets(this.#results, this.#outbox);
      this.#lock =
        lock &&
        new LoadLock(lock, {
          access: this.#access,
          names: this.#names,
          timeoutMillis,
          mayAsk: (key) => this.#results?.mayAsk(key) === true,
          report: this.#report,
        });
      this.#loads = new SharedLoads({
        results: this.#results,
        outbox: this.#outbox,
        lock: this.#lock,
        cache,
        counters,
        report: this.#report,
      });
    }
    this.#isConnected = bus === undefined;
    this.#subscription = bus?.subscribe({
      message: (text) => this.#receive(text),
      connected: (state) => this.#connect(state),
      missed: () => this.#distrustEntries(),
      error: this.#report,
    });
    this.#access?.onError(this.#report); // Last: a bus that throws leaves no listener behind.
  }

  get state(): SharedState {
    const { bus, lock } = this.#settings;
    const access = this.#access;
    return {
      store: access === undefined ? 'none' : access.silentShare === 1 ? 'resting' : 'answering',
      restingShare: access?.silentShare ?? 0,
      restingWriteShare: access?.silentWriteShare ?? 0,
      bus: bus === undefined ? 'none' : this.#isConnected ? 'connected' : 'disconnected',
      lock:
        lock === undefined ? 'none' : this.#loads?.isLockFailing === true ? 'failing' : 'working',
      pendingInvalidations: this.#outbox.size,
    };
  }

  // ── Loads ──

  async getOrCompute(
    context: SharedLoadContext,
    keyArgs: readonly unknown[] | undefined,
    purpose: LoadPurpose,
    compute: () => unknown,
  ): Promise<unknown> {
    const encoded = keyArgs === undefined ? undefined : encodeArgs(keyArgs);
    if (encoded === undefined) {
      this.#reportKey();
      return compute();
    }
    const load = this.#newLoad(encoded);
    context.shared = load;
    return this.#loads === undefined
      ? compute()
      : this.#loads.getOrCompute(load, context, purpose, compute);
  }

  loadEnded(load: SharedLoad, outcome: LoadOutcome, terms: EntryTerms | undefined): void {
    load.hasEnded = true;
    this.#rememberTags(terms);
    const { lease } = load;
    const wanted = terms !== undefined && !load.found;
    if (!wanted && lease === undefined) return;
    void this.#track(async () => {
      try {
        if (wanted) await this.#results?.write(load, outcome, terms);
      } finally {
        if (lease !== undefined) await this.#lock?.release(lease);
      }
    });
  }

  freshMillis(context: SharedLoadContext | undefined): number {
    const load = context?.shared;
    const mayBeOutdated =
      load === undefined
        ? !this.#isConnected
        : this.#wasDisconnected(load) || (load.found && this.#isConnecting);
    return mayBeOutdated ? 0 : this.#settings.localTtlMillis;
  }

  loadJoined(load: SharedLoad | undefined): boolean {
    if (load === undefined) return false;
    load.asksStore ||= this.#isConnecting || this.#wasDisconnected(load);
    return load.asksStore;
  }

  async isInvalidated(
    load: SharedLoad | undefined,
    terms: EntryTerms | undefined,
  ): Promise<boolean> {
    if (load?.asksStore !== true || !load.hasEnded) return false;
    const hasTags = terms === undefined || (terms.tags?.size ?? 0) > 0;
    load.isInvalidated ??= this.#loads?.isInvalidated(load, hasTags);
    return (await load.isInvalidated) === true;
  }

  pauseOf({ key }: SharedLoad): number {
    return this.#pauses.endOf(key);
  }

  pauseUntil({ key }: SharedLoad, end: number): void {
    this.#pauses.pause(key, end);
  }

  get #isConnecting(): boolean {
    return this.#settings.clock.now() < this.#connectingUntil;
  }

  /** Whether this process has not heard of all invalidations since a load began. */
  #wasDisconnected(load: SharedLoad): boolean {
    return !this.#isConnected || load.connection !== this.#connection || this.#isLost(load.lease);
  }

  #isLost(lease: ClusterLease | undefined): boolean {
    try {
      return lease?.lost === true;
    } catch (error) {
      this.#report(error);
      return true;
    }
  }

  publicForm(tag: string): string {
    return this.#digests.publicForm(tag);
  }

  stored(keyArgs: readonly unknown[]): void {
    const encoded = encodeArgs(keyArgs);
    if (encoded !== undefined) this.#digests.publicForm(encoded);
  }

  // ── Invalidation ──

  invalidate(keyArgs: readonly unknown[]): void {
    const encoded = encodeArgs(keyArgs);
    if (encoded !== undefined) this.#submit('key', this.#digests.publicForm(encoded));
  }

  replace(
    keyArgs: readonly unknown[],
    value: unknown,
    terms: EntryTerms | undefined,
    givenAt: number,
  ): ResultOrigin | undefined {
    const encoded = encodeArgs(keyArgs);
    if (encoded === undefined) return undefined;
    this.#rememberTags(terms);
    const invalidation = this.#submit('key', this.#digests.publicForm(encoded));
    const sets = this.#sets;
    if (terms === undefined || sets === undefined) return undefined;
    invalidation.takeTokenOfSet();
    const tags = [...(terms.tags ?? [])].map((tag) => this.#digests.publicForm(tag));
    const load = this.#newLoad(encoded, givenAt);
    const tokens = { key: invalidation.token, cache: '', tags: '' };
    const origin = { revision: load.revision, tokens, hasTags: tags.length > 0 };
    if (this.#isConnected) {
      void this.#track(() => sets.share({ load, origin, invalidation, value, terms, tags }));
    }
    return origin;
  }

  invalidateTags(tags: readonly string[]): void {
    for (const tag of tags) this.#submit('tag', this.#digests.publicForm(tag));
  }

  invalidateAll(): void {
    this.#submit('cache', '');
  }

  #submit(kind: Invalidation['kind'], what: string): Invalidation {
    this.#sets?.forget({ kind, what });
    return this.#outbox.submit(kind, what);
  }

  async flush(): Promise<boolean> {
    this.#bus?.tryAgain();
    const isDelivered = await this.#outbox.deliver();
    await Promise.all(this.#background);
    return isDelivered;
  }

  end(): void {
    this.#hasEnded = true;
    this.#outbox.end();
    this.#guarded(() => this.#subscription?.[Symbol.dispose]());
    this.#guarded(() => this.#access?.offError(this.#report));
  }

  /** Remembers the digests of the tags of an entry. A message that names one then finds the entry. */
  #rememberTags(terms: EntryTerms | undefined): void {
    for (const tag of terms?.tags ?? []) this.#digests.publicForm(tag);
  }

  #newLoad(encoded: string, givenAt?: number): SharedLoad {
    return {
      key: this.#digests.publicForm(encoded),
      connection: this.#connection,
      clears: this.#outbox.clears,
      revision: newRevision(),
      tokens: undefined,
      tokensRead: undefined,
      lease: undefined,
      givenAt,
      found: false,
      budget: undefined,
      asksStore: false,
      isInvalidated: undefined,
      hasEnded: false,
    };
  }

  // ── Outside systems ──

  #outboxPort(): OutboxPort {
    return {
      store: async (invalidation) => {
        const readBack = (await this.#results?.invalidate(invalidation)) ?? NO_STORE;
        if (this.#bus !== undefined && readBack.isOwn) {
          this.#announcements.addOwn(invalidation, this.#isConnected);
        }
        return readBack;
      },
      storeTagsToken: async () => (await this.#results?.invalidateAnyTag()) ?? NO_STORE,
      publish: async (invalidations) => this.#bus?.publish(invalidations),
      partOf: (invalidation) => this.#results?.partOf(invalidation) ?? 0,
      mayStore: (invalidation) => this.#results?.mayInvalidate(invalidation) !== false,
      overflowed: (error) => {
        this.#report(error);
        this.#local.forgetAllHere();
      },
      failed: this.#report,
    };
  }

  #receive(text: string): void {
    this.#guarded(() => {
      for (const announced of readMessage(text, this.#id, this.#names.cache) ?? []) {
        this.#guarded(() => this.#forget(announced));
      }
    });
  }

  #forget(received: Received): void {
    const { kind, what } = received;
    if (this.#results !== undefined) this.#announcements.add(received);
    this.#sets?.forget(received);
    const plain = this.#digests.textOf(what);
    if (kind === 'cache') this.#local.forgetAllHere();
    else if (kind === 'tag')
      this.#local.forgetTagsHere([plain ?? what]); // A load in flight may have the tag of an unknown digest.
    else if (plain !== undefined) this.#local.forgetHere(decodeArgs(plain));
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#report(error);
    }
  }

  #connect(state: boolean): void {
    if (state === this.#isConnected) return;
    this.#isConnected = state;
    this.#distrustEntries();
    if (!state) {
      this.#disconnectedAt = this.#settings.clock.now();
      return;
    }
    // The store may have lost them with the connection.
    const confirmed = this.#announcements.ownBefore(this.#disconnectedAt);
    for (const { kind, what } of confirmed) this.#outbox.submit(kind, what);
    this.#bus?.tryAgain();
    this.#outbox.retry();
  }

  /** Trusts nothing that an invalidation may cover whose message does not arrive here. */
  #distrustEntries(): void {
    this.#connection++;
    this.#local.markAllStale();
    this.#sets?.forget({ kind: 'cache', what: '' });
    this.#connectingUntil = this.#settings.clock.now() + CONNECTING_MILLIS;
  }

  readonly #report = (error: unknown): void => {
    if (!(isError(error) && error instanceof AbandonedLoadError)) this.#reports.report(error); // A hook may throw a revoked proxy.
  };

  #track(work: () => Promise<void>): Promise<void> {
    const tracked: Promise<void> = work()
      .catch(this.#report)
      .finally(() => this.#background.delete(tracked));
    this.#background.add(tracked);
    return tracked;
  }

  *#textsHere(): IterableIterator<string> {
    for (const keyArgs of this.#local.keysHere()) {
      const encoded = encodeArgs(keyArgs);
      if (encoded !== undefined) yield encoded;
    }
    yield* this.#local.tagsHere();
  }

  #reportKey(): void {
    if (this.#hasReportedKey) return;
    this.#hasReportedKey = true;
    this.#report(
      new SharedStoreError(
        `The cache '${this.#cache.name}' was called with an argument that other processes cannot compare, such as an ` +
          'object or a receiver: give it a `key` that returns a string or a number. The call was not shared.',
      ),
    );
  }
}
