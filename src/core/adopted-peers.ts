/**
 * What an adopted pool and the watch over the pool underneath, its peer, know of each other, so that a watchdog is told of each loan once:
 *
 * | the loan is of | it is told by |
 * |---|---|
 * | the adopted pool, if the watchdog watches it | the watch over the adopted pool |
 * | another user of the peer | the watch over the peer, which knows its line; without one, that over the adopted pool |
 *
 * All copies of this package share it: the two may be of different ones.
 */
import { sharedByCopies } from './shared-by-copies.js';

/** The watch over a pool of another package. */
export interface PeerWatch {
  /** Whether it has told `receiver` of a loan of the resource that is out. */
  hasTold(resource: unknown, receiver: object): boolean;
}

/** A request that an adopted pool makes of its peer. */
export interface AdoptionRequest {
  readonly peer: object;
  /** Who gets the adopted pool's report of the loan, as `Observer.receiver` of the probe; `undefined` if the request brings no loan. */
  readonly receiver: object | undefined;
}

interface Peers {
  /** The request that is being made at this moment. */
  request: AdoptionRequest | undefined;
  readonly watches: WeakMap<object, PeerWatch>;
}

const peers: Peers = /* @__PURE__ */ sharedByCopies('tenure.peers', () => ({
  request: undefined,
  watches: new WeakMap(),
}));

/** Calls `ask`, which makes a request of a peer for its adopted pool. Gives its result. */
export function askPeer<R>(peer: object, receiver: object | undefined, ask: () => R): R {
  const outer = peers.request;
  peers.request = { peer, receiver };
  try {
    return ask();
  } finally {
    peers.request = outer;
  }
}

/** Gives the request that an adopted pool makes by the present call of its peer; `undefined` if another user calls it. */
export function requestOfAdoption(pool: object): AdoptionRequest | undefined {
  const { request } = peers;
  return request?.peer === pool ? request : undefined;
}

/** Makes the watch over a pool known to its adopted pool. */
export function notePeerWatch(pool: object, watch: PeerWatch): void {
  peers.watches.set(pool, watch);
}

/** Whether the watch over a peer has told `receiver` of a loan of the resource that is out. */
export function isToldOfPeer(
  peer: object,
  resource: unknown,
  receiver: object | undefined,
): boolean {
  return receiver !== undefined && peers.watches.get(peer)?.hasTold(resource, receiver) === true;
}
