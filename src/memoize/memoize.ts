/**
 * The public function, and the paths that make a hit cheap.
 *
 * A hit on one primitive is one look-up in the `Map` or in lru-cache, on one object in a `WeakMap`, on two arguments one
 * for each. No key is built and no clock is read without a `ttl`. Everything else takes `MemoCache.call`, to which the
 * arguments are spread: V8 then forwards them from the stack and never makes the rest array. Passed as an array they
 * would escape, and every hit would allocate one, for 5 to 10 ns, a third of its cost.
 */
import { aFunction, checkArgument } from '../core/options.js';
import { type Observer, observe } from '../core/probe.js';
import type { Entry } from './entry.js';
import { isPlain } from './key-trie.js';
import { LruStore } from './lru-store.js';
import { MapStore } from './map-store.js';
import { MemoCache } from './memo-cache.js';
import { type AnyFn, type MemoizeOptions, resolveMemoizeOptions } from './memoize-options.js';
import type { Memoized } from './memoized.js';
import { seesReceiver } from './receiver.js';

type Call = (this: unknown, ...args: unknown[]) => unknown;

/**
 * The function with a memory: it is called once for each list of arguments, and answers later calls with the same
 * result, or the same promise.
 *
 * - **Keys** are all arguments, by identity: 1 is not `'1'`, NaN is NaN, -0 is 0, and `f()` is not `f(undefined)`. An
 *   object is held weakly while there is no `max`: its entries die with it. With `options.key` one value stands for all
 *   arguments.
 * - **Methods**: unless the function is an arrow function or bound, the object it is called on is part of the key, held
 *   in the same way, so two instances never share.
 * - **One load**: callers that come while a promise is pending are given that promise, whatever is evicted meanwhile.
 * - **Failures** are not remembered: what throws or rejects is called again by the next caller.
 * - **Invalidation**: after `delete`, `clear` or `set`, no value computed before is ever served again.
 *
 * A hit is O(1) for each argument. No timer is ever set. An async function that awaits itself with the same arguments
 * waits for itself for ever.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option, or if `fn` is no
 * function.
 *
 * @example
 * ```ts
 * import { memoize } from 'tenure/memoize';
 *
 * const user = memoize(async (id: number) => ({ id, name: `user ${id}` }), { max: 1_000, ttl: 60_000 });
 *
 * const [first, second] = await Promise.all([user(7), user(7)]);
 * first === second; // => true
 * user.cacheInfo().misses; // => 1
 * user.delete(7); // => true
 * ```
 */
export function memoize<F extends AnyFn, K = unknown>(
  fn: F,
  options: MemoizeOptions<F, K> = {},
): F & Memoized<F> {
  checkArgument('memoize', 'fn', fn, aFunction);
  const settings = resolveMemoizeOptions(fn, options);
  const cache = new MemoCache(fn, settings);
  const ownReceiver = seesReceiver(fn);
  const memoized = callThrough(cache, ownReceiver);
  imitate(memoized, fn);
  addMembers(memoized, cache, fn, ownReceiver);
  return memoized as unknown as F & Memoized<F>;
}

function callThrough(cache: MemoCache, ownReceiver: boolean): Call {
  if (cache.settings.key !== undefined) return plainCall(cache, ownReceiver);
  const { store } = cache;
  if (store instanceof MapStore) return unboundedCall(cache, store, ownReceiver);
  if (store instanceof LruStore) return boundedCall(cache, store, ownReceiver);
  return plainCall(cache, ownReceiver);
}

/** With a `key` every call has something to compute first, and a store of another kind has its own way in. */
function plainCall(cache: MemoCache, ownReceiver: boolean): Call {
  return function (...args) {
    return cache.call(ownReceiver ? this : undefined, ...args);
  };
}

function unboundedCall(cache: MemoCache, store: MapStore, ownReceiver: boolean): Call {
  const { primitives } = store;
  const { clock } = cache.settings;
  return function (...args) {
    if (this === undefined || !ownReceiver) {
      let entry: Entry | undefined;
      if (args.length === 1) {
        const arg = args[0];
        entry =
          typeof arg === 'object' && arg !== null
            ? cache.trie.plain.child(arg)?.entry
            : primitives.get(arg);
      } else if (args.length === 2) {
        entry = cache.trie.plain.child(args[0])?.child(args[1])?.entry;
      }
      if (entry !== undefined && (entry.expiresAt === undefined || clock.now() < entry.expiresAt)) {
        cache.hits++;
        return entry.value;
      }
    }
    return cache.call(ownReceiver ? this : undefined, ...args);
  };
}

function boundedCall(cache: MemoCache, store: LruStore, ownReceiver: boolean): Call {
  const { clock } = cache.settings;
  return function (...args) {
    if (this === undefined || !ownReceiver) {
      let entry: Entry | undefined;
      if (args.length === 1) {
        const arg = args[0];
        if (typeof arg === 'string' || typeof arg === 'number') entry = store.lru?.get(arg);
        else if (typeof arg === 'object' && arg !== null) {
          const level = cache.trie.plain.child(arg);
          if (level !== undefined) entry = store.lru?.get(level);
        }
      } else if (args.length === 2) {
        const level = cache.trie.plain.child(args[0])?.child(args[1]);
        if (level !== undefined) entry = store.lru?.get(level);
      }
      if (entry !== undefined && (entry.expiresAt === undefined || clock.now() < entry.expiresAt)) {
        cache.hits++;
        return entry.value;
      }
    }
    return cache.call(ownReceiver ? this : undefined, ...args);
  };
}

/** Gives `memoized` the name, the length and whatever else hangs on the function. */
function imitate(memoized: Call, fn: AnyFn): void {
  for (const name of Reflect.ownKeys(fn)) {
    if (name === 'prototype' || name === 'arguments' || name === 'caller') continue;
    const property = Object.getOwnPropertyDescriptor(fn, name);
    if (property !== undefined) Object.defineProperty(memoized, name, property);
  }
}

function addMembers(memoized: Call, cache: MemoCache, fn: AnyFn, ownReceiver: boolean): void {
  /** Called as `memoized.peek(…)` a member's `this` is the function itself: no receiver. */
  const receiverOf = (self: unknown): unknown =>
    !ownReceiver || self === memoized || isPlain(self) ? undefined : self;
  const members: Memoized<AnyFn> = {
    wrapped: fn,
    delete(this: unknown, ...args: unknown[]) {
      return cache.delete(receiverOf(this), args);
    },
    clear: () => cache.clear(),
    peek(this: unknown, ...args: unknown[]) {
      return cache.peek(receiverOf(this), args)?.value;
    },
    has(this: unknown, ...args: unknown[]) {
      return cache.peek(receiverOf(this), args) !== undefined;
    },
    set(this: unknown, args: unknown[], value: unknown) {
      cache.set(receiverOf(this), args, value);
    },
    cacheInfo: () => cache.info(),
    [observe]: (observer: Observer) => cache.watch(observer),
    [Symbol.dispose]: () => cache.dispose(),
  };
  for (const name of Reflect.ownKeys(members)) {
    const value: unknown = Reflect.get(members, name);
    Object.defineProperty(memoized, name, { value, configurable: true, writable: true });
  }
}
