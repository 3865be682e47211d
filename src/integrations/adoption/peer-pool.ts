/** What the adoption of a pool needs of that pool, in the words of no pool in particular. */
import type { LeaseOptions } from '../../pool/pool-options.js';

/** A peer's figures; what it does not tell is 0. */
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
  /** What a resource is known by, where each loan of it gets an object of its own. */
  identify?(resource: T): unknown;
  /** Throws if the resource is not out, where the peer knows. */
  giveBack(resource: T): unknown;
  /** Has a resource that is out destroyed; settles as soon as the peer says that it is gone. */
  destroy(resource: T): unknown;
  /** Undoes what `request` did to a resource that now is its holder's. */
  handOver?(resource: T): void;
  figures(): PeerFigures;
  end(): unknown;
}
