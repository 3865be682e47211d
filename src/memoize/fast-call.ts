/**
 * The paths that make a hit cheap: one closure for each kind of store, chosen when the cache is made.
 *
 * A hit on one primitive is one look-up in the `Map` or in lru-cache, on one object in a `WeakMap`, on two arguments one
 * for each. No key is built and no clock is read without a `ttl`. Everything else takes `MemoCache.call`, to which the
 * arguments are spread: V8 then forwards them from the stack and never makes the rest array. Passed as an array they
 * would escape, and every hit would allocate one, for 5 to 10 ns, a third of its cost.
 */
import type { Entry, Slot } from './entry.js';
import { LruStore } from './lru-store.js';
import { MapStore } from './map-store.js';
import type { MemoCache } from './memo-cache.js';
import { S3FifoStore } from './s3-fifo-store.js';

/** A function with a memory, as it is called. */
export type Call = (this: unknown, ...args: unknown[]) => unknown;

/** The quickest way into a cache. */
export function callThrough(cache: MemoCache, ownReceiver: boolean): Call {
  const { store, settings } = cache;
  if (settings.key === undefined) {
    const lasting = !settings.timed;
    if (store instanceof MapStore) {
      return (lasting ? unbounded : unboundedTimed)(cache, store, ownReceiver);
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

function unbounded(cache: MemoCache, store: MapStore, ownReceiver: boolean): Call {
  const { primitives } = store;
  const { fast } = cache;
  return function (...args) {
    if ((this === undefined || !ownReceiver) && fast.lasting) {
      let slot: Slot;
      if (args.length === 1) {
        const arg = args[0];
        slot =
          typeof arg === 'object' && arg !== null ? store.objects.get(arg) : primitives.get(arg);
      } else if (args.length === 2) {
        slot = fast.top.child(args[0])?.child(args[1])?.slot;
      }
      if (slot !== undefined) {
        fast.hits++;
        return slot;
      }
    }
    return cache.call(ownReceiver ? this : undefined, ...args);
  };
}

function unboundedTimed(cache: MemoCache, store: MapStore, ownReceiver: boolean): Call {
  const { primitives } = store;
  const { fast } = cache;
  const { clock } = cache.settings;
  return function (...args) {
    if (this === undefined || !ownReceiver) {
      let entry: Entry | undefined;
      if (args.length === 1) {
        const arg = args[0];
        entry = (
          typeof arg === 'object' && arg !== null ? store.objects.get(arg) : primitives.get(arg)
        ) as Entry | undefined;
      } else if (args.length === 2) {
        entry = fast.top.child(args[0])?.child(args[1])?.slot as Entry | undefined;
      }
      if (entry !== undefined && clock.now() < entry.freshUntil) {
        fast.hits++;
        return entry.value;
      }
    }
    return cache.call(ownReceiver ? this : undefined, ...args);
  };
}

function bounded(cache: MemoCache, store: LruStore, ownReceiver: boolean): Call {
  const { fast } = cache;
  const { simple } = cache.settings;
  return function (...args) {
    if ((this === undefined || !ownReceiver) && fast.lasting) {
      let slot: Slot;
      if (args.length === 1) {
        const arg = args[0];
        if (typeof arg === 'string' || typeof arg === 'number') {
          slot = store.lru?.get(arg);
          if (slot === undefined && simple)
            return cache.missed(arg, ownReceiver ? this : undefined);
        } else if (typeof arg === 'object' && arg !== null) {
          const level = fast.top.byObject.get(arg);
          if (level !== undefined) slot = store.lru?.get(level);
        }
      } else if (args.length === 2) {
        const level = fast.top.child(args[0])?.child(args[1]);
        if (level !== undefined) slot = store.lru?.get(level);
      }
      if (slot !== undefined) {
        fast.hits++;
        return slot;
      }
    }
    return cache.call(ownReceiver ? this : undefined, ...args);
  };
}

function boundedTimed(cache: MemoCache, store: LruStore, ownReceiver: boolean): Call {
  const { fast } = cache;
  const { clock, simple } = cache.settings;
  return function (...args) {
    if (this === undefined || !ownReceiver) {
      let slot: Slot;
      if (args.length === 1) {
        const arg = args[0];
        if (typeof arg === 'string' || typeof arg === 'number') {
          slot = store.lru?.get(arg);
          if (slot === undefined && simple)
            return cache.missed(arg, ownReceiver ? this : undefined);
        } else if (typeof arg === 'object' && arg !== null) {
          const level = fast.top.byObject.get(arg);
          if (level !== undefined) slot = store.lru?.get(level);
        }
      } else if (args.length === 2) {
        const level = fast.top.child(args[0])?.child(args[1]);
        if (level !== undefined) slot = store.lru?.get(level);
      }
      const entry = slot as Entry | undefined;
      if (entry !== undefined && clock.now() < entry.freshUntil) {
        fast.hits++;
        return entry.value;
      }
    }
    return cache.call(ownReceiver ? this : undefined, ...args);
  };
}

/** Only for results that last: a look-up whose result may be no good would be counted as a use, and once more later. */
function counted(cache: MemoCache, store: S3FifoStore, ownReceiver: boolean): Call {
  const { fast } = cache;
  return function (...args) {
    if ((this === undefined || !ownReceiver) && fast.lasting) {
      let slot: Slot;
      if (args.length === 1) {
        const arg = args[0];
        if (typeof arg === 'string' || typeof arg === 'number') slot = store.get(arg);
        else if (typeof arg === 'object' && arg !== null) {
          const level = fast.top.byObject.get(arg);
          if (level !== undefined) slot = store.get(level);
        }
      } else if (args.length === 2) {
        const level = fast.top.child(args[0])?.child(args[1]);
        if (level !== undefined) slot = store.get(level);
      }
      if (slot !== undefined) {
        fast.hits++;
        return slot;
      }
    }
    return cache.call(ownReceiver ? this : undefined, ...args);
  };
}
