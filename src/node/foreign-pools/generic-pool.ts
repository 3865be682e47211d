/** Watches the pools of generic-pool 3: `acquire` and `use` begin a loan, `release` and `destroy` end it. */
import type { EntryPoint } from '../../core/probe.js';
import type { ForeignPoolFacts } from './foreign-pool.js';
import { givingBack, lending } from './method-replacements.js';
import type { PeerPackage } from './peer-package.js';

interface GenericPool {
  readonly size: number;
  readonly available: number;
  readonly borrowed: number;
  readonly pending: number;
  readonly max: number;
  readonly min: number;
}

function factsOf(pool: GenericPool): ForeignPoolFacts {
  return {
    name: 'generic-pool',
    releaseAdvice:
      'call `pool.release(resource)` in a `finally` block, or pass the work to `pool.use(fn)`',
    figures: () => {
      const { size, available, borrowed, pending, max, min } = pool;
      return { size, available, borrowed, pending, max, min };
    },
  };
}

export const genericPool: PeerPackage = {
  name: 'generic-pool',
  folder: 'generic-pool',
  isKnown: (major) => major === 3,
  file: 'lib/Pool',
  methods: ['acquire', 'release', 'destroy'],
  classOf: (exports) => exports,
  patch(prototype, methods, pools) {
    /** The public method that the caller has called: `use` calls `acquire`. */
    let entry: EntryPoint | undefined;

    methods.replace(
      prototype,
      'acquire',
      lending(pools, factsOf, () => entry),
    );

    if (typeof prototype['use'] === 'function') {
      methods.replace(prototype, 'use', (original) => {
        return function use(this: object, ...args: unknown[]): unknown {
          const outer = entry;
          entry = use;
          try {
            return original.apply(this, args);
          } finally {
            entry = outer;
          }
        };
      });
    }

    methods.replace(prototype, 'release', givingBack(pools));
    methods.replace(prototype, 'destroy', givingBack(pools));
  },
};
