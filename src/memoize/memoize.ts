/** The public function: a cache, its fast path, and the members that manage it. */
import { InvalidArgumentError } from '../core/errors.js';
import {
  aBoolean,
  aFunction,
  anAbortSignal,
  checkArgument,
  checkOptions,
  millis,
  type OptionCheck,
  type OptionChecks,
} from '../core/options.js';
import { type Observer, observe } from '../core/probe.js';
import type { AnyFn, Callable } from './any-fn.js';
import type { CallOptions } from './call-options.js';
import type { EntryOptions } from './entry-options.js';
import { callThrough } from './fast-call.js';
import { hasNoReceiver } from './keys/key-trie.js';
import { MemoCache } from './memo-cache.js';
import { type MemoizeOptions, resolveMemoizeOptions } from './memoize-options.js';
import type { Memoized } from './memoized.js';
import { seesReceiver } from './receiver.js';
import { MAX_TAGS } from './retention-policy.js';
import { resultIn } from './stores/stored.js';

/**
 * Gives a function a cache. The function is called once for each list of arguments; later calls get its result, or its promise.
 *
 * - **Keys** are all arguments, by identity: 1 is not `'1'`, NaN is NaN, -0 is 0, and `f()` is not `f(undefined)`. Objects
 *   in a key are held weakly. Without `max` and `maxWeight`, their entries are collected with them. With the option `key`, one value
 *   stands for all arguments.
 * - **Methods**: the object that the function is called on is part of the key, so two instances never share results. This does
 *   not apply to arrow functions and bound functions.
 * - **One load**: callers that come while a promise is pending get that promise, even if entries are evicted in the meantime.
 * - **Failures** are not remembered: when the function throws or rejects, the next caller calls it again.
 * - **Invalidation**: after `delete`, `clear` or `set`, no result that was computed before is ever served again.
 *
 * A hit is O(1) for each argument. No timer is ever set. An async function that awaits a call of itself with its own arguments
 * waits forever.
 *
 * Features that few caches need have imports of their own: `tenure/memoize/s3-fifo`, `/shared`, `/disposal` and `/dump`.
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
  const cache = new MemoCache(fn, resolveMemoizeOptions(fn.name, options));
  const ownReceiver = seesReceiver(fn);
  const memoized = callThrough(cache, ownReceiver);
  copyProperties(fn, memoized);
  addMembers(memoized, cache, fn, ownReceiver);
  return memoized as unknown as F & Memoized<F>;
}

/** Makes a memoized function without a receiver of a cache that exists already. */
export function memoizedFunction(cache: MemoCache, call: Callable, fn: AnyFn): Memoized<AnyFn> {
  const memoized: Callable = (...args) => call(...args);
  addMembers(memoized, cache, fn, false);
  return memoized as unknown as Memoized<AnyFn>;
}

/**
 * The property of a memoized function with its cache. Not a WeakMap: a young cache that is a value there stays in memory until V8 collects
 * the old objects, so a service that makes caches for its requests would pay for all of them in each collection of young ones.
 */
const CACHE: unique symbol = /* @__PURE__ */ Symbol('cache') as never;

/**
 * The cache of a memoized function.
 *
 * @throws {@link InvalidArgumentError} for a function that is not memoized.
 */
export function cacheBehind(where: string, memoized: WeakKey): MemoCache {
  const cache = (memoized as { readonly [CACHE]?: MemoCache } | undefined)?.[CACHE];
  if (cache !== undefined) return cache;
  throw new InvalidArgumentError(`${where}: \`memoized\` must be a function that memoize() made.`);
}

const aList: OptionCheck = (value) =>
  Array.isArray(value)
    ? undefined
    : 'an array, the arguments of one call (for a receiver, use `Reflect.apply(memoized, receiver, args)`)';

const aListOfLists: OptionCheck = (value) =>
  Array.isArray(value) && [...value].every(Array.isArray) // Unlike `value`, the copy has no holes.
    ? undefined
    : 'an array of arrays, the arguments of each call';

const aTag: OptionCheck = (value) =>
  typeof value === 'string' ? undefined : 'a string: give several tags as several arguments';

const anEntryTag: OptionCheck = (value) =>
  typeof value === 'string' ? undefined : 'an iterable of strings';

const notTooManyTags: OptionCheck = (list) =>
  (list as string[]).length <= MAX_TAGS ? undefined : `at most ${MAX_TAGS} strings`;

const CALL_CHECKS: OptionChecks<CallOptions> = { signal: anAbortSignal, forceRefresh: aBoolean };

const ENTRY_CHECKS: OptionChecks<EntryOptions> = {
  ttl: millis,
  tags: (value) =>
    typeof value === 'object' && value !== null && Symbol.iterator in value
      ? undefined
      : 'an iterable of strings',
};

