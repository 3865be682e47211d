/** Replacements of methods that several packages need. */
import type { EntryPoint, Origin } from '../../core/probe.js';
import { inCallersContext, withCallersContext } from './callers-context.js';
import type { ForeignPool, ForeignPoolFacts } from './foreign-pool.js';
import type { KnownPools } from './known-pools.js';
import { whenLent } from './lent-promise.js';
import type { Method } from './patched-methods.js';

/**
 * Replaces a method `acquire` that gives a promise. `entryOf` gives the public method that the caller has called, if that is another one.
 */
export function lending(
  pools: KnownPools,
  factsOf: (pool: never) => ForeignPoolFacts,
  entryOf: () => EntryPoint | undefined = () => undefined,
): (original: Method) => Method {
  return (original) =>
    function acquire(this: object, ...args: unknown[]): unknown {
      const pool = pools.caller(this, factsOf);
      const origin = pool?.origin(entryOf() ?? acquire);
      const acquired = original.apply(this, args);
      return pool === undefined || origin === undefined
        ? acquired
        : whenLent(pool, origin, acquired);
    };
}

/** Replaces a method that gives back its first argument. Reports before the original, which may lend it to the next waiter. */
export function givingBack(pools: KnownPools): (original: Method) => Method {
  return (original) =>
    function (this: object, ...args: unknown[]): unknown {
      pools.known(this)?.returned(args[0]);
      return original.apply(this, args);
    };
}

/** A callback of `connect` of pg or of `getConnection` of mysql2. */
export type Connected = (
  this: unknown,
  ...results: [error?: unknown, resource?: unknown, ...rest: unknown[]]
) => unknown;

/** Gives a callback that reports the loan of a resource before its caller has it, and that runs in the async context of the caller. */
export function whenConnected(pool: ForeignPool, origin: Origin, callback: Connected): Connected {
  const connected = inCallersContext(callback);
  return function (this: unknown, ...results) {
    const resource = results[1];
    if (resource !== undefined && resource !== null) pool.lent(resource, origin);
    else pool.refused();
    return connected.apply(this, results);
  };
}

/** Gives a callback by which a package acquires for itself, and which counts a caller that gets no resource. */
export function countingRefusals(pools: KnownPools, pool: object, callback: Connected): Connected {
  return function (this: unknown, ...results) {
    if (results[1] === undefined || results[1] === null) pools.known(pool)?.refused();
    return callback.apply(this, results);
  };
}

/** Replaces a method that acquires for itself and gives back by itself. It may take a callback. */
export function lendingInternally(pools: KnownPools): (original: Method) => Method {
  return (original) =>
    function (this: object, ...args: unknown[]): unknown {
      return pools.internally(() => original.apply(this, withCallersContext(args)));
    };
}
