/** The end of a peer, which an adopted pool may ask for when it closes. */
import type { ConditionWaits } from '../../core/condition-waits.js';
import type { PoolCounters } from '../../pool/pool-counters.js';
import type { PeerPool } from './peer-pool.js';
import { PeerTimeoutError } from './peer-timeout-error.js';

/** What is needed of a peer to end it. */
type EndingPeer = Pick<PeerPool<unknown>, 'end' | 'figures'>;

/** The end of one peer. */
export class PeerEnd {
  readonly #name: string;
  readonly #peer: EndingPeer;
  readonly #changes: ConditionWaits;
  readonly #counters: PoolCounters;
  #ended: Promise<void> | undefined = undefined;
  #hasEnded = false;

  /** `changes` are the waits of the adoption. */
  constructor(name: string, peer: EndingPeer, changes: ConditionWaits, counters: PoolCounters) {
    this.#name = name;
    this.#peer = peer;
    this.#changes = changes;
    this.#counters = counters;
  }

  /** Ends the peer, once. Rejects with the peer's error, or with {@link PeerTimeoutError} if it takes longer than the grace. */
  async within(graceMillis: number): Promise<void> {
    this.#ended ??= this.#end();
    this.#ended.catch(() => {}); // A peer that fails after the grace has no caller to tell.
    const isInTime = await this.#changes.until(() => this.#hasEnded, graceMillis);
    if (!isInTime) throw this.timeoutError(graceMillis);
    await this.#ended;
  }

  /** The error of a peer that has not done its part in this time. */
  timeoutError(millis: number): PeerTimeoutError {
    return new PeerTimeoutError(
      this.#name,
      millis,
      this.#peer.figures(),
      this.#counters.destroying,
    );
  }

  async #end(): Promise<void> {
    try {
      await this.#peer.end();
    } finally {
      this.#hasEnded = true;
      this.#changes.check();
    }
  }
}
