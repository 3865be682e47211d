/** Replacements of methods that several packages need. */
import type { KnownPools } from './known-pools.js';
import type { Method } from './patched-methods.js';

/** Replaces a method that gives back its first argument. Reports before the original, which may lend it to the next waiter. */
export function givingBack(pools: KnownPools): (original: Method) => Method {
  return (original) =>
    function (this: object, ...args: unknown[]): unknown {
      pools.known(this)?.returned(args[0]);
      return original.apply(this, args);
    };
}

/** Replaces a method that acquires for itself and gives back by itself. */
export function lendingInternally(pools: KnownPools): (original: Method) => Method {
  return (original) =>
    function (this: object, ...args: unknown[]): unknown {
      return pools.internally(() => original.apply(this, args));
    };
}
