/**
 * The fast paths of a hit: one closure for each kind of store, chosen when the cache is made.
 *
 * A hit on one primitive is one look-up in the `Map` or in lru-cache. A hit on one object is one look-up in a `WeakMap`, and a
 * hit on two arguments is one look-up for each. No key is built, and without a `ttl` no clock is read.
 *
 * All other calls take `MemoCache.call`. The arguments are spread into it: V8 forwards them from the stack and never makes the
 * rest array. An array would escape. Each hit would then allocate one, for 5 to 10 ns, a third of its cost.
 */
import type { Key } from './keys/key-trie.js';
import type { MemoCache } from './memo-cache.js';
import type { FastState } from './stores/fast-state.js';
import type { Store } from './stores/store.js';
import type { Entry, Stored } from './stores/stored.js';

/** A memoized function, as it is called. */
export type Call = (this: unknown, ...args: unknown[]) => unknown;

/** A memoized function that takes its receiver as the first argument. */
type CallOn = (receiver: unknown, ...args: unknown[]) => unknown;

/** The fastest way into a cache. */
export function callThrough(cache: MemoCache, ownReceiver: boolean): Call {
  const { store, settings } = cache;
  if (settings.key === undefined) {
    if (store.fastPath === 'maps') {
      return settings.expires ? timedMaps(cache, ownReceiver) : bareMaps(cache, ownReceiver);
    }
    if (store.fastPath === 'list') {
      return settings.expires
        ? timedList(cache, store, ownReceiver)
        : bareList(cache, store, ownReceiver);
    }
    if (store.fastPath === 'get' && !settings.expires) return bareGet(cache, store, ownReceiver);
  }
  return function (...args) {
    return cache.call(ownReceiver ? this : undefined, ...args);
  };
}

function bareMaps(cache: MemoCache, ownReceiver: boolean): Call {
  const { fast } = cache;
  const callPair = (first: unknown, second: unknown): unknown => {
    const stored = fast.pairLevel(first, second)?.stored;
    if (stored !== undefined) {
      fast.hits++;
      return stored;
    }
    return cache.call(undefined, first, second);
  };
  const call = inMaps(fast, callPair, (caller, ...args) =>
    caller === undefined || ownReceiver ? cache.call(caller, ...args) : call(...args),
  );
  return call;
}

/**
 * Answers a hit on one argument from the maps of an unbounded store. `callPair` takes two arguments, and `others` takes the rest.
 *
 * The code of this function and of {@link inList} is as short as possible, so that V8 inlines it with the look-up. Without the
 * inlining a hit takes up to half as long again. Nothing is checked twice. Parameters are used instead of outer variables,
 * because V8 knows that they are initialized. There is no rest array, whose elements take more bytecode.
 * `test/bytecode.test.ts` holds the budget.
 */
function inMaps(
  fast: FastState,
  callPair: (first: unknown, second: unknown) => unknown,
  others: CallOn,
): Call {
  const hitInMaps: Call = function (arg) {
    // biome-ignore-start lint/complexity/noArguments: see above.
    if (this === undefined) {
      if (arguments.length === 1) {
        const state = fast;
        const stored =
          typeof arg === 'object' && arg !== null
            ? state.objects.get(arg)
            : state.primitives.get(arg);
        if (stored !== undefined) {
          state.hits++;
          return stored;
        }
      } else if (arguments.length === 2) return callPair(arg, arguments[1]);
    }
    return others(this, ...arguments);
    // biome-ignore-end lint/complexity/noArguments: see above.
  };
  return hitInMaps;
}

function timedMaps(cache: MemoCache, ownReceiver: boolean): Call {
  const { fast } = cache;
  const { clock } = cache.settings;
  return function (...args) {
    const receiver = ownReceiver ? this : undefined;
    if (receiver === undefined) {
      const arg = args[0];
      let stored: Stored;
      if (args.length === 1) {
        stored =
          typeof arg === 'object' && arg !== null
            ? fast.objects.get(arg)
            : fast.primitives.get(arg);
      } else if (args.length === 2) stored = fast.pairLevel(arg, args[1])?.stored;
      const entry = stored as Entry | undefined;
      if (entry !== undefined && clock.now() < entry.freshUntil) {
        fast.hits++;
        return entry.value;
      }
    }
    return cache.call(receiver, ...args);
  };
}

function bareList(cache: MemoCache, store: Store, ownReceiver: boolean): Call {
  const call = inList(
    cache.fast,
    boundedOthers(cache, store, ownReceiver, () => call),
  );
  return call;
}

/**
 * Answers a hit on one argument from lru-cache's list, in which only a primitive is found. With lru-cache's `get` it just fits
 * into what V8 inlines.
 */
function inList(fast: FastState, others: CallOn): Call {
  const hitInList: Call = function (arg) {
    // biome-ignore-start lint/complexity/noArguments: see `inMaps`.
    if (this === undefined && arguments.length === 1) {
      const state = fast;
      const stored = state.lru.get(arg as Key);
      if (stored !== undefined) {
        state.hits++;
        return stored;
      }
    }
    return others(this, ...arguments);
    // biome-ignore-end lint/complexity/noArguments: see `inMaps`.
  };
  return hitInList;
}

/** Only for results that never expire: an expired result would count as a use here, and again in the slow path. */
function bareGet(cache: MemoCache, store: Store, ownReceiver: boolean): Call {
  const { fast } = cache;
  const others = boundedOthers(cache, store, ownReceiver, () => call);
  const call: Call = function (...args) {
    if (this === undefined && args.length === 1 && fast.isOpen) {
      const stored = store.get(args[0] as Key);
      if (stored !== undefined) {
        fast.hits++;
        return stored;
      }
    }
    return others(this, ...args);
  };
  return call;
}

/** The other calls of a bounded cache whose results never expire: misses, objects, two arguments, receivers. */
function boundedOthers(
  cache: MemoCache,
  store: Store,
  ownReceiver: boolean,
  again: () => Call,
): CallOn {
  const { fast } = cache;
  const { isPlain } = cache.settings;
  return (caller, ...args) => {
    if (caller !== undefined) return ownReceiver ? cache.call(caller, ...args) : again()(...args);
    if (fast.isOpen) {
      const arg = args[0];
      if (args.length > 1 || !isOwnKey(arg)) {
        const level = fast.levelOf(args.length, arg, args[1]);
        const stored = level === undefined ? undefined : store.get(level);
        if (stored !== undefined) {
          fast.hits++;
          return stored;
        }
      } else if (isPlain) return cache.callMissed(arg);
    }
    return cache.call(undefined, ...args);
  };
}

function timedList(cache: MemoCache, store: Store, ownReceiver: boolean): Call {
  const { fast } = cache;
  const { clock, isPlain } = cache.settings;
  return function (...args) {
    const receiver = ownReceiver ? this : undefined;
    if (receiver === undefined && fast.isOpen) {
      const arg = args[0];
      let stored: Stored;
      if (args.length === 1 && isOwnKey(arg)) {
        stored = fast.lru.get(arg);
        if (stored === undefined && isPlain) return cache.callMissed(arg);
      } else {
        const level = fast.levelOf(args.length, arg, args[1]);
        if (level !== undefined) stored = store.get(level);
      }
      const entry = stored as Entry | undefined;
      if (entry !== undefined && clock.now() < entry.freshUntil) {
        fast.hits++;
        return entry.value;
      }
    }
    return cache.call(receiver, ...args);
  };
}

/** Whether an argument is a key by itself, without a level of the key trie. */
function isOwnKey(arg: unknown): arg is string | number {
  return typeof arg === 'string' || typeof arg === 'number';
}
