/**
 * Watches the pools of tarn, which knex uses: `acquire` begins a loan, and `release` ends it.
 *
 * `acquire` gives an operation whose promise other parts of tarn handle, too. A handler of ours would hide a rejection that the
 * caller forgets, and another promise in its place could bring up one that tarn handles. So the loan begins with tarn's own
 * event `acquireSuccess`, which bears the number of its request. The event goes through one method.
 */
import type { Origin } from '../../core/probe.js';
import type { ForeignPoolFacts } from './foreign-pool.js';
import { givingBack } from './method-replacements.js';
import type { PeerPackage } from './peer-package.js';

interface TarnPool {
  readonly eventId: number;
  readonly min: number;
  readonly max: number;
  numUsed(): number;
  numFree(): number;
  numPendingCreates(): number;
  numPendingAcquires(): number;
}

/** What is known of a pool of tarn. */
export function factsOf(pool: TarnPool): ForeignPoolFacts {
  return {
    name: 'tarn',
    releaseAdvice:
      'release it in a `finally` block; with knex, commit or roll back each transaction',
    figures: () => ({
      size: pool.numUsed() + pool.numFree() + pool.numPendingCreates(),
      available: pool.numFree(),
      borrowed: pool.numUsed(),
      pending: pool.numPendingAcquires(),
      max: pool.max,
      min: pool.min,
    }),
  };
}

export const tarn: PeerPackage = {
  name: 'tarn',
  folder: 'tarn',
  isKnown: (major) => major === 3,
  file: 'dist/Pool',
  methods: ['acquire', 'release', '_executeEventHandlers'],
  classOf: (exports) => (exports as { readonly Pool?: unknown }).Pool,
  patch(prototype, methods, pools) {
    /** The callers of the requests that are pending, by the number of the request. */
    const requests = new WeakMap<object, Map<number, Origin>>();
    const requestsOf = (pool: object): Map<number, Origin> => {
      let ofPool = requests.get(pool);
      if (ofPool === undefined) {
        ofPool = new Map();
        requests.set(pool, ofPool);
      }
      return ofPool;
    };

    methods.replace(prototype, 'acquire', (original) => {
      return function acquire(this: object, ...args: unknown[]): unknown {
        const origin = pools.callerServed ?? pools.caller(this, factsOf)?.origin(acquire);
        if (origin !== undefined) requestsOf(this).set((this as TarnPool).eventId, origin);
        return original.apply(this, args);
      };
    });
    methods.replace(prototype, '_executeEventHandlers', (original) => {
      return function (this: object, ...args: unknown[]): unknown {
        const [event, id, resource] = args;
        if (event === 'acquireSuccess' || event === 'acquireFail') {
          const waiting = requests.get(this);
          const origin = waiting?.get(id as number);
          waiting?.delete(id as number);
          const pool = origin && pools.known(this);
          if (event === 'acquireFail') pool?.refused();
          else if (origin !== undefined) pool?.lent(resource, origin);
        }
        return original.apply(this, args);
      };
    });
    methods.replace(prototype, 'release', givingBack(pools));
  },
};