/** Checks the options of an entry. Tags are read once, because an iterator has them once. */
function entryOptions(options: EntryOptions | undefined): EntryOptions | undefined {
  if (options === undefined) return undefined;
  const { tags, ...others } = checkOptions('set', options, ENTRY_CHECKS);
  if (tags === undefined) return others;
  const list: string[] = [];
  for (const tag of tags) {
    checkArgument('set', 'tags', tag, anEntryTag);
    list.push(tag);
    checkArgument('set', 'tags', list, notTooManyTags);
  }
  return { ...others, tags: list };
}

/** Gives the result of a call, or a rejected promise if the call throws. */
export function promiseOf<R>(call: () => R): R | Promise<never> {
  try {
    return call();
  } catch (error) {
    return Promise.reject(error);
  }
}

const NO_OPTIONS: CallOptions = {};

/** Checks the options of a call. The usual ones need no table: it would cost more than the rest of a hit. */
function checkedCallOptions(options: CallOptions = NO_OPTIONS): CallOptions {
  if (options === NO_OPTIONS) return options;
  let isUsual = typeof options === 'object' && options !== null;
  isUsual &&= Object.getPrototypeOf(options) === Object.prototype;
  if (isUsual) {
    for (const name in options) isUsual &&= name === 'signal' || name === 'forceRefresh';
    const { signal, forceRefresh } = options;
    isUsual &&= signal === undefined || signal instanceof AbortSignal;
    isUsual &&= forceRefresh === undefined || typeof forceRefresh === 'boolean';
    if (isUsual) return { signal, forceRefresh } as CallOptions;
  }
  return checkOptions('call', options, CALL_CHECKS);
}

/** Copies the name, the length and all other properties of the function to `memoized`. */
function copyProperties(fn: AnyFn, memoized: Callable): void {
  for (const name of Reflect.ownKeys(fn)) {
    if (name === 'prototype' || name === 'arguments' || name === 'caller') continue;
    const property = Object.getOwnPropertyDescriptor(fn, name);
    if (property === undefined) continue;
    // Configurable, so that a member of the cache can replace it.
    Object.defineProperty(memoized, name, { ...property, configurable: true });
  }
}

function addMembers(memoized: Callable, cache: MemoCache, fn: AnyFn, ownReceiver: boolean): void {
  /** The receiver of a member's call. In `memoized.peek(…)`, `this` is the memoized function, which is no receiver. */
  const receiverOf = (self: unknown): unknown =>
    !ownReceiver || self === memoized || hasNoReceiver(self) ? undefined : self;
  const members: Memoized<AnyFn> = {
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
      checkArgument('set', 'args', args, aList);
      const options = entryOptions(entry);
      cache.contents.entries.deferred(() => cache.set(receiverOf(this), [...args], value, options));
    },
    call(this: unknown, args: unknown[], options?: CallOptions) {
      checkArgument('call', 'args', args, aList);
      const { signal, forceRefresh = false } = checkedCallOptions(options);
      return cache.callWith(receiverOf(this), [...args], signal, forceRefresh);
    },
    refresh(this: unknown, ...args: unknown[]) {
      return cache.callWith(receiverOf(this), args, undefined, true);
    },
    async getMany(this: unknown, lists: readonly (readonly unknown[])[]) {
      checkArgument('getMany', 'lists', lists, aListOfLists);
      const receiver = receiverOf(this);
      return Promise.all([...lists].map((args) => promiseOf(() => cache.call(receiver, ...args))));
    },
    deleteMany(this: unknown, lists: readonly (readonly unknown[])[]) {
      checkArgument('deleteMany', 'lists', lists, aListOfLists);
      const receiver = receiverOf(this);
      const failures: unknown[] = [];
      const deleted = cache.contents.entries.deferred(() =>
        [...lists].filter((args) => {
          try {
            return cache.delete(receiver, args);
          } catch (error) {
            failures.push(error);
            return false;
          }
        }),
      );
      if (failures.length > 0) throw failures[0];
      return deleted.length;
    },
    *keys() {
      for (const [args] of cache.contents.live()) yield args as never[];
    },
    entries: () => cache.contents.live() as never,
    lease(this: unknown, ...args: unknown[]) {
      return cache.lease(receiverOf(this), args) as never;
    },
    invalidateTags: (...tags: string[]) => {
      for (const tag of tags) checkArgument('invalidateTags', 'tag', tag, aTag);
      return cache.invalidateTags(tags);
    },
    flush: () => cache.flush(),
    cacheInfo: () => cache.info(),
    on: (event, listener) => {
      cache.on(event, listener as never);
      return memoized as never;
    },
    off: (event, listener) => {
      cache.off(event, listener as never);
      return memoized as never;
    },
    [observe]: (observer: Observer) => cache.watch(observer),
    [Symbol.dispose]: () => cache.dispose(),
  };
  for (const name of Reflect.ownKeys(members)) {
    const value: unknown = Reflect.get(members, name);
    Object.defineProperty(memoized, name, { value, configurable: true, writable: true });
  }
  Object.defineProperty(memoized, CACHE, { value: cache });
}
