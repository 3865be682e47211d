/** Adds leases, `use` and a watchdog to a `pg.Pool` that exists already. */
import pg from 'pg';
import { type AdoptedPool, adoptPool } from 'tenure/integrations/pg';
import { formatReport, Watchdog } from 'tenure/watchdog';

/** The pool itself, and the adopted pool over it. */
export interface OrdersDb {
  readonly peer: pg.Pool;
  readonly db: AdoptedPool<pg.PoolClient>;
}

/** `report` gets the text of each leak, with the line that took a client and did not give it back. */
export function openOrdersDb(config: pg.PoolConfig, report: (text: string) => void): OrdersDb {
  const peer = new pg.Pool(config);
  const db = adoptPool(peer, { name: 'orders-db', acquireTimeoutMillis: 5_000 });
  new Watchdog({ onLeak: (leak) => report(formatReport([leak])) }).watch(db);
  return { peer, db };
}
