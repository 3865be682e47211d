/** The results of a cache as plain records, so that another process can begin with them. */
import { InvalidArgumentError } from '../../core/errors.js';
import {
  checkArgument,
  checkOptions,
  millis,
  numberAtLeast,
  type OptionCheck,
  type OptionChecks,
} from '../../core/options.js';
import { isThenable } from '../../core/thenable.js';
import type { AnyFn, Settled } from '../any-fn.js';
import { decodePrimitive, type EncodedPrimitive, encodePrimitive } from '../keys/encoded-args.js';
import { argsOf, hasReceiver, type KeyRef, keyOf, release } from '../keys/key-trie.js';
import type { MemoCache } from '../memo-cache.js';
import { cacheBehind } from '../memoize.js';
import type { AsReturned, Memoized } from '../memoized.js';
import { StagedEntry } from '../stores/staged-entry.js';
import { Entry, isDead, resultIn } from '../stores/stored.js';

/** One entry of a dump. JSON carries all of it without a loss, if it carries the result. */
export interface DumpedEntry<V = unknown> {
  /**
   * The list of arguments; with the option `key`, a list of the one key. Primitives that JSON does not carry are written as objects:
   * `{ u: 0 }` for undefined, `{ b: '1' }` for 1n, `{ n: 'NaN' }` for NaN.
   */
  readonly args: readonly EncodedPrimitive[];
  /** The settled result, as it is; absent for a primitive that JSON does not carry. */
  readonly value?: V;
  /** Instead of `value`: a primitive that JSON does not carry, written as in `args`. */
  readonly encoded?: EncodedPrimitive;
  /** Present if callers get a promise of the result. */
  readonly async?: true;
  /** How long the result is still fresh, in milliseconds; absent if it never expires. */
  readonly ttl?: number;
  /** In how many milliseconds a call has the result replaced in the background; absent without `refreshAfter`. */
  readonly refreshIn?: number;
  /** The tags of the result; absent if it has none. */
  readonly tags?: readonly string[];
  /** The weight of the result, from a cache with `weigh`. A cache with `weigh` needs it. */
  readonly weight?: number;
}

/**
 * Gives the fresh results of a memoized function with their arguments, in the order of its `keys`; a promise of them if the
 * function returns promises. Before the first load of a function that is not declared `async`, this is not known: the empty array is then
 * a promise, too. Leaves out results of methods. O(n).
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a function that is not memoized, and for an entry with an
 * object or a symbol in its key: no other process can know it. The option `key` makes a string of it.
 *
 * @example
 * ```ts
 * import { memoize } from 'tenure/memoize';
 * import { dump, restore } from 'tenure/memoize/dump';
 *
 * const square = (n: number): number => n * n;
 * const before = memoize(square);
 * before(3);
 * dump(before); // => [{ args: [3], value: 9 }]
 *
 * const after = memoize(square);
 * restore(after, dump(before));
 * after.has(3); // => true
 * ```
 */
export function dump<F extends AnyFn>(
  memoized: Memoized<F>,
): AsReturned<F, DumpedEntry<Settled<F>>[]> {
  const cache = cacheBehind('dump', memoized);
  const now =
    cache.settings.expires || !cache.contents.fast.isOpen ? cache.settings.clock.now() : 0;
  const found: Dumped[] = [];
  for (const ref of cache.refs()) {
    const dumped = dumpEntry(cache, ref, now);
    if (dumped !== undefined) found.push(dumped);
  }
  if (!cache.loader.isAsync) {
    const isKnown = found.length > 0 || cache.recorder.counters.loads > 0;
    return (isKnown ? found.map(writeEntry) : emptyDump()) as never;
  }
  return Promise.all(
    found.map(async ({ value, ...rest }) => writeEntry({ ...rest, value: await value })),
  ) as never;
}

/**
 * Stores results that {@link dump} has given, from a cache with this function and this `key`. They replace the present results for
 * their arguments. Their `ttl` and `refreshAfter` continue from the time of the dump. In a cache with `shared` they are stale from the
 * start. O(n).
 *
 * @example
 * ```ts
 * import { memoize } from 'tenure/memoize';
 * import { restore } from 'tenure/memoize/dump';
 *
 * const square = memoize((n: number): number => n * n);
 * restore(square, [{ args: [3], value: 9, ttl: 60_000 }]);
 * square.has(3); // => true
 * ```
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a function that is not memoized, for entries that are no
 * array, and for an entry that is malformed, or that has no `weight` for a cache with `weigh`. Nothing is stored then.
 */
export function restore<F extends AnyFn>(
  memoized: Memoized<F>,
  entries: Iterable<DumpedEntry<Settled<F>>>,
): void {
  const cache = cacheBehind('restore', memoized);
  checkArgument('restore', 'entries', entries, (value) =>
    typeof value === 'object' && value !== null && Symbol.iterator in value
      ? undefined
      : 'an array, as dump() gives it, or its promise awaited',
  );
  const read = Array.from(entries, (entry) => readEntry(entry, cache.settings));
  for (const entry of read) restoreEntry(cache, entry);
}

