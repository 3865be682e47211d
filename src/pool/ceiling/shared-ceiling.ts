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
 */
import type { DestroyReason } from '../factory.js';

/** A pool under a shared ceiling. */
export interface CeilingMember {
  /** Resources in any state, those being created and destroyed included. */
  readonly size: number;
  /** Resources being destroyed, but for destructions that have become slow: they may hang. */
  readonly leaving: number;
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
  /** Destroys the idle resource that would be lent last. */
  evictIdle(reason: DestroyReason): void;
  /** Creates resources for its waiters, as far as there is room. */
  serve(): void;
  /** Creates resources up to its `min`, or for callers of `warmUp`, as far as there is room. */
  fill(): void;
}

/** The ceiling over all pools of one keyed pool. */
export class SharedCeiling {
  readonly #members = new Set<CeilingMember>();
  /** The members that were starved when they were last looked at. A returned resource is offered to these alone. */
  readonly #starved = new Set<CeilingMember>();
  /** The members that found no room for their `min`, or for callers of `warmUp`. */
  readonly #unfilled = new Set<CeilingMember>();
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

  /** Whether there are more resources than `maxTotal`. O(1) unless `maxTotal` has become less, else O(members). */
  get hasExcess(): boolean {
    this.#mayHaveExcess &&= this.total - this.#leaving > this.#maxTotal;
    return this.#mayHaveExcess;
  }

  add(member: CeilingMember): void {
    this.#members.add(member);
  }

  remove(member: CeilingMember): void {
    this.#members.delete(member);
    this.#starved.delete(member);
    this.#unfilled.delete(member);
  }

  /** Has the member filled as soon as there is room that no waiter needs. */
  awaitRoom(member: CeilingMember): void {
    this.#unfilled.add(member);
  }

  /** How many resources all members have. O(members). */
  get total(): number {
    let total = 0;
    for (const { size } of this.#members) total += size;
    return total;
  }

  /** How many more resources there may be. O(1) without a limit, else O(members). */
  get room(): number {
    const maxTotal = this.#maxTotal;
    return maxTotal === Number.POSITIVE_INFINITY ? maxTotal : maxTotal - this.total;
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

  /** Told that a member has served its waiters as far as it could. */
  memberServed(member: CeilingMember): void {
    if (member.isStarved()) this.#starved.add(member);
    this.distributeRoom();
  }

  /**
   * Gives room to the starved members, in order, and what is left to those that want to fill up. Call it when a resource is idle or
   * gone. O(1) if no member wants room.
   */
  distributeRoom(): void {
    if (this.#isDistributing) return;
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
    if (this.#unfilled.size === 0) return;
    for (const member of [...this.#unfilled]) {
      if (this.room <= 0) return;
      this.#unfilled.delete(member);
      member.fill(); // A member that is still not full is added again.
    }
  }

  /**
   * Whether a member has to give up a resource that came back, although it has waiters itself. O(1) if no member is starved,
   * else O(members).
   */
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
    let longest: CeilingMember | undefined;
    for (const member of this.#starved) {
      if (!member.isStarved()) this.#starved.delete(member);
      else if (longest === undefined || member.firstTicket < longest.firstTicket) longest = member;
    }
    return longest;
  }

  /** Evicts idle resources until as many are leaving as starved waiters need. */
  #makeRoomFor(starved: CeilingMember): void {
    while (this.room <= 0 && !this.#isRoomComing()) {
      const giver = this.#leastRecentlyUsed(starved);
      if (giver === undefined) return;
      giver.evictIdle('yielded');
    }
  }

  #leastRecentlyUsed(starved?: CeilingMember): CeilingMember | undefined {
    let found: CeilingMember | undefined;
    for (const member of this.#members) {
      if (member === starved || member.idle === 0) continue;
      if (found === undefined || member.lastGrant < found.lastGrant) found = member;
    }
    return found;
  }

  /** Whether as many resources are leaving as the starved members need, or those of them that come before `giver`. */
  #isRoomComing(giver?: CeilingMember): boolean {
    const leaving = this.#leaving;
    if (leaving === 0) return false;
    let needed = 0;
    for (const member of this.#starved) {
      const isServedFirst = giver === undefined || member.firstTicket < giver.firstTicket;
      if (isServedFirst && member.isStarved()) needed += member.shortfall;
    }
    return leaving >= needed;
  }

  /** How many resources of all members are leaving. O(members). */
  get #leaving(): number {
    let leaving = 0;
    for (const member of this.#members) leaving += member.leaving;
    return leaving;
  }
}
