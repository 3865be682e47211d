/** Watches the pools of sequelize-pool, which Sequelize uses: `acquire` begins a loan, `release` and `destroy` end it. */
import type { ForeignPoolFacts } from './foreign-pool.js';
import { givingBack, lending } from './method-replacements.js';
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
    methods.replace(prototype, 'acquire', lending(pools, factsOf));
    methods.replace(prototype, 'release', givingBack(pools));
    methods.replace(prototype, 'destroy', givingBack(pools));
  },
};
