/**
 * One limit over several pools. A keyed pool has a pool for each key, and all of them together may have `maxTotal`
 * resources.
 *
 * A pool is starved when it has waiters for whom it may create nothing because the ceiling is reached. Other pools then give up
 * resources for it, one at a time:
 *
 * - An idle resource is evicted, from the pool that has lent nothing for the longest time.
 * - If none is idle, a pool whose waiters came later yields the next resource that comes back to it.
 *
 * The starved pool whose first waiter has waited longest may create first. So the keys take turns, and a busy key cannot keep
 * out the others.
 *
 * What the ceiling knows of its members is counted, and kept in order, as it changes. So a step of one pool costs O(log n) for `n` pools,
 * and O(leaving resources) if a resource comes back that a starved pool may need.
 */
import type { DestroyReason } from '../factory.js';
import { RankedMembers } from './ranked-members.js';

/** A pool under a shared ceiling. */
export interface CeilingMember {
  /** Resources in any state, those being created and destroyed included. */
  readonly size: number;
  /** Waiters for whom no resource is idle or on its way, as far as `max` allows one more. */
  readonly shortfall: number;
  /** Idle resources. */
  readonly idle: number;
  /** The number of the loan that the pool granted last, counted over all members. */
  readonly lastGrant: number;
  /** The number of the pool's first waiter, counted over all members; `Infinity` if none waits. */
  readonly firstTicket: number;
  /** Whether it has waiters for whom it would create a resource if there was room. */
  isStarved(): boolean;
  /** Destroys the resource that was idle for the longest time. */
  evictIdle(reason: DestroyReason): void;
  /** Creates resources for its waiters, as far as there is room. */
  serve(): void;
  /** Creates resources up to its `min`, or for callers of `warmUp`, as far as there is room. */
  fill(): void;
}

/** How many more resources a member has than it told last; below 0 for fewer. */
export interface MemberChange {
  /** Resources in any state. */
  readonly resources: number;
  /** Those of them that are not being destroyed. */
  readonly kept: number;
  /** Those that are being destroyed, but for destructions that have become slow. */
  readonly leaving: number;
}

