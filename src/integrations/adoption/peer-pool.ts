/** The port to a pool of another package. */
import type { DriverPoolFigures } from '../../core/driver-pools.js';

/** The figures of a peer. A figure that the peer does not have is 0. */
export type PeerFigures = DriverPoolFigures;

/** A caller that waits for the peer. The peer's answer is one call of one of its methods; neither throws, and later calls do nothing. */
export interface PeerRequest<T> {
  /** Whether the peer has answered. */
  readonly isAnswered: boolean;
  deliver(resource: T): void;
  refuse(error: unknown): void;
}

/** A pool of another package. */
export interface PeerPool<T> {
  /** The object whose methods the users of the package call in the end. */
  readonly pool: object;
  /** Asks for a resource, with a priority if the peer has any. The peer may answer before the call returns. */
  request(request: PeerRequest<T>, priority: number | undefined): void;
  /** The identity of a resource, for a peer that gives each loan of a resource another object. */
  identify?(resource: T): unknown;
  /** Settles when what the holder has left open on a resource has ended. `undefined` if nothing is left open. */
  leftOpen?(resource: T): Promise<void> | undefined;
  /** Gives a resource back. Throws if the peer knows that it is not borrowed. */
  giveBack(resource: T): unknown;
  /** Destroys a borrowed resource. Settles when the peer reports that it is gone. */
  destroy(resource: T): unknown;
  /** The peer's figures at this moment. */
  figures(): PeerFigures;
  /**
   * The resources that are lent at this moment, by identity, each with a token that only the same loan has. `undefined` if the peer
   * does not tell. A watchdog compares the adoption's loans with these. O(resources).
   */
  loans?(): ReadonlyMap<unknown, unknown> | undefined;
  /** Whether the peer has ended. It may have dropped the requests that it had then without an answer. */
  hasEnded?(): boolean;
  /** Whether the peer has ended, and the resources that it has lent with it: nothing takes them back any more. */
  hasReclaimed?(): boolean;
  /** Ends the peer. Settles when it has ended. */
  end(): unknown;
}

/** Gives the identity of a resource of a peer. */
export function identityOf<T>(peer: Pick<PeerPool<T>, 'identify'>, resource: T): unknown {
  return peer.identify === undefined ? resource : peer.identify(resource);
}
