/**
 * Watches the pools of mysql2. `getConnection` begins a loan, and `releaseConnection` ends it: `release()`, `destroy()` and a
 * broken connection all call it. The pool of `mysql2/promise` calls these methods of the pool that it wraps. `pool.query()` and
 * `pool.execute()` give their connection back by themselves: they are no loans, and count only if they get no connection.
 *
 * The events `'acquire'` and `'release'` are not emitted for a connection that goes straight to a waiter.
 */
import { type MysqlPoolState, mysqlPoolFigures } from '../../core/driver-pools.js';
import { callbackPatch } from './callers-context.js';
import { databaseOf } from './database-name.js';
import type { ForeignPoolFacts } from './foreign-pool.js';
import {
  type Connected,
  countingRefusals,
  givingBack,
  lendingInternally,
  whenConnected,
} from './method-replacements.js';
import type { PeerPackage } from './peer-package.js';

interface MysqlPool extends MysqlPoolState {
  readonly config: MysqlPoolState['config'] & {
    readonly connectionConfig?: { readonly database?: unknown };
  };
}

function factsOf(pool: MysqlPool): ForeignPoolFacts {
  const database = databaseOf(pool.config.connectionConfig?.database);
  return {
    name: ['mysql2', database].filter(Boolean).join(' '),
    releaseAdvice:
      'call `connection.release()` in a `finally` block, or use `pool.query()`, which releases by itself',
    figures: () => mysqlPoolFigures(pool),
  };
}

export const mysql2: PeerPackage = {
  name: 'mysql2',
  folder: 'mysql2',
  isKnown: (major) => major === 2 || major === 3,
  file: 'lib/(?:base/)?pool',
  methods: ['getConnection', 'releaseConnection', 'query', 'execute', 'end'],
  classOf: (exports) => exports,
  patch(prototype, methods, pools) {
    const lending = callbackPatch(methods, ['query', 'execute']);
    const factsOfPool = (pool: MysqlPool): ForeignPoolFacts => ({ ...factsOf(pool), lending });
    /** Callbacks that are wrapped already, and those of a query. mysql2 calls `getConnection` again with the callback of a waiter. */
    const knownCallbacks = new WeakSet<Connected>();

    methods.replace(prototype, 'getConnection', (original) => {
      return function getConnection(this: object, ...args: unknown[]): unknown {
        const callback = args[0] as Connected;
        if (typeof callback !== 'function' || knownCallbacks.has(callback)) {
          return original.apply(this, args);
        }
        if (pools.isInternal) {
          const counting = countingRefusals(pools, this, callback);
          knownCallbacks.add(counting);
          return original.call(this, counting);
        }
        const pool = pools.caller(this, factsOfPool);
        const origin = pool?.origin(getConnection);
        if (pool === undefined || origin === undefined) return original.apply(this, args);
        const connected = whenConnected(pool, origin, callback);
        knownCallbacks.add(connected);
        return original.call(this, connected);
      };
    });
    methods.replace(prototype, 'releaseConnection', givingBack(pools));
    methods.replace(prototype, 'end', (original) => {
      return function (this: object, ...args: unknown[]): unknown {
        pools.known(this)?.ended(); // A closed pool takes nothing back: `release()` has no effect any more.
        return original.apply(this, args);
      };
    });
    methods.replace(prototype, 'query', lendingInternally(pools));
    methods.replace(prototype, 'execute', lendingInternally(pools));
  },
};
