/** What the benches of adopted pools have in common: callers that each run one query per loan. */
import type { AdoptedPool } from '../src/integrations/pg.js';
import type { Contender } from './compare.js';

/** Callers that share the connections. */
const CALLERS = 40;

/** Connections of each pool. */
export const CONNECTIONS = 10;

/** Queries of one round. */
export const QUERIES = 10_000;

/** What an adopted pool may cost beside its peer. */
export const LIMIT = 1.05;

/** A pool of another package, alone and adopted. */
export interface Adoptable {
  readonly title: string;
  /** The name of the contender that is not adopted. */
  readonly peer: string;
  readonly contenders: readonly Contender[];
  end(): Promise<unknown>;
}

/** A contender whose callers run one query after the other. */
export function querying(name: string, query: () => Promise<unknown>): Contender {
  return {
    name,
    async run(queries) {
      let left = queries;
      const caller = async (): Promise<void> => {
        while (left-- > 0) await query();
      };
      await Promise.all(Array.from({ length: CALLERS }, caller));
    },
  };
}

/** The contenders of an adopted pool, of which each loan runs `query`. */
export function queryingAdopted<C>(
  adopted: AdoptedPool<C>,
  query: (client: C) => Promise<unknown>,
): Contender[] {
  return [
    querying('adopted, lease', async () => {
      const lease = await adopted.lease();
      await query(lease.resource);
      void lease.release();
    }),
    querying('adopted, use', () => adopted.use(query)),
  ];
}
