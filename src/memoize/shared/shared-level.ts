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
 * `docs/design/shared-cache.md` tells the protocol, and what each guard is for. `shared-results.ts` reads and writes results,
 * `invalidation-outbox.ts` delivers invalidations, `announcements.ts` remembers those of other processes, and `store-access.ts`
 * has the breaker.
 */
import type { Clock } from '../../core/clock.js';
import type { CacheIdentity } from '../cache-identity.js';
import type { CacheCounters } from '../cache-recorder.js';
import type { ClusterLease, ClusterLock } from '../cluster-lock.js';
import type { EntryTerms } from '../entry-terms.js';
import type { InvalidationBus } from '../invalidation-bus.js';
import { decodeArgs, encodeArgs } from '../keys/encoded-args.js';
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
import { type Announced, readMessage } from './bus-messages.js';
import { DigestIndex } from './digest-index.js';
import type { Envelope } from './envelope.js';
import { ErrorReports } from './error-reports.js';
import { inTime } from './in-time.js';
import type { Invalidation } from './invalidation.js';
import { InvalidationOutbox } from './invalidation-outbox.js';
import { KeyNames, type NameSettings } from './key-names.js';
import { AbandonedLoadError, LoadAccess } from './load-access.js';
import { SharedLoadError } from './shared-load-error.js';
import { type FoundResult, lifeLeft, SharedResults } from './shared-results.js';
import { SharedSets } from './shared-sets.js';
import { SharedStoreError } from './shared-store-error.js';
import { SharedValues, type ValueHooks } from './shared-values.js';
import { StoreAccess } from './store-access.js';
import type { WaitBudget } from './wait-budget.js';

/** The outside systems of a shared cache. */
export interface SharedCacheSettings extends NameSettings, ValueHooks {
  readonly storeTimeoutMillis: number;
  readonly bus: InvalidationBus | undefined;
  readonly lock: ClusterLock | undefined;
  readonly hashKeys: boolean;
  readonly localTtlMillis: number;
  readonly clock: Clock;
}

/** The shared level of one cache, over a store, a bus and a lock. */
export class StoreBackedLevel implements SharedLevel {
  readonly #parts: SharedCacheSettings;
  readonly #cache: CacheIdentity;
  readonly #counters: CacheCounters;
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
  readonly #sets: SharedSets | undefined;
  readonly #subscription: Disposable | undefined;
  /** The work that runs in the background. */
  readonly #background = new Set<Promise<void>>();
  #isConnected: boolean;
  #connection = 0;
  /** When the connection to the bus was lost, in milliseconds; `Infinity` before the first one. */
  #disconnectedAt = Number.POSITIVE_INFINITY;
  #isLockFailing = false;
  #hasReportedKey = false;

