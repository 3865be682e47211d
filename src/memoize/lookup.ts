/** Answers calls from the store. Decides whether a stored value may be served now, and begins refreshes. */
import type { CacheContents } from './cache-contents.js';
import type { CacheRecorder } from './cache-recorder.js';
import type { Entries } from './entries.js';
import type { Key } from './keys/key-trie.js';
import type { Loader } from './loading/loader.js';
import type { MemoizeSettings } from './memoize-options.js';
import type { FastState } from './stores/fast-state.js';
import { StagedEntry } from './stores/staged-entry.js';
import { isEntry, resultIn, type Stored } from './stores/stored.js';

/** The answer when there is nothing to serve. */
export const MISS: unique symbol = Symbol('miss');

/** The look-ups of one cache. */
export class Lookup {
  readonly #settings: MemoizeSettings;
  readonly #entries: Entries;
  readonly #loader: Loader;
  readonly #recorder: CacheRecorder;
  readonly #fast: FastState;

  constructor(
    settings: MemoizeSettings,
    { entries, fast }: CacheContents,
    loader: Loader,
    recorder: CacheRecorder,
  ) {
    this.#settings = settings;
    this.#entries = entries;
    this.#loader = loader;
    this.#recorder = recorder;
    this.#fast = fast;
  }

  /** The answer for a stored value, or {@link MISS}. Throws a failure that is remembered. */
  serve(key: Key, stored: Stored, receiver: unknown, args: readonly unknown[]): unknown {
    if (!isEntry(stored)) {
      this.#countHit(args);
      return resultIn(stored);
    }
    const now = this.#settings.clock.now();
    if (now < stored.freshUntil) {
      this.#fast.learn(now);
      this.#countHit(args);
      return stored.value;
    }
    if (stored.isDead(now)) {
      this.#entries.removeDead(key, stored);
      return MISS;
    }
    if (!(stored instanceof StagedEntry)) return MISS;
    stored.idleUntil = now + this.#settings.idleTtl; // Also if it will only be served in place of a failure.
    if (!stored.isServable(now)) return MISS;
    const isFresh = now < stored.expiresAt;
    // Before a listener is called: it may forget the key, which is not retained here.
    if (now >= stored.dueAt) this.#loader.revalidate(key, stored, receiver, args);
    if (isFresh) this.#countHit(args);
    else {
      this.#fast.hits++;
      this.#recorder.servedStale(args);
    }
    if (stored.failure === 'thrown') throw stored.settled;
    return stored.result;
  }

  #countHit(args: readonly unknown[]): void {
    this.#fast.hits++;
    this.#recorder.called('hit', args);
  }
}
