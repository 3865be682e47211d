/**
 * The loads that run: those whose promise others can join, and those whose synchronous part is on the stack, which are
 * chained by `outer`, since what a function itself calls may invalidate what it is about to return.
 */
import type { Key } from '../keys/key-trie.js';
import { Load } from './load.js';

/** Loads in flight, by key. */
export class Flights {
  readonly #byKey = new Map<Key, Load>();
  /** The innermost load whose synchronous part is running. */
  #running: Load | undefined = undefined;
  /** A load that is over: to V8, one more object that is new and referred to by an old one costs as much as a hit. */
  #spare: Load | undefined = undefined;

  /** How many loads can be joined. */
  get size(): number {
    return this.#byKey.size;
  }

  /** The load that can be joined for this key. */
  get(key: Key): Load | undefined {
    return this.#byKey.size === 0 ? undefined : this.#byKey.get(key);
  }

  /** A load whose synchronous part begins; {@link endSync} ends that. */
  beginSync(key: Key): Load {
    const load = new Load(key, this.#running);
    this.#running = load;
    return load;
  }

  /** The same for a load that may be {@link recycle recycled}. */
  reuseOrBegin(key: Key): Load {
    const load = this.#spare;
    if (load === undefined) return this.beginSync(key);
    this.#spare = undefined;
    load.key = key;
    load.outer = this.#running;
    this.#running = load;
    return load;
  }

  /** Nobody has this load any more, and it was not overtaken. */
  recycle(load: Load): void {
    if (load.hasNoDetails) this.#spare = load;
  }

  /** The synchronous part of a load is over. */
  endSync(load: Load): void {
    this.#running = load.outer;
    load.outer = undefined;
  }

  /** Lets others join a load, unless it was overtaken before it first waited. */
  makeJoinable(load: Load): void {
    if (!load.isCurrent) return;
    const overtaken = this.#byKey.get(load.key);
    this.#byKey.set(load.key, load);
    overtaken?.disown();
  }

  /** Ends a flight; false for a load that was overtaken. */
  finish(load: Load): boolean {
    if (!load.isCurrent) return false;
    if (this.get(load.key) === load) this.#byKey.delete(load.key);
    return true;
  }

  /** Aborts a load that nobody wants any more. It cannot be joined by then: who is told of the abort may call again. */
  giveUp(load: Load, reason: unknown): void {
    this.finish(load);
    load.isCurrent = false;
    load.abort(reason);
  }

  /** Disowns every load for this key; false for none. */
  disown(key: Key): boolean {
    let found = false;
    for (let load = this.#running; load !== undefined; load = load.outer) {
      if (load.key !== key || !load.isCurrent) continue;
      load.disown();
      found = true;
    }
    const flight = this.get(key);
    if (flight === undefined) return found;
    this.#byKey.delete(key);
    flight.disown();
    return true;
  }

  /** Disowns every load. */
  disownAll(): void {
    for (let load = this.#running; load !== undefined; load = load.outer) load.disown();
    const flights = [...this.#byKey.values()];
    this.#byKey.clear();
    for (const flight of flights) flight.disown();
  }

  /** Results with one of these tags are out of date if their load has begun already. */
  invalidateTags(tags: readonly string[]): void {
    for (let load = this.#running; load !== undefined; load = load.outer) suspect(load, tags);
    for (const load of this.#byKey.values()) suspect(load, tags);
  }
}

function suspect(load: Load, tags: readonly string[]): void {
  const details = load.ownDetails;
  details.suspectTags ??= new Set();
  for (const tag of tags) details.suspectTags.add(tag);
}
