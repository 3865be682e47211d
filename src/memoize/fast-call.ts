/**
 * The paths that make a hit cheap: one closure for each kind of store, chosen when the cache is made.
 *
 * A hit on one primitive is one look-up in the `Map` or in lru-cache, on one object in a `WeakMap`, on two arguments one
 * for each. No key is built and no clock is read without a `ttl`. Everything else takes `MemoCache.call`, to which the
 * arguments are spread: V8 then forwards them from the stack and never makes the rest array. Passed as an array they
 * would escape, and every hit would allocate one, for 5 to 10 ns, a third of its cost.
 */

import type { Key } from './keys/key-trie.js';
import type { MemoCache } from './memo-cache.js';
import type { FastState } from './stores/fast-state.js';
import { LruStore } from './stores/lru-store.js';
import { MapStore } from './stores/map-store.js';
import { S3FifoStore } from './stores/s3-fifo-store.js';
import type { BoundedStore } from './stores/store.js';
import type { Entry, Stored } from './stores/stored.js';

/** A function with a memory, as it is called. */
export type Call = (this: unknown, ...args: unknown[]) => unknown;

/** The same with the receiver as the first argument. */
type Called = (receiver: unknown, ...args: unknown[]) => unknown;

/** The quickest way into a cache. */
export function callThrough(cache: MemoCache, ownReceiver: boolean): Call {
  const { store, settings } = cache;
  if (settings.key === undefined) {
    const lasting = !settings.expires;
    if (store instanceof MapStore) {
      return lasting ? unbounded(cache, ownReceiver) : unboundedTimed(cache, store, ownReceiver);
    }
    if (store instanceof LruStore) {
      return (lasting ? bounded : boundedTimed)(cache, store, ownReceiver);
    }
    if (store instanceof S3FifoStore && lasting) return counted(cache, store, ownReceiver);
  }
  return function (...args) {
    return cache.call(ownReceiver ? this : undefined, ...args);
  };
}

function unbounded(cache: MemoCache, ownReceiver: boolean): Call {
  const { fast } = cache;
  const callPair = (first: unknown, second: unknown): unknown => {
    const stored = fast.storesBareResults ? fast.pairLevel(first, second)?.stored : undefined;
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
 * A hit on one argument in the maps of an unbounded store; `callPair` takes two, and `others` does the rest.
 *
 * Here and in {@link inList} the code is as short as can be, since V8 inlines little of it otherwise, and a hit takes up to
 * half as long again: nothing is checked twice, what is used are parameters, which V8 knows to be initialized, and there is
 * no rest array, whose elements take more bytecode.
 */
function inMaps(
  fast: FastState,
  callPair: (first: unknown, second: unknown) => unknown,
  others: Called,
): Call {
  return function (arg) {
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
}

function unboundedTimed(cache: MemoCache, store: MapStore, ownReceiver: boolean): Call {
  const { primitives } = store;
  const { fast } = cache;
  const { clock } = cache.settings;
  return function (...args) {
    const receiver = ownReceiver ? this : undefined;
    if (receiver === undefined) {
      const arg = args[0];
      let stored: Stored;
      if (args.length === 1) {
        stored =
          typeof arg === 'object' && arg !== null ? store.objects.get(arg) : primitives.get(arg);
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

function bounded(cache: MemoCache, store: LruStore, ownReceiver: boolean): Call {
  const call = inList(
    cache.fast,
    boundedOthers(cache, store, ownReceiver, () => call),
  );
  return call;
}

/**
 * The same in lru-cache's list, where nothing is found that is no key by itself. With lru-cache's `get` it just fits into what
 * V8 inlines.
 */
function inList(fast: FastState, others: Called): Call {
  return function (arg) {
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
}

/** Only for results that last: a look-up whose result may be no good would be counted as a use, and once more later. */
function counted(cache: MemoCache, store: S3FifoStore, ownReceiver: boolean): Call {
  const { fast } = cache;
  const others = boundedOthers(cache, store, ownReceiver, () => call);
  const call: Call = function (...args) {
    if (this === undefined && args.length === 1 && fast.storesBareResults) {
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

/** What is left to a bounded store of results that last: misses, objects, two arguments, receivers. */
function boundedOthers(
  cache: MemoCache,
  store: BoundedStore,
  ownReceiver: boolean,
  again: () => Call,
): Called {
  const { fast } = cache;
  const { isPlain } = cache.settings;
  return (caller, ...args) => {
    if (caller !== undefined) return ownReceiver ? cache.call(caller, ...args) : again()(...args);
    if (fast.storesBareResults) {
      const arg = args[0];
      if (args.length > 1 || !isOwnKey(arg)) {
        const level = fast.levelOf(args.length, arg, args[1]);
        const stored = level === undefined ? undefined : store.get(level);
        if (stored !== undefined) {
          fast.hits++;
          return stored;
        }
      } else if (isPlain) return cache.missed(arg);
    }
    return cache.call(undefined, ...args);
  };
}

function boundedTimed(cache: MemoCache, store: LruStore, ownReceiver: boolean): Call {
  const { fast } = cache;
  const { clock, isPlain } = cache.settings;
  return function (...args) {
    const receiver = ownReceiver ? this : undefined;
    if (receiver === undefined) {
      const arg = args[0];
      let stored: Stored;
      if (args.length === 1 && isOwnKey(arg)) {
        stored = store.lru?.get(arg);
        if (stored === undefined && isPlain) return cache.missed(arg);
      } else {
        const level = fast.levelOf(args.length, arg, args[1]);
        if (level !== undefined) stored = store.lru?.get(level);
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

/** Whether an argument is its own key. */
function isOwnKey(arg: unknown): arg is string | number {
  return typeof arg === 'string' || typeof arg === 'number';
}
