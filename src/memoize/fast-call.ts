/**
 * The fast paths of a hit: one closure for each kind of store, chosen when the cache is made.
 *
 * A hit on one primitive is one look-up in the `Map` or in lru-cache. A hit on one object is one look-up in a `WeakMap`, and in a
 * bounded cache a second one in lru-cache. A hit on two arguments is one look-up for each. No key is built.
 *
 * The closures are as short as possible, so that V8 inlines them with the look-up. Without the inlining a hit takes up to half
 * as long again. Nothing is checked twice. Parameters are used instead of outer variables, because V8 knows that they are
 * initialized. There is no rest array, whose elements take more bytecode. V8 shares what it learns about a function among all
 * closures of it, so each kind of store has a function of its own. `test/bytecode.test.ts` holds the budget.
 *
 * ## Time
 *
 * Reading the clock takes longer than the rest of a hit. A closure compares the end of an entry's freshness with a horizon
 * (`core/coarse-clock.ts`): an entry that is fresh beyond it is served. Otherwise, and with every 64th hit, `CheckedHits.late`
 * reads the clock.
 *
 * ## Other calls
 *
 * All other calls take `MemoCache.call`. The arguments are spread into it: V8 forwards them from the stack and never makes the
 * rest array. An array would escape. Each hit would then allocate one, for 5 to 10 ns, a third of its cost.
 *
 * ## Strict mode
 *
 * Each closure asks for it. esbuild writes CommonJS without it, and there `this` of a plain call is the global object.
 */
import type { Callable } from './any-fn.js';
import type { KeyLevel } from './keys/key-level.js';
import type { MemoCache } from './memo-cache.js';
import { type FastState, HITS_PER_CLOCK_READING } from './stores/fast-state.js';
import type { Store } from './stores/store.js';
import type { Entry, Stored } from './stores/stored.js';

/** A memoized function that takes its receiver as the first argument. */
type CallOn = (receiver: unknown, ...args: unknown[]) => unknown;

/** The fastest way into a cache. */
export function callThrough(cache: MemoCache, ownReceiver: boolean): Callable {
  const { settings, contents } = cache;
  const { store, fast } = contents;
  const { key, expires, hasStages } = settings;
  if (key !== undefined)
    return withKey(fast, key as Callable, expires, keyedCalls(cache, ownReceiver));
  const others = otherCalls(cache, store, ownReceiver, () => call);
  const late = lateHits(cache);
  let call: Callable;
  if (store.fastPath === 'maps') {
    call = expires ? timedInMaps(fast, late, others) : inMaps(fast, pairs(cache), others);
  } else if (store.fastPath === 'list') {
    const timed = hasStages ? stagedInList : timedInList;
    call = expires ? timed(fast, late, others) : inList(fast, others);
  } else {
    call = expires ? timedInStore(fast, store, late, others) : inStore(fast, store, others);
  }
  return call;
}

// biome-ignore-start lint/complexity/noArguments: see the head of this file.
// biome-ignore-start lint/suspicious/noRedundantUseStrict: see the head of this file.

function inMaps(
  fast: FastState,
  callPair: (first: unknown, second: unknown) => unknown,
  others: CallOn,
): Callable {
  const hitInMaps: Callable = function (arg) {
    'use strict';
    if (this === undefined) {
      if (arguments.length === 1) {
        const state = fast;
        const stored =
          typeof arg === 'object' && arg !== null ? state.byObject.get(arg) : state.byKey.get(arg);
        if (stored !== undefined) {
          state.hits++;
          return stored;
        }
      } else if (arguments.length === 2) return callPair(arg, arguments[1]);
    }
    return others(this, ...arguments);
  };
  return hitInMaps;
}

