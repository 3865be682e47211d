/**
 * The slot of each resource of a peer. A slot serves one loan of its resource after the other. A resource that was given back behind
 * its lease's back may be lent again while its slot still has the old loan: it gets another slot then, and the old lease can no longer
 * end the new loan. Equal primitives cannot be told from each other: each of their loans has a slot of its own.
 */
import { isObject } from '../../core/is-object.js';
import { type Lender, Slot } from '../../pool/loan/slot.js';
import { identityOf, type PeerPool } from './peer-pool.js';

/** The slots of one peer's resources. */
export class HeldResources<T> {
  readonly #peer: Pick<PeerPool<T>, 'identify' | 'loans'>;
  readonly #lender: Lender<T>;
  /** Slots of resources that are objects. The peer may destroy a resource without a word, so they are held weakly. */
  readonly #ofObjects = new WeakMap<object, Slot<T>>();
  /** Slots whose resource has been lent again by another slot. */
  readonly #replaced = new WeakSet<Slot<T>>();
  #hasReplaced = false;
  /** The peer's token of the loan of a slot. */
  readonly #tokens = new WeakMap<Slot<T>, unknown>();

  constructor(peer: Pick<PeerPool<T>, 'identify' | 'loans'>, lender: Lender<T>) {
    this.#peer = peer;
    this.#lender = lender;
  }

  /** Gives the slot for the next loan of a resource. */
  take(resource: T): Slot<T> {
    const identity = identityOf(this.#peer, resource);
    if (!isObject(identity)) return this.#newSlot(resource, undefined);
    const known = this.#ofObjects.get(identity);
    if (known?.state === 'idle') {
      known.resource = resource;
      return known;
    }
    const slot = this.#newSlot(resource, known);
    this.#ofObjects.set(identity, slot);
    return slot;
  }

  /** Whether a slot is that of the present loan of its resource. */
  isHolder(slot: Slot<T>): boolean {
    return !this.#hasReplaced || !this.#replaced.has(slot);
  }

  /** Notes which loan of the peer a slot has, for {@link isStillLent}. O(resources) at most. */
  noteLoan(slot: Slot<T>): void {
    this.#tokens.set(slot, this.#tokenOf(slot));
  }

  /** Whether the peer still counts the resource of a slot as lent by the loan that was noted, as far as it tells. */
  isStillLent(slot: Slot<T>): boolean {
    const token = this.#tokens.get(slot);
    return this.isHolder(slot) && (token === undefined || token === this.#tokenOf(slot));
  }

  #tokenOf({ resource }: Slot<T>): unknown {
    const identity = identityOf(this.#peer, resource);
    return isObject(identity) ? this.#peer.loans?.()?.get(identity) : undefined;
  }

  /** The loan has ended, and its resource goes back to the peer. */
  giveBack(slot: Slot<T>): void {
    slot.state = 'idle';
  }

  /** The loan has ended, and its resource does not go back. */
  forget(slot: Slot<T>): void {
    if (!this.isHolder(slot)) return;
    const identity = identityOf(this.#peer, slot.resource);
    if (isObject(identity)) this.#ofObjects.delete(identity);
  }

  #newSlot(resource: T, known: Slot<T> | undefined): Slot<T> {
    if (known !== undefined) {
      this.#replaced.add(known);
      this.#hasReplaced = true;
    }
    return new Slot(resource, this.#lender, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
  }
}
