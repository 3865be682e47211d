/** Lends so often that a pool takes its fast path. Its first loans all take the slow steps of lending. */
import type { Pool } from '../../src/pool/index.js';

/** A number of loans after which a pool takes its fast path, with a margin. */
export const WARM_LOANS = 300;

/** Lends and takes back {@link WARM_LOANS} times, then destroys the resource, so that the pool is empty again. */
export async function warm<T>(pool: Pool<T>): Promise<void> {
  for (let loan = 1; loan < WARM_LOANS; loan++) {
    const lease = await pool.lease();
    await lease.release();
  }
  const last = await pool.lease();
  await last.destroy();
}
