/**
 * Compares the loans of an adoption with those of its peer, at each look of a watchdog. The peer marks each of its loans with a token
 * of its own, so a resource that came back and was lent again is told from one that stayed out.
 *
 * | the peer has lent the resource | the adoption counts it as out | it is |
 * |---|---|---|
 * | by the same loan | yes | a loan of the adoption |
 * | by another loan, or not at all | yes | given back directly, past its lease; or ended with the peer |
 * | at two looks, by the same loan | no | taken directly, past the adoption, unless a watch over the peer tells of it |
 *
 * A resource that the peer delivers at this moment has no loan of the adoption yet, so one look shows nothing. A resource that is given
 * back and lent again before the first look at its loan is taken for one that stayed out.
 */
import { isObject } from '../../core/is-object.js';
import type { Slot } from '../../pool/loan/slot.js';
import { identityOf, type PeerPool } from './peer-pool.js';

/** What is asked of a peer. */
export type LookedAtPeer<T> = Pick<PeerPool<T>, 'loans' | 'identify' | 'hasReclaimed'>;

/** The report of a resource that was taken directly. */
export interface DirectLoanReport {
  /** Its holder uses it. */
  touch(): void;
  /** It is back, or the peer has ended it. */
  end(isReclaimed: boolean): void;
}

/** What is told of the differences. */
export interface DirectLoansListener<T> {
  /** Whether the loan of another user is told by a watch over the peer. */
  isToldOf(resource: unknown): boolean;
  /** A resource was taken from the peer directly. */
  takenDirectly(): DirectLoanReport;
  /** The peer has the resource of a loan back, and the loan has not ended. */
  givenBackDirectly(slot: Slot<T>): void;
  /** The peer has ended the resource of a loan, and the loan has not ended. */
  reclaimed(slot: Slot<T>): void;
}

/** A loan of the adoption, as it was at the first look. */
interface OwnLoan {
  /** The number of the slot's loan. */
  readonly loan: number;
  /** The token of the peer's loan; `undefined` if the peer has the resource back. */
  readonly token: unknown;
}

/** A loan of another user. */
interface DirectLoan {
  readonly token: unknown;
  /** `undefined` after one look. */
  readonly report: DirectLoanReport | undefined;
}

/** The loans that other users have taken directly. */
export class DirectLoans<T> {
  readonly #slots: Iterable<Slot<T>>;
  readonly #peer: LookedAtPeer<T>;
  readonly #isInUse: (resource: T) => boolean;
  readonly #listener: DirectLoansListener<T>;
  readonly #own = new WeakMap<Slot<T>, OwnLoan>();
  /** The loans of other users at the last look, by the identity of their resources. */
  #direct = new Map<unknown, DirectLoan>();
  /** The peer's loans at the last look. */
  #loans: ReadonlyMap<unknown, unknown> = new Map();
  #returns = 0;

  /** `slots` are those of the adoption's loans; of two with one resource the later has the present loan. */
  constructor(
    slots: Iterable<Slot<T>>,
    peer: LookedAtPeer<T>,
    isInUse: (resource: T) => boolean,
    listener: DirectLoansListener<T>,
  ) {
    this.#isInUse = isInUse;
    this.#slots = slots;
    this.#peer = peer;
    this.#listener = listener;
  }

  /** How many loans of other users the last look has found. */
  get count(): number {
    return this.#direct.size;
  }

  /** How many of the peer's loans have ended from one look to the next. Those that began between the two are not known. */
  get returns(): number {
    return this.#returns;
  }

  /** Compares the loans, and tells the listener of differences. O(resources). */
  compare(): void {
    const loans = this.#peer.loans?.();
    if (loans === undefined) return;
    for (const [resource, token] of this.#loans) {
      if (loans.get(resource) !== token) this.#returns++;
    }
    this.#loans = new Map(loans); // The peer may change its own.
    this.#compareDirect(loans, this.#compareOwn(loans));
  }

  /** Forgets the last look. */
  forget(): void {
    this.#direct.clear();
    this.#loans = new Map();
  }

  /**
   * Finds the loans whose resources were given back. Gives the resources of the others. Equal primitives cannot be told from each other,
   * and count as out.
   */
  #compareOwn(loans: ReadonlyMap<unknown, unknown>): Set<unknown> {
    const bySlot = new Map<unknown, Slot<T>>();
    const returned: Slot<T>[] = [];
    for (const slot of this.#slots) {
      const resource = identityOf(this.#peer, slot.resource);
      const replaced = isObject(resource) ? bySlot.get(resource) : undefined;
      if (replaced !== undefined) returned.push(replaced);
      bySlot.set(resource, slot);
    }
    for (const [resource, slot] of bySlot) {
      if (slot.state !== 'borrowed' || !isObject(resource)) continue;
      if (this.#isOut(slot, loans.get(resource))) continue;
      bySlot.delete(resource);
      returned.push(slot);
    }
    for (const slot of returned) {
      if (this.#hasReclaimed) this.#listener.reclaimed(slot);
      else this.#listener.givenBackDirectly(slot);
    }
    return new Set(bySlot.keys());
  }

  /** Whether `token`, which the peer's present loan of the resource has, is that of the slot's loan. */
  #isOut(slot: Slot<T>, token: unknown): boolean {
    let own = this.#own.get(slot);
    if (own?.loan !== slot.loan) {
      own = { loan: slot.loan, token };
      this.#own.set(slot, own);
    }
    return own.token !== undefined && own.token === token;
  }

  #compareDirect(loans: ReadonlyMap<unknown, unknown>, own: ReadonlySet<unknown>): void {
    const before = this.#direct;
    this.#direct = new Map();
    for (const [resource, token] of loans) {
      if (own.has(resource) || this.#listener.isToldOf(resource)) continue;
      const known = before.get(resource);
      const isSame = known !== undefined && known.token === token;
      if (isSame) before.delete(resource);
      const report = isSame ? (known.report ?? this.#listener.takenDirectly()) : undefined;
      if (this.#isInUse(resource as T)) report?.touch();
      this.#direct.set(resource, { token, report });
    }
    for (const { report } of before.values()) report?.end(this.#hasReclaimed);
  }

  get #hasReclaimed(): boolean {
    return this.#peer.hasReclaimed?.() === true;
  }
}
