/** What the benches of adopted pools have in common: callers that each run one query per loan. */
import type { AdoptedPool } from '../src/integrations/pg.js';
import { byCallers } from './callers.js';
import { type BenchOptions, type Contender, type Group, measureProcessorTime } from './compare.js';

/** Connections of each pool. */
export const CONNECTIONS = 10;

/** Queries of one round. A round is short, so that other work of the machine meets all contenders alike. */
const QUERIES = 1_000;

/** Rounds for each one that is asked for. */
const ROUNDS = 25;

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

/** Measures the median processor time of a query. */
export function measureQueries(
  title: string,
  contenders: readonly Contender[],
  { rounds, scale = 1 }: BenchOptions,
): Promise<Group> {
  const shortRounds = Math.max(1, Math.round(rounds * ROUNDS * scale));
  return measureProcessorTime(title, contenders, { rounds: shortRounds }, QUERIES);
}

/** A contender whose callers run one query after the other. */
export function querying(name: string, query: () => Promise<unknown>): Contender {
  return {
    name,
    run: (queries) => byCallers(queries, query),
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