  constructor(
    parts: SharedCacheSettings,
    cache: CacheIdentity,
    counters: CacheCounters,
    local: LocalLevel,
  ) {
    const { bus, store, clock, hashKeys } = parts;
    this.#parts = parts;
    this.#cache = cache;
    this.#counters = counters;
    this.#local = local;
    this.#names = new KeyNames(parts, cache.name);
    this.#digests = new DigestIndex(hashKeys, () => this.#textsHere());
    this.#reports = new ErrorReports(cache, counters, clock);
    this.#announcements = new Announcements(clock);
    const [from, cacheName] = [this.#id, this.#names.cache];
    const timeoutMillis = parts.storeTimeoutMillis;
    this.#bus = bus && new BusAccess({ bus, clock, timeoutMillis, from, cache: cacheName });
    this.#outbox = new InvalidationOutbox(
      {
        store: async (invalidation, isWanted) => {
          await this.#results?.invalidate(invalidation, isWanted);
          if (bus !== undefined) this.#announcements.addOwn(invalidation, this.#isConnected);
        },
        storeTagsToken: async () => this.#results?.invalidateAnyTag(),
        publish: async (invalidations) => this.#bus?.publish(invalidations),
        partOf: (invalidation) => this.#results?.partOf(invalidation) ?? 0,
        isResting: (invalidation) => this.#results?.isResting(invalidation) === true,
        overflowed: (error) => {
          this.#report(error);
          this.#local.forgetAllHere();
        },
        failed: this.#report,
      },
      clock,
    );
    if (store !== undefined) {
      this.#access = StoreAccess.to(store, clock);
      this.#access.onError(this.#report);
      this.#results = new SharedResults({
        access: new LoadAccess(this.#access, () => this.#hasEnded),
        store: this.#access,
        timeoutMillis,
        names: this.#names,
        values: SharedValues.of(this.#access.time, parts),
        digests: this.#digests,
        announcements: this.#announcements,
        outbox: this.#outbox,
        cache,
        counters,
        report: this.#report,
      });
      this.#sets = new SharedSets(this.#results, this.#outbox);
    }
    this.#isConnected = bus === undefined;
    this.#subscription = bus?.subscribe({
      message: (text) => this.#receive(text),
      connected: (state) => this.#connect(state),
      error: this.#report,
    });
  }

  get state(): SharedState {
    const { bus, lock } = this.#parts;
    const access = this.#access;
    return {
      store: access === undefined ? 'none' : access.silentShare === 1 ? 'resting' : 'answering',
      restingShare: access?.silentShare ?? 0,
      restingWriteShare: access?.silentWriteShare ?? 0,
      bus: bus === undefined ? 'none' : this.#isConnected ? 'connected' : 'disconnected',
      lock: lock === undefined ? 'none' : this.#isLockFailing ? 'failing' : 'working',
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
    const results = this.#results;
    if (results === undefined) return compute();
    const budget = results.newBudget();
    const begin = (): unknown => {
      throwIfEnded(load);
      return compute();
    };
    if (!results.mayAsk(load.key)) return begin();
    if (this.#outbox.size > 0 && !(await this.#isReadable(load, budget))) return begin();
    let found = await this.#read(results, load, purpose, budget);
    const { lock } = this.#parts;
    if (
      found.usable === undefined &&
      lock !== undefined &&
      (await this.#lock(lock, load, budget))
    ) {
      found = await this.#read(results, load, purpose, budget);
    }
    if (found.usable !== undefined) return this.#use(load, context, found.usable);
    await results.makeTokens(load, budget).catch(this.#report);
    if (found.stale === undefined || purpose.isReplacing || purpose.forced) return begin();
    const present = () => this.#presentResult(results, load, purpose, budget);
    return this.#computeOrStale(load, context, found.stale, begin, present);
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
        await lease?.release();
      }
    });
  }

  freshMillis(context: SharedLoadContext | undefined): number {
    return this.#mayHaveMissed(context?.shared) ? 0 : this.#parts.localTtlMillis;
  }

  /** Whether this process may have missed an invalidation of a result that it has just stored. */
  #mayHaveMissed(load: SharedLoad | undefined): boolean {
    if (!this.#isConnected) return true;
    return load !== undefined && (load.connection !== this.#connection || this.#isLost(load.lease));
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
    if (encoded !== undefined) this.#outbox.submit('key', this.#digests.publicForm(encoded));
  }

  replace(keyArgs: readonly unknown[], value: unknown, terms: EntryTerms | undefined): void {
    const encoded = encodeArgs(keyArgs);
    if (encoded === undefined) return;
    this.#rememberTags(terms);
    const invalidation = this.#outbox.submit('key', this.#digests.publicForm(encoded));
    const sets = this.#sets;
    if (terms === undefined || sets === undefined) return;
    const tags = [...(terms.tags ?? [])].map((tag) => this.#digests.publicForm(tag));
    const load = this.#newLoad(encoded);
    void this.#track(() => sets.share({ load, invalidation, value, terms, tags }));
  }

  invalidateTags(tags: readonly string[]): void {
    for (const tag of tags) this.#outbox.submit('tag', this.#digests.publicForm(tag));
  }

  invalidateAll(): void {
    this.#outbox.submit('cache', '');
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

  // ── Parts of a load ──

  #newLoad(encoded: string): SharedLoad {
    return {
      key: this.#digests.publicForm(encoded),
      connection: this.#connection,
      revision: newRevision(),
      generations: undefined,
      lease: undefined,
      found: false,
      hasEnded: false,
    };
  }

  /** Whether the store has every invalidation of this process that covers a key. Waits for one that is on its way. */
  async #isReadable(load: SharedLoad, budget: WaitBudget): Promise<boolean> {
    for (const pending of [this.#outbox.get('key', load.key), this.#outbox.get('cache', '')]) {
      if (pending === undefined) continue;
      if (pending.hasFailed || this.#results?.isResting(pending) === true) return false;
      if (!(await this.#isDelivered(pending, budget))) return false;
    }
    return true;
  }

  #isDelivered(pending: Invalidation, budget: WaitBudget): Promise<boolean> {
    return budget
      .spend((millis, time) =>
        inTime(time, () => this.#outbox.settled(pending), millis, {
          onLate: () => new SharedStoreError('An invalidation is not confirmed yet.'),
        }),
      )
      .catch(() => false);
  }

  #read(
    results: SharedResults,
    load: SharedLoad,
    purpose: LoadPurpose,
    budget: WaitBudget,
  ): Promise<FoundResult> {
    return results.read(load, purpose, budget).catch(this.#nothingFound);
  }

  /** Whether the lock gives answers, and the store, where the result of another holder would be. */
  #mayLock(name: string, key: string): boolean {
    if (this.#results?.mayAsk(key) !== true) return false;
    return this.#access?.mayLock(name, this.#parts.storeTimeoutMillis) === true;
  }

  /** Gets the lock of a key. False if the load goes on without it. */
  async #lock(lock: ClusterLock, load: SharedLoad, budget: WaitBudget): Promise<boolean> {
    const [access, name] = [this.#access, this.#names.ofLock(load.key)];
    if (access === undefined || budget.left <= 0 || !this.#mayLock(name, load.key)) return false;
    let isFirst = true;
    const ask = <T>(request: () => Promise<T>): Promise<T> => {
      if (load.hasEnded) return Promise.reject(new AbandonedLoadError());
      if (!isFirst) return access.askLock(name, request, budget.left);
      isFirst = false;
      return budget.spend((millis) => access.askLock(name, request, millis));
    };
    try {
      const lease = await lock.acquire(name, { ask });
      this.#isLockFailing = false;
      if (load.hasEnded) await lease.release();
      else load.lease = lease;
      return true;
    } catch (error) {
      if (!load.hasEnded) this.#isLockFailing = true;
      this.#report(error);
      return false;
    }
  }

  #use(load: SharedLoad, context: SharedLoadContext, envelope: Envelope): unknown {
    throwIfEnded(load);
    load.found = true;
    load.revision = envelope.revision;
    context.remaining = lifeLeft(envelope);
    if (envelope.tags !== undefined) context.tags = envelope.tags.map(([tag]) => tag);
    if (envelope.failure !== undefined) {
      this.#counters.sharedFailures++;
      throw new SharedLoadError(this.#cache.name, envelope.failure);
    }
    this.#counters.sharedHits++;
    return envelope.value;
  }

  /** Serves a stale result of the store during its stale windows, as an entry of this process would be. */
  async #computeOrStale(
    load: SharedLoad,
    context: SharedLoadContext,
    stale: Envelope,
    compute: () => unknown,
    present: () => Promise<Envelope | undefined>,
  ): Promise<unknown> {
    const { staleWhileRevalidate, staleIfError } = this.#cache;
    if (staleMillis(stale) < staleWhileRevalidate) return this.#use(load, context, stale);
    try {
      return await compute();
    } catch (error) {
      if (staleMillis(stale) >= staleIfError) throw error;
      const found = await present(); // The stale result may have been invalidated during the load.
      if (found === undefined || staleMillis(found) >= staleIfError) throw error;
      this.#counters.loadFailures++;
      this.#counters.staleHits++;
      return this.#use(load, context, found);
    }
  }

  /** What the store has for a load that has failed. */
  async #presentResult(
    results: SharedResults,
    load: SharedLoad,
    purpose: LoadPurpose,
    budget: WaitBudget,
  ): Promise<Envelope | undefined> {
    if (load.hasEnded || !results.mayAsk(load.key)) return undefined;
    if (this.#outbox.size > 0 && !(await this.#isReadable(load, budget))) return undefined;
    const { usable, stale } = await this.#read(results, { ...load }, purpose, budget);
    const result = usable ?? stale;
    return result?.failure === undefined ? result : undefined;
  }

  // ── Outside systems ──

  #receive(text: string): void {
    this.#guarded(() => {
      for (const announced of readMessage(text, this.#id, this.#names.cache) ?? []) {
        this.#guarded(() => this.#forget(announced));
      }
    });
  }

  #forget(announced: Announced): void {
    const { kind, what } = announced;
    if (this.#results !== undefined) this.#announcements.add(announced);
    this.#sets?.forget(announced);
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
    this.#connection++;
    this.#local.markAllStale();
    if (!state) {
      this.#disconnectedAt = this.#parts.clock.now();
      return;
    }
    // The store may have lost them with the connection.
    const confirmed = this.#announcements.ownBefore(this.#disconnectedAt);
    for (const { kind, what } of confirmed) this.#outbox.submit(kind, what);
    this.#bus?.tryAgain();
    this.#outbox.retry();
  }

  readonly #report = (error: unknown): void => {
    if (!(error instanceof AbandonedLoadError)) this.#reports.report(error);
  };

  readonly #nothingFound = (error: unknown): FoundResult => {
    this.#report(error);
    return {};
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

/** How long ago a result became stale, in milliseconds. */
function staleMillis(result: Envelope): number {
  return -(lifeLeft(result) ?? 0);
}

function throwIfEnded(load: SharedLoad): void {
  if (load.hasEnded) throw new AbandonedLoadError();
}

/** A revision that is greater than all earlier ones, as far as the clocks of the processes agree. */
function newRevision(): string {
  return `${Date.now().toString(36).padStart(9, '0')}-${globalThis.crypto.randomUUID()}`;
}
