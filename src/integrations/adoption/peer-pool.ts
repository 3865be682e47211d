/** The port to a pool of another package. */
import type { LeaseOptions } from '../../pool/pool-options.js';

/** A peer's figures; a figure that it does not tell is 0. */
export interface PeerFigures {
  readonly size: number;
  readonly available: number;
  readonly borrowed: number;
  readonly pending: number;
  readonly creating: number;
  readonly min: number;
  readonly max: number;
}

/** A pool of another package. */
export interface PeerPool<T> {
  request(options: LeaseOptions): PromiseLike<T>;
  /** The identity of a resource, for a peer that gives each loan of it another object. */
  identify?(resource: T): unknown;
  /** Gives a resource back. Throws if it is not out, as far as the peer knows. */
  giveBack(resource: T): unknown;
  /** Has a borrowed resource destroyed. Settles when the peer says that it is gone. */
  destroy(resource: T): unknown;
  /** Undoes what `request` did to a resource that its holder now keeps. */
  handOver?(resource: T): void;
  figures(): PeerFigures;
  end(): unknown;
}
