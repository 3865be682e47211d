/** Brings a pool past its first loans, which take the slow steps of lending: from then on most loans take the fast path. */
import type { Pool } from '../../src/pool/index.js';

/** From this many loans on, a pool takes its fast path; a few more, so that it is certainly taken. */
export const WARM_LOANS = 300;

/** Lends and takes back {@link WARM_LOANS} times, then destroys what was lent, so that the pool is empty again. */
export async function warm<T>(pool: Pool<T>): Promise<void> {
  for (let loan = 1; loan < WARM_LOANS; loan++) {
    const lease = await pool.lease();
    await lease.release();
  }
  const last = await pool.lease();
  await last.destroy();
}
