/**
 * The loads that run. Loads with a promise can be joined, and are found by key. Loads whose synchronous part is on the stack are
 * chained by `outer`: the function may call code that invalidates the result which it is about to return.
 */
import { type Key, release } from '../keys/key-trie.js';
import { InvalidatedTags } from './invalidated-tags.js';
import { Load } from './load.js';

/** The loads of one cache. */
export class Flights {
  readonly #byKey = new Map<Key, Load>();
  /** The innermost load whose synchronous part runs. */
  #running: Load | undefined = undefined;
  /** A load that has ended, for reuse. A new object that an old one refers to costs V8 as much as a hit. */
  #spare: Load | undefined = undefined;
  readonly #invalidatedTags = new InvalidatedTags();

  /** How many loads can be joined. */
  get size(): number {
    return this.#byKey.size;
  }

  /** The keys of the loads that can be joined. */
  keys(): Iterable<Key> {
    return this.#byKey.keys();
  }

  /** The load that can be joined for a key; `undefined` for no key. */
  get(key: Key | undefined): Load | undefined {
    return this.#byKey.size === 0 ? undefined : this.#byKey.get(key as Key);
  }

  /** Begins the synchronous part of a load; {@link endSync} ends it. */
  beginSync(key: Key): Load {
    const load = new Load(key, this.#running);
    this.#running = load;
    return load;
  }

  /** Begins the synchronous part of a load that may be {@link recycle recycled}. */
  reuseOrBegin(key: Key): Load {
    const load = this.#spare;
    if (load === undefined) return this.beginSync(key);
    this.#spare = undefined;
    load.key = key;
    load.outer = this.#running;
    this.#running = load;
    return load;
  }

  /** Keeps a load for reuse. It must have ended, must have been current, and must have no other reference. */
  recycle(load: Load): void {
    if (load.hasNoDetails) this.#spare = load;
  }

  /** Ends the synchronous part of a load. */
  endSync(load: Load): void {
    this.#running = load.outer;
    load.outer = undefined;
  }

  /** Lets later callers join a load, if it is current. */
  makeJoinable(load: Load): void {
    if (!load.isCurrent) return;
    const earlier = this.#byKey.get(load.key);
    this.#byKey.set(load.key, load);
    if (earlier === undefined) return;
    // One that this load has caused, by a call of its own function, must not wait for it.
    if (load.details.forced) earlier.ownDetails.supersededBy = load;
    earlier.disown();
  }

  /** The load that runs or has ended in place of one, or this one itself; `undefined` if an invalidation has disowned it. */
  latestOf(load: Load): Load | undefined {
    let latest = load;
    while (latest.details.supersededBy !== undefined) latest = latest.details.supersededBy;
    return latest.isCurrent ? latest : undefined;
  }

  /**
   * Whether the result of a load that was superseded may be stored, until a later load ends. The latest one must be in flight, no later
   * one has stored its result, and nothing was invalidated. A load without a caller was aborted.
   */
  mayStore(load: Load): boolean {
    let latest = load;
    while (latest.details.supersededBy !== undefined) {
      latest = latest.details.supersededBy;
      const { hasStored, invalidatedSince } = latest.details;
      if (hasStored || invalidatedSince !== undefined) return false;
    }
    return this.get(load.key) === latest && load.hasCaller;
  }

  /** Ends a load; returns false if it is not current. */
  finish(load: Load): boolean {
    if (!load.isCurrent) return false;
    if (this.get(load.key) === load) this.#byKey.delete(load.key);
    return true;
  }

  /**
   * Aborts a load that no caller wants. Makes it unjoinable first, because an abort listener may call the cache. Releases its key, which a
   * load that ignores its signal and never settles would keep.
   */
  giveUp(load: Load, reason: unknown): void {
    this.finish(load);
    load.isCurrent = false;
    load.abort(reason);
    load.ownDetails.isGivenUp = true;
    release(load.key);
  }

  /** Disowns every load for a key; returns false if there is none. */
  disown(key: Key): boolean {
    let found = false;
    for (let load = this.#running; load !== undefined; load = load.outer) {
      if (!load.isCurrent || ![load.key].includes(key)) continue; // Not by ===, because a key may be NaN.
      load.disown();
      found = true;
    }
    const flight = this.get(key);
    const isInFlight = this.#byKey.delete(key);
    flight?.disown();
    return found || isInFlight;
  }

  /** Disowns every load. */
  disownAll(): void {
    for (let load = this.#running; load !== undefined; load = load.outer) load.disown();
    const flights = [...this.#byKey.values()];
    this.#byKey.clear();
    for (const flight of flights) flight.disown();
  }

  /** Makes the running loads not store a result that has one of these tags. O(loads + tags). */
  invalidateTags(tags: readonly string[]): void {
    const since = this.#invalidatedTags.count;
    let needsEarlier = false;
    const note = ({ ownDetails }: Load): void => {
      if (ownDetails.invalidatedSince === undefined) ownDetails.invalidatedSince = since;
      else needsEarlier = true;
    };
    for (let load = this.#running; load !== undefined; load = load.outer) note(load);
    for (const load of this.#byKey.values()) note(load);
    if (!needsEarlier) this.#invalidatedTags.clear();
    for (const tag of tags) this.#invalidatedTags.add(tag);
  }

  /** Whether a tag was invalidated after the first `since` invalidations. O(1). */
  isInvalidated(tag: string, since: number): boolean {
    return this.#invalidatedTags.has(tag, since);
  }

  /** Releases the key of a load that has ended, unless its callers had given it up. */
  releaseKey({ key, details }: Load): void {
    if (!details.isGivenUp) release(key);
  }
}