/** A dump of a function that may return promises or not: an empty array, and a promise of one. `JSON.stringify` gives `[]`. */
function emptyDump(): DumpedEntry[] {
  const promise = Promise.resolve([]);
  const methodOf = (name: 'then' | 'catch' | 'finally') => ({
    value: promise[name].bind(promise) as unknown,
  });
  return Object.defineProperties([], {
    // biome-ignore lint/suspicious/noThenProperty: the caller of an asynchronous function waits for its dump.
    then: methodOf('then'),
    catch: methodOf('catch'),
    finally: methodOf('finally'),
  });
}

/** An entry on its way from or to a cache. */
interface Dumped {
  readonly args: readonly unknown[];
  readonly value: unknown;
  readonly async?: true;
  readonly ttl?: number;
  readonly refreshIn?: number;
  readonly tags?: readonly string[];
  readonly weight?: number;
}

function writeEntry({ args, value, ...rest }: Dumped): DumpedEntry {
  const encodedArgs = args.map(encodePrimitive);
  if (encodedArgs.includes(undefined)) {
    throw new InvalidArgumentError(
      'dump: an entry has an object or a symbol in its key, which no other process can know. Give the cache a `key` that returns a string or a number.',
    );
  }
  const encoded = Object.is(value, -0) ? { n: '-0' } : encodePrimitive(value);
  const isCarried = encoded === undefined || encoded === value;
  return {
    args: encodedArgs as EncodedPrimitive[],
    ...(isCarried ? { value } : { encoded }),
    ...rest,
  };
}

const ENTRY_CHECKS: OptionChecks<DumpedEntry> = {
  args: (value) => (Array.isArray(value) ? undefined : 'an array, as dump() gives it'),
  value: () => undefined,
  encoded: () => undefined,
  async: (value) => (value === true ? undefined : 'true, or absent'),
  ttl: millis,
  refreshIn: millis,
  tags: (value) =>
    Array.isArray(value) && value.every((tag) => typeof tag === 'string')
      ? undefined
      : 'an array of strings',
  weight: numberAtLeast(0),
};

const aKeyAlone: OptionCheck = (args) =>
  (args as unknown[]).length === 1
    ? undefined
    : 'a list of one key, because the cache has the option `key`';

function readEntry(entry: DumpedEntry, { key, weigh }: MemoCache['settings']): Dumped {
  checkArgument('restore', 'entry', entry, (value) =>
    typeof value === 'object' && value !== null ? undefined : 'an object, as dump() gives it',
  );
  const { args, value, encoded, ...rest } = checkOptions('restore', entry, ENTRY_CHECKS);
  checkArgument('restore', 'args', args, ENTRY_CHECKS.args);
  if (key !== undefined) checkArgument('restore', 'args', args, aKeyAlone);
  if (weigh !== undefined) checkArgument('restore', 'weight', rest.weight, ENTRY_CHECKS.weight);
  return {
    ...rest,
    args: args.map(decodePrimitive),
    value: encoded === undefined ? value : decodePrimitive(encoded),
  };
}

function restoreEntry(cache: MemoCache, entry: Dumped): void {
  const {
    args,
    value,
    async: isAsync = false,
    ttl,
    refreshIn = Infinity,
    tags,
    weight = 0,
  } = entry;
  const { settings, loader, contents } = cache;
  const terms = contents.entries.retention.complete({
    ttl: Math.min(ttl ?? Infinity, typeof settings.ttl === 'number' ? settings.ttl : Infinity),
    tags: tags && new Set(tags),
    weight: settings.weigh === undefined ? 0 : weight,
  });
  if (cache.isDisposed || terms === undefined) return;
  const key = contents.trie.intern(undefined, args);
  if (key === undefined) return;
  contents.flights.disown(key);
  if (isAsync) loader.isAsync = true;
  const result = isAsync ? Promise.resolve(value) : value;
  const stored = contents.entries.put(key, result, value, terms);
  if (stored instanceof StagedEntry && settings.refreshAfter !== Infinity) {
    stored.setDueAt(Math.min(stored.dueAt, settings.clock.now() + refreshIn));
  }
  cache.storedApart(args);
  if (settings.shared !== undefined) contents.entries.markStale(stored, 0); // Another process may have invalidated it.
  release(key);
}

function dumpEntry(cache: MemoCache, ref: KeyRef, now: number): Dumped | undefined {
  const key = keyOf(ref);
  const args = argsOf(ref);
  if (key === undefined || args === undefined || hasReceiver(ref)) return undefined;
  const stored = cache.contents.store.peek(key);
  const isStaged = stored instanceof StagedEntry;
  if (isDead(stored, now) || (isStaged && stored.failure !== undefined)) return undefined;
  const expiresAt = isStaged
    ? stored.expiresAt
    : stored instanceof Entry
      ? stored.freshUntil
      : Infinity;
  if (now >= expiresAt) return undefined;
  const tags = cache.contents.entries.tagsOf(ref);
  const value = resultIn(stored);
  return {
    args,
    value,
    ...(isThenable(value) ? { async: true as const } : {}),
    ...(expiresAt === Infinity ? {} : { ttl: expiresAt - now }),
    ...(isStaged && cache.settings.refreshAfter !== Infinity
      ? { refreshIn: Math.max(0, stored.dueAt - now) }
      : {}),
    ...(tags === undefined ? {} : { tags: [...tags] }),
    ...(isStaged && cache.settings.weigh !== undefined ? { weight: stored.weight } : {}),
  };
}
