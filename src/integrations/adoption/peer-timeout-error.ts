/** The error of a peer that does not end, or does not destroy its resources. */
import { nameErrorClass } from '../../core/errors.js';
import { PoolError } from '../../pool/pool-errors.js';
import type { PeerFigures } from './peer-pool.js';

/**
 * The pool underneath has not ended in time, or has not destroyed the resources of a forced close. Code
 * `TENURE_POOL_PEER_TIMEOUT`.
 */
export class PeerTimeoutError extends PoolError {
  /** @internal */
  constructor(name: string, millis: number, figures: PeerFigures, destroying: number) {
    super(
      `${name}: the pool underneath has not ended within ${millis} ms: ${figures.borrowed} of its ${figures.size} resources are lent, also by its other users, and ${destroying} are being destroyed. Have its other users give back what they hold, or end the process.`,
      { code: 'TENURE_POOL_PEER_TIMEOUT', phase: 'close' },
    );
  }

  static {
    nameErrorClass(PeerTimeoutError, 'PeerTimeoutError');
  }
}
