/** The public function: a cache, the quickest way into it, and the members that manage it. */
import {
  aBoolean,
  aFunction,
  anAbortSignal,
  checkArgument,
  checkOptions,
  millis,
  type OptionChecks,
} from '../core/options.js';
import { type Observer, observe } from '../core/probe.js';
import type { AnyFn } from './any-fn.js';
import type { CallOptions } from './call-options.js';
import { type DumpedEntry, dumpCache, loadDump } from './dump.js';
import type { EntryOptions } from './entry-options.js';
import { type Call, callThrough } from './fast-call.js';
import { hasNoReceiver } from './keys/key-trie.js';
import { MemoCache } from './memo-cache.js';
import { type MemoizeOptions, resolveMemoizeOptions } from './memoize-options.js';
import type { Memoized } from './memoized.js';
import { seesReceiver } from './receiver.js';
import { resultIn } from './stores/stored.js';

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
): F & Memoized<F, K> {
  checkArgument('memoize', 'fn', fn, aFunction);
  const settings = resolveMemoizeOptions(fn, options);
  const cache = new MemoCache(fn, settings);
  const ownReceiver = seesReceiver(fn);
  const memoized = callThrough(cache, ownReceiver);
  imitate(memoized, fn);
  addMembers(memoized, cache, fn, ownReceiver);
  return memoized as unknown as F & Memoized<F, K>;
}

/** A cache that there is already, as a memoized function without a receiver. */
export function memoizedFunction(cache: MemoCache, call: Call, fn: AnyFn): Memoized<AnyFn> {
  const memoized: Call = (...args) => call(...args);
  addMembers(memoized, cache, fn, false);
  return memoized as unknown as Memoized<AnyFn>;
}

const CALL_CHECKS: OptionChecks<CallOptions> = { signal: anAbortSignal, forceRefresh: aBoolean };

const ENTRY_CHECKS: OptionChecks<EntryOptions> = {
  ttl: millis,
  tags: (value) =>
    typeof value === 'object' && value !== null && Symbol.iterator in value
      ? undefined
      : 'an iterable of strings',
};

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
    !ownReceiver || self === memoized || hasNoReceiver(self) ? undefined : self;
  const members: Memoized<AnyFn, unknown> = {
    wrapped: fn,
    delete(this: unknown, ...args: unknown[]) {
      return cache.delete(receiverOf(this), args);
    },
    clear: () => cache.clear(),
    peek(this: unknown, ...args: unknown[]) {
      return resultIn(cache.peek(receiverOf(this), args));
    },
    has(this: unknown, ...args: unknown[]) {
      return cache.peek(receiverOf(this), args) !== undefined;
    },
    set(this: unknown, args: unknown[], value: unknown, entry?: EntryOptions) {
      if (entry !== undefined) checkOptions('set', entry, ENTRY_CHECKS);
      cache.set(receiverOf(this), args, value, entry);
    },
    call(this: unknown, first: unknown, ...rest: unknown[]) {
      // What Function.prototype.call does stays possible, for all receivers but arrays.
      if (!Array.isArray(first)) return Reflect.apply(memoized, first, rest);
      const options = (rest[0] ?? {}) as CallOptions;
      checkOptions('call', options, CALL_CHECKS);
      return cache.callWith(receiverOf(this), first, options);
    },
    refresh(this: unknown, ...args: unknown[]) {
      return cache.callWith(receiverOf(this), args, { forceRefresh: true });
    },
    lease(this: unknown, ...args: unknown[]) {
      return cache.lease(receiverOf(this), args) as never;
    },
    invalidateTags: (...tags: string[]) => cache.invalidateTags(tags),
    dump: () => dumpCache(cache) as never,
    load: (entries: Iterable<DumpedEntry>) => loadDump(cache, entries),
    flush: () => cache.flush(),
    cacheInfo: () => cache.info(),
    [observe]: (observer: Observer) => cache.watch(observer),
    [Symbol.dispose]: () => cache.dispose(),
  };
  for (const name of Reflect.ownKeys(members)) {
    const value: unknown = Reflect.get(members, name);
    Object.defineProperty(memoized, name, { value, configurable: true, writable: true });
  }
}