function timedInMaps(fast: FastState, late: LateHit, others: CallOn): Callable {
  const timedHitInMaps: Callable = function (arg) {
    'use strict';
    if (this === undefined && arguments.length === 1) {
      const state = fast;
      const entry = (
        typeof arg === 'object' && arg !== null ? state.byObject.get(arg) : state.byKey.get(arg)
      ) as Entry | undefined;
      if (entry !== undefined) {
        if (state.horizon < entry.freshTick && (state.hits & HITS_PER_CLOCK_READING) !== 0) {
          state.hits++;
          return entry.value;
        }
        return late(entry, arg);
      }
    }
    return others(this, ...arguments);
  };
  return timedHitInMaps;
}

function inList(fast: FastState, others: CallOn): Callable {
  const hitInList: Callable = function (arg) {
    'use strict';
    if (this === undefined && arguments.length === 1) {
      const state = fast;
      const stored = state.byKey.get(
        typeof arg === 'object' && arg !== null ? state.top.byObject.get(arg) : arg,
      );
      if (stored !== undefined) {
        state.hits++;
        return stored;
      }
    }
    return others(this, ...arguments);
  };
  return hitInList;
}

function timedInList(fast: FastState, late: LateHit, others: CallOn): Callable {
  const timedHitInList: Callable = function (arg) {
    'use strict';
    if (this === undefined && arguments.length === 1) {
      const state = fast;
      const entry = state.byKey.get(
        typeof arg === 'object' && arg !== null ? state.top.byObject.get(arg) : arg,
      ) as Entry | undefined;
      if (entry !== undefined) {
        if (state.horizon < entry.freshTick && (state.hits & HITS_PER_CLOCK_READING) !== 0) {
          state.hits++;
          return entry.value;
        }
        return late(entry, arg);
      }
    }
    return others(this, ...arguments);
  };
  return timedHitInList;
}

/** Hits on entries with stages. In one function with {@link timedInList}, the two classes of entries take each hit 3 to 5 ns more. */
function stagedInList(fast: FastState, late: LateHit, others: CallOn): Callable {
  const stagedHitInList: Callable = function (arg) {
    'use strict';
    if (this === undefined && arguments.length === 1) {
      const state = fast;
      const entry = state.byKey.get(
        typeof arg === 'object' && arg !== null ? state.top.byObject.get(arg) : arg,
      ) as Entry | undefined;
      if (entry !== undefined) {
        if (state.horizon < entry.freshTick && (state.hits & HITS_PER_CLOCK_READING) !== 0) {
          state.hits++;
          return entry.value;
        }
        return late(entry, arg);
      }
    }
    return others(this, ...arguments);
  };
  return stagedHitInList;
}

function inStore(fast: FastState, store: Store, others: CallOn): Callable {
  const hitInStore: Callable = function (arg) {
    'use strict';
    if (this === undefined && arguments.length === 1 && fast.isOpen) {
      const stored = store.get(
        (typeof arg === 'object' && arg !== null ? fast.top.byObject.get(arg) : arg) as KeyLevel,
      );
      if (stored !== undefined) {
        fast.hits++;
        return stored;
      }
    }
    return others(this, ...arguments);
  };
  return hitInStore;
}

function timedInStore(fast: FastState, store: Store, late: LateHit, others: CallOn): Callable {
  const timedHitInStore: Callable = function (arg) {
    'use strict';
    if (this === undefined && arguments.length === 1 && fast.isOpen) {
      const entry = store.get(
        (typeof arg === 'object' && arg !== null ? fast.top.byObject.get(arg) : arg) as KeyLevel,
      ) as Entry | undefined;
      if (entry !== undefined) {
        if (fast.horizon < entry.freshTick && (fast.hits & HITS_PER_CLOCK_READING) !== 0) {
          fast.hits++;
          return entry.value;
        }
        return late(entry, arg);
      }
    }
    return others(this, ...arguments);
  };
  return timedHitInStore;
}

