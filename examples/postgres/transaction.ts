/** A transaction on a client of any pool that has `use`: committed when the work succeeds, rolled back when it fails. */
import type pg from 'pg';

/** A pool of clients, adopted or our own. */
interface ClientPool {
  use<R>(
    work: (client: pg.ClientBase, context: { discard(reason?: string): void }) => Promise<R>,
    options: { readonly signal?: AbortSignal },
  ): Promise<Awaited<R>>;
}

/** Resolves to what `work` gave, once it is committed. `signal` ends the wait for a client, not the work. */
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
      // A client that cannot even roll back is broken: nobody shall get it again.
      await client.query('rollback').catch(() => context.discard('rollback failed'));
      throw error;
    }
  }, options);
}
