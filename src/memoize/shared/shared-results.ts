/**
 * Reads and writes the results of one cache in the shared store.
 *
 * Each key, each tag and the cache itself has a token in the store: a random text, which an invalidation replaces.
 *
 * - A result is written with the tokens that were read before its load began. It is used only while they are still the present
 *   ones. So the order in which reads and writes reach the store does not matter.
 * - **A token that is not there proves nothing.** It may have expired, been evicted, or not have been read: some stores answer a
 *   failed read with `undefined`. So a load whose tokens are missing makes them first, and reads them back.
 * - The tags of a result are known only after its load. The result is not written if any tag was invalidated during the load.
 * - Everything has a lifetime. A token that ends too early costs a load.
 */
import type { CacheIdentity } from '../cache-identity.js';
import type { CacheCounters } from '../cache-recorder.js';
import type { EntryTerms } from '../entry-terms.js';
import type { LoadTokens } from '../result-origin.js';
import type { LoadOutcome, LoadPurpose, SharedLoad } from '../shared-port.js';
import type { Announcements } from './announcements.js';
import { CommonTokens } from './common-tokens.js';
import type { DigestIndex } from './digest-index.js';
import {
  type Envelope,
  envelopeIn,
  failureOf,
  firstToken,
  MAX_SHARED_TAGS,
  mayBeLater,
  newToken,
  tokenIn,
} from './envelope.js';
import { PARTS, partOf } from './hash-slot.js';
import type { Invalidation } from './invalidation.js';
import type { InvalidationOutbox, ReadBack } from './invalidation-outbox.js';
import type { KeyNames } from './key-names.js';
import type { LoadAccess } from './load-access.js';
import { revisionTime } from './revision.js';
import { notKept } from './shared-store-error.js';
import type { SharedValues } from './shared-values.js';
import type { StoreAccess } from './store-access.js';
import { WaitBudget } from './wait-budget.js';

const DAY_MILLIS = 86_400_000;
/** The longest life of anything in the store, in milliseconds. The token of the cache has it. */
const LONGEST_MILLIS = 30 * DAY_MILLIS;

/** A type whose fields can be set one by one. An object of optional fields is made faster so than by spreading. */
type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** The tokens that each load reads. */
export const TOKEN_KINDS = ['key', 'cache', 'tags'] as const;
/** The tokens that a result without tags depends on. */
const KEY_AND_CACHE = ['key', 'cache'] as const;

/** What the results of one cache work with. */
export interface ResultsPort {
  /** For loads. */
  readonly access: LoadAccess;
  /** For invalidations, which are carried out after the end of the cache too. */
  readonly store: StoreAccess;
  readonly timeoutMillis: number;
  readonly names: KeyNames;
  /** The form and the check of values; `undefined` if they lie in the store as they are. */
  readonly values: SharedValues | undefined;
  readonly digests: DigestIndex;
  readonly announcements: Announcements;
  readonly outbox: InvalidationOutbox;
  readonly cache: CacheIdentity;
  readonly counters: CacheCounters;
  report(error: unknown): void;
}

/** What was found for a key. */
export interface FoundResult {
  /** A result or a failure that answers the load. */
  readonly usable?: Envelope | undefined;
  /** A result past its `ttl`, within the stale windows. */
  readonly stale?: Envelope | undefined;
}

/** The results of one cache in the store. */
export class SharedResults {
  readonly #port: ResultsPort;
  /** How long tokens of keys and tags live, in milliseconds: longer than any load, and than the results with them. */
  readonly #tokenMillis: number;
  /** How long a result stays in the store after its `ttl`, in milliseconds. */
  readonly #keepsStale: number;
  readonly #commonTokens: CommonTokens;

