/** Watches the pools of sequelize-pool, which Sequelize uses: `acquire` begins a loan, `release` and `destroy` end it. */
import type { ForeignPoolFacts } from './foreign-pool.js';
import { whenLent } from './lent-promise.js';
import type { Method } from './patched-methods.js';
import type { PeerPackage } from './peer-package.js';

interface SequelizePool {
  readonly size: number;
  readonly available: number;
  readonly using: number;
  readonly waiting: number;
  readonly maxSize: number;
  readonly minSize: number;
}

function factsOf(pool: SequelizePool): ForeignPoolFacts {
  return {
    name: 'sequelize-pool',
    releaseAdvice:
      'commit or roll back each transaction; `sequelize.transaction(async (t) => …)` does it by itself',
    figures: () => {
      const { size, available, using, waiting, maxSize, minSize } = pool;
      return { size, available, borrowed: using, pending: waiting, max: maxSize, min: minSize };
    },
  };
}

export const sequelizePool: PeerPackage = {
  name: 'sequelize-pool',
  folder: 'sequelize-pool',
  isKnown: (major) => major === 7 || major === 8,
  file: 'lib/Pool',
  methods: ['acquire', 'release', 'destroy'],
  classOf: (exports) => (exports as { readonly Pool?: unknown }).Pool,
  patch(prototype, methods, pools) {
    methods.replace(prototype, 'acquire', (original) => {
      return function acquire(this: object, ...args: unknown[]): unknown {
        const pool = pools.caller(this, factsOf);
        const origin = pool?.origin(acquire);
        const acquired = original.apply(this, args);
        return pool === undefined || origin === undefined
          ? acquired
          : whenLent(pool, origin, acquired);
      };
    });

    const ending = (original: Method): Method =>
      function (this: object, ...args: unknown[]): unknown {
        pools.known(this)?.returned(args[0]);
        return original.apply(this, args);
      };
    methods.replace(prototype, 'release', ending);
    methods.replace(prototype, 'destroy', ending);
  },
};
