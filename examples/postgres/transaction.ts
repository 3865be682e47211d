/** A transaction on a client of any pool that has `use`: committed if the work succeeds, rolled back if it fails. */
import type pg from 'pg';

/** A pool of clients, adopted or made by `createPool`. */
interface ClientPool {
  use<R>(
    work: (client: pg.ClientBase, context: { discard(reason?: string): void }) => Promise<R>,
    options: { readonly signal?: AbortSignal },
  ): Promise<Awaited<R>>;
}

/** Resolves to the result of `work` after the commit. `signal` ends the wait for a client, not the work. */
export async function transaction<R>(
  pool: ClientPool,
  work: (client: pg.ClientBase) => Promise<R>,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Awaited<R>> {
  return pool.use(async (client, context) => {
    try {
      await client.query('begin');
      const result = await work(client);
      await client.query('commit');
      return result;
    } catch (error) {
      // A client that cannot roll back is broken, and must not be lent again.
      await client.query('rollback').catch(() => context.discard('rollback failed'));
      throw error;
    }
  }, options);
}
