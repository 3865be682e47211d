/** The results of a cache as plain records, so that another process can begin with them. */
import type { AnyFn, Settled } from '../any-fn.js';
import { argsOf, hasReceiver, type KeyRef, keyOf, release } from '../keys/key-trie.js';
import type { MemoCache } from '../memo-cache.js';
import { cacheBehind } from '../memoize.js';
import type { AsReturned, Memoized } from '../memoized.js';
import { StagedEntry } from '../stores/staged-entry.js';
import { Entry, resultIn } from '../stores/stored.js';

/** One entry of a dump. */
export interface DumpedEntry<A = unknown, V = unknown> {
  /** The list of arguments; with the option `key`, a list of the one key. */
  readonly args: A;
  /** The settled result. */
  readonly value: V;
  /** Present if callers get a promise of the result. */
  readonly async?: true;
  /** How long the result is still fresh, in milliseconds; absent if it never expires. */
  readonly ttl?: number;
  /** The tags of the result; absent if it has none. */
  readonly tags?: readonly string[];
  /** The weight of the result; absent if it is 0. */
  readonly weight?: number;
}

/** The arguments in a dump: those of the call, or a list of the one key that the option `key` made of them. */
export type DumpedArgs<F extends AnyFn> = Parameters<F> | [key: unknown];

/**
 * Gives the fresh results of a memoized function with their arguments, least recently used first; a promise of them if the
 * function returns promises. Leaves out results of methods, and entries with a collected object in their key. O(n).
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a function that is not memoized.
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
): AsReturned<F, DumpedEntry<DumpedArgs<F>, Settled<F>>[]> {
  const cache = cacheBehind('dump', memoized);
  const now =
    cache.settings.expires || !cache.contents.fast.isOpen ? cache.settings.clock.now() : 0;
  const entries: DumpedEntry[] = [];
  for (const ref of cache.refs()) {
    const entry = dumpEntry(cache, ref, now);
    if (entry !== undefined) entries.push(entry);
  }
  if (!cache.loader.isAsync) return entries as never;
  return Promise.all(
    entries.map(async (entry) => ({ ...entry, value: await entry.value, async: true as const })),
  ) as never;
}

/**
 * Stores results that {@link dump} has given, from a cache with this function and this `key`. They replace the present results
 * for their arguments. Their `ttl` continues from the time of the dump. O(n).
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
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a function that is not memoized.
 */
export function restore<F extends AnyFn>(
  memoized: Memoized<F>,
  entries: Iterable<DumpedEntry<DumpedArgs<F>, Settled<F>>>,
): void {
  const cache = cacheBehind('restore', memoized);
  for (const entry of entries) restoreEntry(cache, entry);
}

function restoreEntry(cache: MemoCache, entry: DumpedEntry): void {
  const { args, value, async: isAsync = false, ttl, tags, weight = 0 } = entry;
  const { settings, loader, contents } = cache;
  const terms = {
    ttl: ttl ?? Number.POSITIVE_INFINITY,
    tags: tags === undefined || tags.length === 0 ? undefined : new Set(tags),
    weight: settings.weigh === undefined ? 0 : weight,
  };
  if (cache.isDisposed || settings.max === 0 || terms.weight > settings.maxWeight) return;
  const key = contents.trie.intern(undefined, args as readonly unknown[]);
  if (key === undefined) return;
  contents.flights.disown(key);
  if (isAsync) loader.isAsync = true;
  contents.entries.put(key, isAsync ? Promise.resolve(value) : value, value, terms);
  cache.storedApart(args as readonly unknown[]);
  release(key);
}

function dumpEntry(cache: MemoCache, ref: KeyRef, now: number): DumpedEntry | undefined {
  const key = keyOf(ref);
  const args = argsOf(ref);
  if (key === undefined || args === undefined || hasReceiver(ref)) return undefined;
  const stored = cache.contents.store.peek(key);
  const isStaged = stored instanceof StagedEntry;
  if (isStaged && (stored.failure !== undefined || stored.collected)) return undefined;
  const expiresAt = isStaged
    ? stored.expiresAt
    : stored instanceof Entry
      ? stored.freshUntil
      : Infinity;
  if (now >= expiresAt) return undefined;
  const tags = cache.contents.entries.tagsOf(ref);
  return {
    args,
    value: isStaged ? stored.settled : resultIn(stored),
    ...(expiresAt === Infinity ? {} : { ttl: expiresAt - now }),
    ...(tags === undefined ? {} : { tags: [...tags] }),
    ...(isStaged && stored.weight > 0 ? { weight: stored.weight } : {}),
  };
}