/** The ceiling over all pools of one keyed pool. */
export class SharedCeiling {
  /** The members that were starved when they were last looked at. A returned resource is offered to these alone. */
  readonly #starved = new RankedMembers<CeilingMember>(
    ({ firstTicket }) => firstTicket,
    ({ shortfall }) => shortfall,
  );
  /** The members that had idle resources when they were last looked at, in the order of their loans at that time. */
  readonly #givers = new RankedMembers<CeilingMember>(({ lastGrant }) => lastGrant);
  /** The members that found no room for their `min`, or for callers of `warmUp`. */
  readonly #unfilled = new Set<CeilingMember>();
  /** How many resources all members have. */
  #total = 0;
  /** How many of them are not being destroyed. */
  #kept = 0;
  /** How many of them are being destroyed, but for destructions that have become slow: they may hang. */
  #leaving = 0;
  /** How many creations of all members run on without a place. */
  #abandoned = 0;
  #maxTotal: number;
  /** Whether there may be more resources than `maxTotal`, because it has become less. */
  #mayHaveExcess = false;
  #isDistributing = false;
  #tickets = 0;
  #grants = 0;

  constructor(maxTotal: number) {
    this.#maxTotal = maxTotal;
  }

  /** The most resources that all members may have together. */
  get maxTotal(): number {
    return this.#maxTotal;
  }

  /** Sets another limit, and evicts idle resources beyond it. */
  resize(maxTotal: number): void {
    this.#maxTotal = maxTotal;
    this.#mayHaveExcess = true;
    while (this.hasExcess) {
      const giver = this.#leastRecentlyUsed();
      if (giver === undefined) return;
      giver.evictIdle('resize');
    }
  }

  /** Whether there are more resources than `maxTotal`. Those that are being destroyed do not count, however long that takes. */
  get hasExcess(): boolean {
    this.#mayHaveExcess &&= this.#kept > this.#maxTotal;
    return this.#mayHaveExcess;
  }

  /** Told that a member has changed. */
  memberChanged(member: CeilingMember, more: MemberChange): void {
    this.#total += more.resources;
    this.#kept += more.kept;
    this.#leaving += more.leaving;
    if (this.#starved.size > 0) this.#noteStarved(member);
  }

  /** Forgets a member, which has no resources. */
  remove(member: CeilingMember): void {
    this.#starved.remove(member);
    this.#givers.remove(member);
    this.#unfilled.delete(member);
  }

  /** Has the member filled as soon as there is room that no waiter needs. */
  awaitRoom(member: CeilingMember): void {
    this.#unfilled.add(member);
  }

  /** Whether another creation may give its place away and run on: at most `maxTotal` do, or a caller of each key would add one. */
  get mayAbandon(): boolean {
    return this.#abandoned < this.#maxTotal;
  }

  /** Told that a creation has given its place away, or that such a creation has ended. */
  countAbandoned(change: 1 | -1): void {
    this.#abandoned += change;
  }

  /** How many more resources there may be. O(1). */
  get room(): number {
    return this.#maxTotal - this.#total;
  }

  /** How many more resources a member may have: none while another member is first in line for the room. */
  roomFor(member: CeilingMember): number {
    const { room } = this;
    if (room <= 0) return 0;
    const next = this.#longestStarved();
    return next === undefined || next === member ? room : 0;
  }

  /** The next number in the order of all waiters. */
  nextTicket(): number {
    return ++this.#tickets;
  }

  /** The next number in the order of all loans. */
  nextGrant(): number {
    return ++this.#grants;
  }

  #noteStarved(member: CeilingMember): void {
    if (member.isStarved()) this.#starved.place(member);
    else this.#starved.remove(member);
  }

  /**
   * Told that a member has served its waiters as far as it could. Gives room to the starved members, in order, and what is left to
   * those that want to fill up. O(1) if no member wants room.
   */
  memberServed(member: CeilingMember): void {
    this.#noteStarved(member);
    if (member.idle > 0) this.memberHasIdle(member);
    else this.#distributeRoom();
  }

  /** Told that a resource of a member without waiters is idle. Gives room as {@link SharedCeiling.memberServed} does. */
  memberHasIdle(member: CeilingMember): void {
    if (!this.#givers.has(member)) this.#givers.place(member);
    this.#distributeRoom();
  }

  #distributeRoom(): void {
    if (this.#isDistributing || this.#starved.size + this.#unfilled.size === 0) return;
    this.#isDistributing = true;
    try {
      this.#serveStarved();
      this.#fillUp();
    } finally {
      this.#isDistributing = false;
    }
  }

  #serveStarved(): void {
    let member = this.#longestStarved();
    for (; member !== undefined; member = this.#longestStarved()) {
      if (this.room <= 0) this.#makeRoomFor(member);
      if (this.room <= 0) return;
      const { firstTicket } = member;
      member.serve();
      if (member.isStarved() && member.firstTicket === firstTicket && this.room > 0) return;
    }
  }

  #fillUp(): void {
    for (const member of this.#unfilled) {
      if (this.room <= 0) return;
      this.#unfilled.delete(member);
      member.fill();
      if (this.#unfilled.has(member)) return; // It has found no room again, so no other member would.
    }
  }

  /** Whether a member has to give up a resource that came back, although it has waiters itself. O(1) if no member is starved. */
  mustYield(member: CeilingMember): boolean {
    if (this.#starved.size === 0 || this.room > 0 || this.#isRoomComing(member)) return false;
    const starved = this.#longestStarved();
    return (
      starved !== undefined &&
      starved !== member &&
      starved.size < member.size &&
      starved.firstTicket < member.firstTicket
    );
  }

  #longestStarved(): CeilingMember | undefined {
    let member = this.#starved.first;
    for (; member !== undefined && !member.isStarved(); member = this.#starved.first) {
      this.#starved.remove(member);
    }
    return member;
  }

  /** Whether another member has an idle resource for a waiter of this one, and no starved member needs it. */
  mayMakeRoomFor(member: CeilingMember): boolean {
    const giver = this.#starved.size === 0 ? this.#leastRecentlyUsed() : undefined;
    return giver !== undefined && giver !== member;
  }

  /** Evicts idle resources until as many are leaving as starved waiters need. */
  #makeRoomFor(starved: CeilingMember): void {
    while (this.room <= 0 && !this.#isRoomComing()) {
      const giver = this.#leastRecentlyUsed();
      if (giver === undefined || giver === starved) return;
      giver.evictIdle('yielded');
    }
  }

  /** The member that gives up an idle resource next. One that has lent since it was placed is placed anew. */
  #leastRecentlyUsed(): CeilingMember | undefined {
    let member = this.#givers.first;
    for (; member !== undefined; member = this.#givers.first) {
      if (member.idle === 0) this.#givers.remove(member);
      else if (!this.#givers.place(member)) return member;
    }
    return undefined;
  }

  /** Whether as many resources are leaving as the starved members need, or those of them that come before `giver`. */
  #isRoomComing(giver?: CeilingMember): boolean {
    let spare = this.#leaving;
    if (spare === 0) return false;
    if (giver === undefined) return spare >= this.#starved.need;
    for (const member of this.#starved.below(giver.firstTicket)) {
      if (member.isStarved()) spare -= member.shortfall;
      if (spare < 0) return false;
    }
    return true;
  }
}
