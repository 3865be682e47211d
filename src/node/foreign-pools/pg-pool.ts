/**
 * Watches the pools of pg, whose class is in the package pg-pool: `connect` begins a loan, and `release` of the client ends it.
 * `pool.query()` gives its client back by itself: it is no loan, and counts only if it gets no client.
 *
 * pg gives a client another `release` with each loan. Each of them calls `_release` of the pool once, so that is where a loan
 * ends. The event `'release'` of pg-pool came only in 3.6.
 */
import { type PgPoolState, pgPoolFigures } from '../../core/driver-pools.js';
import { callbackPatch } from './callers-context.js';
import { databaseOf } from './database-name.js';
import type { ForeignPoolFacts } from './foreign-pool.js';
import { whenLent } from './lent-promise.js';
import {
  type Connected,
  countingRefusals,
  givingBack,
  lendingInternally,
  whenConnected,
} from './method-replacements.js';
import type { PeerPackage } from './peer-package.js';

interface PgPool extends PgPoolState {
  readonly options: PgPoolState['options'] & {
    readonly database?: unknown;
    readonly connectionString?: unknown;
  };
}

function factsOf(pool: PgPool): ForeignPoolFacts {
  const { options } = pool;
  return {
    name: ['pg', databaseOf(options.database, options.connectionString)].filter(Boolean).join(' '),
    releaseAdvice:
      'call `client.release()` in a `finally` block, or use `pool.query()`, which releases by itself',
    figures: () => pgPoolFigures(pool),
  };
}

export const pgPool: PeerPackage = {
  name: 'pg',
  folder: 'pg-pool',
  isKnown: (major) => major === 3,
  file: 'index',
  methods: ['connect', '_release', 'query'],
  classOf: (exports) => exports,
  patch(prototype, methods, pools) {
    const lending = callbackPatch(methods, ['query']);
    const factsOfPool = (pool: PgPool): ForeignPoolFacts => ({ ...factsOf(pool), lending });
    methods.replace(prototype, 'connect', (original) => {
      return function connect(this: object, ...args: unknown[]): unknown {
        const [callback] = args;
        if (pools.isInternal && typeof callback === 'function') {
          return original.call(this, countingRefusals(pools, this, callback as Connected));
        }
        const pool = pools.caller(this, factsOfPool);
        const origin = pool?.origin(connect);
        if (pool === undefined || origin === undefined) return original.apply(this, args);
        if (typeof callback === 'function') {
          return original.call(this, whenConnected(pool, origin, callback as Connected));
        }
        return whenLent(pool, origin, original.apply(this, args));
      };
    });
    methods.replace(prototype, '_release', givingBack(pools));
    methods.replace(prototype, 'query', lendingInternally(pools));
  },
};
