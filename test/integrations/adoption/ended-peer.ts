/** What an adopted pool guarantees once its peer has ended, which drops the requests that it has then without an answer. */
import { expect, test } from 'vitest';
import type { AdoptedPool } from '../../../src/integrations/adoption/adopted-pool.js';

/** An adopted pool of one resource, and the end of its peer. */
export interface EndingPool<T> {
  readonly pool: AdoptedPool<T>;
  end(): Promise<unknown>;
  /** Ends the loan for which the peer waits. */
  endLoan(lease: Awaited<ReturnType<AdoptedPool<T>['lease']>>): unknown;
}

/** `refusal` is in the message with which the peer refuses a caller after its end. */
export function refusesCallersOfAnEndedPeer<T>(make: () => EndingPool<T>, refusal: RegExp): void {
  test('once the peer has ended, a caller has its refusal at once, also after one that the peer never answered', async () => {
    const { pool, end, endLoan } = make();
    const lease = await pool.lease();
    const leaving = new AbortController();
    const dropped = pool.lease({ signal: leaving.signal });
    const ended = end();
    leaving.abort(new Error('left'));
    await expect(dropped).rejects.toThrow('left');
    await expect(pool.lease()).rejects.toThrow(refusal);
    await endLoan(lease);
    await ended;
    await pool.close();
  });

  test('callers that wait when the peer ends have its refusal once its last resource is gone: Vincit/tarn.js#81', async () => {
    const { pool, end, endLoan } = make();
    const lease = await pool.lease();
    const waiting = Promise.allSettled([pool.lease(), pool.lease({ timeoutMillis: 60_000 })]);
    const ended = end();
    await endLoan(lease);
    const outcomes = (await waiting).map(
      (outcome) => outcome.status === 'rejected' && outcome.reason,
    );
    expect(outcomes.map(String)).toEqual([1, 2].map(() => expect.stringMatching(refusal)));
    await ended;
    await pool.close();
  });
}