/** Hits of a cache with the option `key`, in any store. */
function withKey(fast: FastState, keyOf: Callable, expires: boolean, others: KeyedCalls): Callable {
  const keyedHit: Callable = function () {
    'use strict';
    if (this !== undefined) return others.on(this, ...arguments);
    let key: unknown;
    try {
      key = keyOf(...arguments);
    } catch (error) {
      return others.failed(error);
    }
    if (typeof key === 'string' || typeof key === 'number') {
      const state = fast;
      const stored = state.byKey.get(key);
      if (stored !== undefined) {
        if (!expires) {
          state.hits++;
          return stored;
        }
        const { freshTick, value } = stored as Entry;
        if (state.horizon < freshTick && (state.hits & HITS_PER_CLOCK_READING) !== 0) {
          state.hits++;
          return value;
        }
      }
    }
    return others.by(key, ...arguments);
  };
  return keyedHit;
}

// biome-ignore-end lint/complexity/noArguments: see the head of this file.
// biome-ignore-end lint/suspicious/noRedundantUseStrict: see the head of this file.

/** A call with one argument that found an entry which may have expired. */
type LateHit = (entry: Entry, arg: unknown) => unknown;

function lateHits(cache: MemoCache): LateHit {
  const { fast } = cache.contents;
  const { clock } = cache.settings;
  return (entry, arg) => {
    const now = clock.now();
    if (!(now < entry.freshUntil)) return cache.call(undefined, arg); // Either may be NaN, by a clock that fails.
    fast.learn(now);
    fast.hits++;
    return entry.value;
  };
}

/** Calls of an unbounded cache with two arguments. */
function pairs(cache: MemoCache): (first: unknown, second: unknown) => unknown {
  const { fast } = cache.contents;
  return (first, second) => {
    const stored = fast.pairLevel(first, second)?.stored;
    if (stored === undefined) return cache.call(undefined, first, second);
    fast.hits++;
    return stored;
  };
}

/** Calls that are no hit on one argument: misses, hits on several arguments, calls with a receiver. */
function otherCalls(
  cache: MemoCache,
  store: Store,
  ownReceiver: boolean,
  again: () => Callable,
): CallOn {
  const { fast } = cache.contents;
  const { isPlain, expires, clock } = cache.settings;
  const isUnbounded = store.fastPath === 'maps';
  return (caller, ...args) => {
    if (caller !== undefined) return ownReceiver ? cache.call(caller, ...args) : again()(...args);
    if (fast.isOpen) {
      const { length } = args;
      const arg = args[0];
      const isMiss = length === 1 && (isUnbounded || isOwnKey(arg));
      if (isMiss) {
        if (isPlain && !isUnbounded) return cache.callMissed(arg as string | number);
      } else {
        const level = fast.levelOf(length, arg, args[1]);
        const stored: Stored = level === undefined ? undefined : store.get(level);
        if (stored !== undefined) {
          if (!expires) {
            fast.hits++;
            return stored;
          }
          const entry = stored as Entry;
          if (clock.now() < entry.freshUntil) {
            fast.hits++;
            return entry.value;
          }
        }
      }
    }
    return cache.call(undefined, ...args);
  };
}

/** The calls of a cache with the option `key` that are no plain hit. */
interface KeyedCalls {
  /** A call without a receiver, by its key. */
  by(key: unknown, ...args: unknown[]): unknown;
  /** A call on an object. */
  on(receiver: unknown, ...args: unknown[]): unknown;
  /** A call for which the option `key` has thrown. */
  failed(error: unknown): unknown;
}

function keyedCalls(cache: MemoCache, ownReceiver: boolean): KeyedCalls {
  return {
    by: (key, ...args) => cache.callBy(key, undefined, ...args),
    on: (receiver, ...args) => cache.call(ownReceiver ? receiver : undefined, ...args),
    failed: (error) => cache.failed(error),
  };
}

/** Whether an argument is a key by itself, without a level of the key trie. */
function isOwnKey(arg: unknown): arg is string | number {
  return typeof arg === 'string' || typeof arg === 'number';
}
