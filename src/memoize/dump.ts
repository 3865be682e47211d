/** A cache's contents as plain records, so that the next process can begin with them. */

import { argsOf, hasReceiver, type KeyRef, keyOf } from './keys/key-trie.js';
import type { MemoCache } from './memo-cache.js';
import { StagedEntry } from './stores/staged-entry.js';
import { Entry, resultIn } from './stores/stored.js';

/** One entry, written down. */
export interface DumpedEntry<A = unknown, V = unknown> {
  /** The list of arguments; with the option `key`, a list of that key alone. */
  readonly args: A;
  /** The result, settled. */
  readonly value: V;
  /** Whether callers are given a promise of it. */
  readonly async?: true;
  /** How long it is still fresh, in milliseconds; for ever without. */
  readonly ttl?: number;
  /** Its tags. */
  readonly tags?: readonly string[];
  /** Its weight. */
  readonly weight?: number;
}

/** The fresh entries, least valued first; a promise of them if their results are promises. */
export function dumpCache(cache: MemoCache): DumpedEntry[] | Promise<DumpedEntry[]> {
  const now =
    cache.settings.expires || !cache.fast.storesBareResults ? cache.settings.clock.now() : 0;
  const entries: DumpedEntry[] = [];
  for (const ref of cache.refs()) {
    const entry = dumpEntry(cache, ref, now);
    if (entry !== undefined) entries.push(entry);
  }
  if (!cache.asynchronous) return entries;
  return Promise.all(
    entries.map(async (entry) => ({ ...entry, value: await entry.value, async: true as const })),
  );
}

/** Stores dumped entries in place of what is stored for the same arguments. */
export function loadDump(cache: MemoCache, entries: Iterable<DumpedEntry>): void {
  for (const { args, value, async: promised, ttl, tags, weight } of entries) {
    cache.restore(args as readonly unknown[], value, promised === true, {
      ttl: ttl ?? Number.POSITIVE_INFINITY,
      tags: tags === undefined || tags.length === 0 ? undefined : new Set(tags),
      weight: cache.settings.weigh === undefined ? 0 : (weight ?? 0),
    });
  }
}

function dumpEntry(cache: MemoCache, ref: KeyRef, now: number): DumpedEntry | undefined {
  const key = keyOf(ref);
  const args = argsOf(ref);
  if (key === undefined || args === undefined || hasReceiver(ref)) return undefined;
  const stored = cache.store.peek(key);
  const lived = stored instanceof StagedEntry;
  if (lived && (stored.failure !== undefined || stored.collected)) return undefined;
  const expiresAt = lived ? stored.expiresAt : stored instanceof Entry ? stored.freshUntil : Infinity;
  if (now >= expiresAt) return undefined;
  const tags = cache.shelf.tagsOf(ref);
  return {
    args,
    value: lived ? stored.settled : resultIn(stored),
    ...(expiresAt === Infinity ? {} : { ttl: expiresAt - now }),
    ...(tags === undefined ? {} : { tags: [...tags] }),
    ...(lived && stored.weight > 0 ? { weight: stored.weight } : {}),
  };
}