  constructor(port: ResultsPort) {
    this.#port = port;
    this.#commonTokens = new CommonTokens(port.access, port.store.time);
    const { ttl, staleWhileRevalidate, staleIfError } = port.cache;
    this.#keepsStale = Math.max(staleWhileRevalidate, staleIfError);
    const millis = 2 * ((typeof ttl === 'number' ? ttl : 0) + this.#keepsStale);
    this.#tokenMillis = Math.min(Math.max(millis, DAY_MILLIS), LONGEST_MILLIS);
  }

  /** The time that one call may wait for answers, in milliseconds. */
  newBudget(millis: number = this.#port.timeoutMillis): WaitBudget {
    return new WaitBudget(this.#port.store.time, millis);
  }

  /** Whether a load may ask the store for its key now. */
  mayAsk(key: string): boolean {
    const { access, timeoutMillis } = this.#port;
    const names = (): string[] => TOKEN_KINDS.map((kind) => this.#tokenName(kind, key));
    return access.mayAsk(names, timeoutMillis);
  }

  /** Whether the part of the store that an invalidation concerns gives answers. If not, it is probed after its rest. */
  mayInvalidate({ kind, what }: Invalidation): boolean {
    const { store, names, timeoutMillis } = this.#port;
    const concerned = [names.inStore(kind, what)];
    if (kind === 'tag') concerned.push(names.inStore('tags', ''));
    return store.mayWrite(concerned, timeoutMillis);
  }

  /** The part of the store that an invalidation concerns. Tags have parts of their own, because they need the token of all tags too. */
  partOf({ kind, what }: Invalidation): number {
    return partOf(this.#port.names.inStore(kind, what)) + (kind === 'tag' ? PARTS : 0);
  }

  /** Reads the present tokens into the load, and what the store has for its key. */
  async read(load: SharedLoad, purpose: LoadPurpose, budget: WaitBudget): Promise<FoundResult> {
    const entry = this.#port.names.inStore('entry', load.key);
    const stored = await this.#readTokens(load, budget, [entry]);
    if (purpose.forced) return {};
    const [there] = stored;
    const isThere = there !== undefined && there !== null;
    const envelope = isThere ? await this.#valid(there, entry, load, budget) : undefined;
    const left = envelope === undefined ? undefined : (lifeLeft(envelope) ?? Infinity);
    if (envelope === undefined || left === undefined || !isOfUse(envelope, left, purpose))
      return {};
    const readable = await this.#readable(envelope, budget);
    if (left > 0 && readable !== undefined) return { usable: readable };
    return { stale: readable?.failure === undefined ? readable : undefined };
  }

  /** Reads the present tokens into the load. */
  async readTokens(load: SharedLoad, budget: WaitBudget): Promise<void> {
    await this.#readTokens(load, budget, []);
  }

  /** Makes the tokens that a load needs and that the store does not have. Without all of them, the load writes nothing. */
  async makeTokens(load: SharedLoad, budget: WaitBudget): Promise<void> {
    const { access } = this.#port;
    const { tokens } = load;
    if (tokens === undefined || isComplete(tokens)) return;
    load.tokens = undefined;
    const kinds = TOKEN_KINDS.filter((kind) => tokens[kind] === '');
    const names = kinds.map((kind) => this.#tokenName(kind, load.key));
    if (access.writesRest(names)) return;
    const common = names.filter((_, at) => kinds[at] !== 'key');
    if (common.length > 0) {
      await budget.spend((millis) => this.#commonTokens.make(common, LONGEST_MILLIS, millis));
    }
    if (tokens.key === '') {
      const name = this.#tokenName('key', load.key);
      await budget.spend((millis) => access.set(name, firstToken(), this.#tokenMillis, millis));
    }
    const made = await budget.spend((millis) => access.get(names, millis));
    const present: Writable<LoadTokens> = { ...tokens };
    for (const [at, kind] of kinds.entries()) present[kind] = tokenIn(made[at]);
    if (!isComplete(present)) throw notKept();
    if (!this.#isOutdated(load, present)) load.tokens = present;
  }

  /**
   * Writes the outcome of a load, under the tokens from before it. A result without tags is written even if it was invalidated
   * since: no reader takes it then, and to read its tokens first would cost each miss a request.
   */
  async write(load: SharedLoad, outcome: LoadOutcome, terms: EntryTerms): Promise<void> {
    const { access, names, values, timeoutMillis, counters } = this.#port;
    const { tokens: before, lease, givenAt = Infinity } = load;
    const tags = [...(terms.tags ?? [])];
    if (before === undefined || !isComplete(before) || terms.ttl <= 0) return;
    if (mayBeLater(before.cache, givenAt)) return;
    if (tags.length > MAX_SHARED_TAGS) return;
    const entry = names.inStore('entry', load.key);
    if (access.writesRest([entry])) return;
    const isFailure = 'error' in outcome;
    const envelope: Writable<Envelope> = {
      name: entry,
      revision: load.revision,
      at: Date.now(),
      key: before.key,
      cache: before.cache,
    };
    if (isFailure) envelope.failure = failureOf(outcome.error);
    else if (values === undefined) envelope.value = outcome.value;
    else envelope.value = await values.stored(outcome.value, timeoutMillis);
    if (terms.ttl !== Infinity) envelope.ttl = terms.ttl;
    if (tags.length > 0 || isFailure || lease !== undefined) {
      const tokens = await this.#tokensForWrite(load, before, tags, isFailure);
      if (tokens?.some((token) => mayBeLater(token, givenAt)) !== false) return;
      if (tags.length > 0) envelope.tags = tags.map((tag, at) => [tag, tokens[at] as string]);
    } else if (!access.mayAsk(() => [entry], timeoutMillis)) return;
    if (Number.isFinite(lease?.fence)) envelope.fence = lease?.fence as number;
    const life = terms.ttl + (isFailure ? 0 : this.#keepsStale);
    await access.set(entry, envelope, Math.ceil(Math.min(life, LONGEST_MILLIS)), timeoutMillis);
    counters.sharedWrites++;
  }

  /**
   * The present tokens of the tags of a result; `undefined` if it is not to be written: it was invalidated since its load began,
   * or the store has what counts more.
   */
  async #tokensForWrite(
    load: SharedLoad,
    before: LoadTokens,
    tags: readonly string[],
    isFailure: boolean,
  ): Promise<string[] | undefined> {
    const { access, names, digests, timeoutMillis } = this.#port;
    const { lease } = load;
    const tagNames = tags.map((tag) => names.inStore('tag', digests.publicForm(tag)));
    const kinds = tags.length === 0 ? KEY_AND_CACHE : TOKEN_KINDS;
    const asked = kinds.map((kind) => this.#tokenName(kind, load.key));
    const entry = names.inStore('entry', load.key);
    const others = isFailure || lease !== undefined ? [entry] : [];
    if (!access.mayAsk(() => [...asked, ...tagNames], timeoutMillis)) return undefined;
    const tokens = tags.length === 0 ? [] : await this.#tagTokens(tagNames);
    // After the tokens of the tags: an invalidation that they belong to shows in the token of all tags.
    const present = await access
      .get([...asked, ...others], timeoutMillis)
      .catch((error: unknown) => {
        if (others.length === 0) throw error;
        return access.get(asked, timeoutMillis); // A value that the store cannot parse is replaced.
      });
    const [key, cacheToken, all] = present.slice(0, asked.length).map(tokenIn);
    const there = envelopeIn(present[asked.length], entry);
    if (key !== before.key || cacheToken !== before.cache) return undefined;
    if (tags.length > 0 && (all !== before.tags || tokens.includes(''))) return undefined;
    const isCovered = there?.key === key && there.cache === cacheToken;
    if (lease?.lost === true) return undefined;
    if (lease !== undefined && isCovered && (there.fence ?? 0) > lease.fence) return undefined;
    const isResultThere = isCovered && there.failure === undefined;
    if (isFailure && isResultThere && (lifeLeft(there) ?? Infinity) + this.#keepsStale > 0)
      return undefined;
    return tokens;
  }

  /** The tokens of tags. Makes those that are missing, and reads them back. */
  async #tagTokens(tagNames: string[]): Promise<string[]> {
    const { access, timeoutMillis } = this.#port;
    const present = (await access.get(tagNames, timeoutMillis)).map(tokenIn);
    const missing = tagNames.filter((_, at) => present[at] === '');
    if (missing.length === 0) return present;
    await this.#commonTokens.make(missing, this.#tokenMillis, timeoutMillis);
    return (await access.get(tagNames, timeoutMillis)).map(tokenIn);
  }

  /** Puts the token of an invalidation into the store, and reads it back. */
  async invalidate({ kind, what, token }: Invalidation): Promise<ReadBack> {
    const { store, names, timeoutMillis } = this.#port;
    const life = kind === 'cache' ? LONGEST_MILLIS : this.#tokenMillis;
    const readBack = await this.#put(names.inStore(kind, what), token, life);
    if (kind === 'key' && readBack.isOwn) {
      await store.delete(names.inStore('entry', what), timeoutMillis).catch(() => {}); // The token counts, not the deletion.
    }
    return readBack;
  }

  /** Replaces the token of all tags, and reads it back. */
  async invalidateAnyTag(): Promise<ReadBack> {
    return this.#put(this.#port.names.inStore('tags', ''), newToken(), LONGEST_MILLIS);
  }

  async #put(name: string, token: string, life: number): Promise<ReadBack> {
    const { store, timeoutMillis } = this.#port;
    await store.set(name, token, life, timeoutMillis);
    const there = tokenIn(await store.getOne(name, timeoutMillis));
    return { isOwn: there === token, token: there };
  }

  /** Reads the tokens into the load, and gives what the store has under other names. */
  async #readTokens(
    load: SharedLoad,
    budget: WaitBudget,
    others: readonly string[],
  ): Promise<unknown[]> {
    const { access } = this.#port;
    load.tokens = undefined;
    const asked = TOKEN_KINDS.map((kind) => this.#tokenName(kind, load.key));
    asked.push(...others);
    const [key, cache, tags, ...values] = await budget
      .spend((millis) => access.get(asked, millis))
      .catch((error: unknown) => {
        if (budget.left <= 0) throw error;
        return budget.spend((millis) => this.#readEach(error, asked, millis));
      });
    const present = { key: tokenIn(key), cache: tokenIn(cache), tags: tokenIn(tags) };
    load.tokensRead = present;
    if (this.#isOutdated(load, present)) return [];
    load.tokens = present;
    return values;
  }

  /**
   * Reads names each alone, after a read of all was rejected. Some stores reject a read for the sake of one value that they cannot parse.
   * That value then counts as missing, and is replaced. Rejects with `error` if no name can be read.
   */
  async #readEach(error: unknown, names: readonly string[], millis: number): Promise<unknown[]> {
    const { access, counters, timeoutMillis, report } = this.#port;
    if (!access.mayAsk(() => names, timeoutMillis)) throw error;
    const found = await Promise.allSettled(names.map((name) => access.getOne(name, millis)));
    const rejected = found.filter(({ status }) => status === 'rejected').length;
    if (rejected === names.length) throw error;
    counters.sharedRejects += rejected;
    report(error);
    return found.map((each) => (each.status === 'fulfilled' ? each.value : undefined));
  }

  /**
   * Whether the store does not have an invalidation yet: one that another process has announced, or one by this process from before the
   * load that `clear` has taken the place of since. A value that `set` has given replaces the token of its key.
   */
  #isOutdated({ key, clears, givenAt }: SharedLoad, present: LoadTokens): boolean {
    const { announcements, outbox } = this.#port;
    return (
      outbox.clears !== clears ||
      (givenAt === undefined && announcements.contradict('key', key, present.key)) ||
      announcements.contradict('cache', '', present.cache)
    );
  }

  /** A value that was read under a name of the store as an envelope, if all its tokens are the present ones. */
  async #valid(
    stored: unknown,
    name: string,
    { key, tokens, clears }: SharedLoad,
    budget: WaitBudget,
  ): Promise<Envelope | undefined> {
    const { access, names, digests, announcements, outbox, counters, timeoutMillis } = this.#port;
    if (tokens === undefined) return undefined;
    const envelope = envelopeIn(stored, name);
    if (envelope === undefined) counters.sharedRejects++;
    if (envelope?.key !== tokens.key || envelope.cache !== tokens.cache) return undefined;
    const { revision, tags = [] } = envelope;
    if (announcements.mayPrecede(revision, 'key', key)) return undefined;
    if (announcements.mayPrecede(revision, 'cache', '')) return undefined;
    if (tags.length === 0) return envelope;
    const forms = tags.map(([tag]) => digests.publicForm(tag));
    if (forms.some((form) => outbox.get('tag', form) !== undefined)) return undefined;
    const asked = forms.map((form) => names.inStore('tag', form));
    if (!access.mayAsk(() => asked, timeoutMillis)) return undefined;
    const present = await budget.spend((millis) => access.get(asked, millis));
    if (outbox.clears !== clears) return undefined;
    const isPresent = tags.every(([, token], at) => {
      const [form, now] = [forms[at] as string, tokenIn(present[at])];
      if (now !== token || announcements.contradict('tag', form, now)) return false;
      return !announcements.mayPrecede(revision, 'tag', form);
    });
    return isPresent ? envelope : undefined;
  }

  /** A result with its value as callers get it; `undefined` if the hooks of the cache do not take it. */
  async #readable(envelope: Envelope, budget: WaitBudget): Promise<Envelope | undefined> {
    const { values, counters, report } = this.#port;
    if (values === undefined || envelope.failure !== undefined) return envelope;
    try {
      const found = await budget.spend((millis) => values.valueOf(envelope.value, millis));
      if (found !== undefined) return { ...envelope, ...found };
    } catch (error) {
      report(error);
    }
    counters.sharedRejects++;
    return undefined;
  }

  /** The name of a token that each load needs: of its key, the cache, or all tags. */
  #tokenName(kind: keyof LoadTokens, key: string): string {
    return this.#port.names.inStore(kind, kind === 'key' ? key : '');
  }
}

/** How old a result is, in milliseconds. If the clock of the writer is ahead, it counts as new. */
export function ageOf({ at }: Envelope): number {
  return Math.max(0, Date.now() - at);
}

/** How much longer a result is fresh, in milliseconds; negative for a stale one, `undefined` without a limit. */
export function lifeLeft(result: Envelope): number | undefined {
  return result.ttl === undefined ? undefined : result.ttl - ageOf(result);
}

function isOfUse({ revision, failure }: Envelope, left: number, purpose: LoadPurpose): boolean {
  const { isEarly, isReplacing, origin } = purpose;
  const replaced = origin?.revision ?? '';
  if (failure !== undefined) return left > 0 && !isReplacing;
  // A store that has lost its last writes has an older result than the one that is to be replaced.
  const isOlder = revisionTime(revision) < revisionTime(replaced);
  if (isEarly) return left > 0 && revision !== replaced && !isOlder;
  return !isReplacing || !isOlder;
}

function isComplete({ key, cache, tags }: LoadTokens): boolean {
  return key !== '' && cache !== '' && tags !== '';
}
