/** The figures of an adopted pool: the peer's own, and those of the adoption's loans. */
import type { PoolCounters } from '../../pool/pool-counters.js';
import { type PoolNumbers, type PoolStats, percentilesOf } from '../../pool/pool-stats.js';
import type { PeerFigures } from './peer-pool.js';

/** `left` is how many requests the peer still counts although their callers have left. */
export function adoptedStats(peer: PeerFigures, counters: PoolCounters, left: number): PoolStats {
  return {
    ...adoptedNumbers(peer, counters, left),
    destroyedBy: counters.destroyedBy,
    waitMillis: percentilesOf(counters.waits),
    holdMillis: percentilesOf(counters.holds),
  };
}

/** Those of the figures that are numbers. */
export function adoptedNumbers(
  peer: PeerFigures,
  counters: PoolCounters,
  left: number,
): PoolNumbers {
  return {
    ...peer,
    pending: Math.max(0, peer.pending - left),
    effectiveMax: peer.max,
    validating: 0,
    resetting: counters.resetting,
    destroying: counters.destroying,
    loans: counters.loans,
    created: 0,
    destroyed: counters.destroyed,
    detached: counters.detached,
    waited: counters.waited,
    createErrors: 0,
    capacityErrors: 0,
    acquireTimeouts: counters.acquireTimeouts,
    acquireAborts: counters.acquireAborts,
    refusals: counters.refusals,
    tryMisses: 0,
  };
}
