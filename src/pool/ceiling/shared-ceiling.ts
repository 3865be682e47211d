/**
 * One limit over several pools: a `KeyedPool` has a pool for each key, and all of them together may have so many resources.
 *
 * When a pool has callers for whom it may create nothing, since all the room is taken, it is starved. Room is made for it, by
 * one resource at a time: an idle one of the key that has lent nothing for the longest time leaves; if none is idle, the next
 * one that comes back to a key whose callers came later. What becomes free goes to the starved key whose first caller has
 * waited longest. So the keys take turns, and a busy one cannot keep out the others.
 */

/** A pool under a common ceiling. */
export interface CeilingMember {
  /** How many resources it has in any state, those being created and destroyed included. */
  readonly size: number;
  /** How many of them are being destroyed. */
  readonly destroying: number;
  /** How many of them are idle. */
  readonly idle: number;
  /** The number of the loan that it granted last, counted over all members. */
  readonly lastGrant: number;
  /** The number of its first caller, counted over all members; `Infinity` if nobody waits. */
  readonly firstTicket: number;
  /** Whether it has callers for whom it would create a resource if there was room. */
  isStarved(): boolean;
  /** Destroys the idle resource whose turn it would be last. */
  evictIdle(): void;
  /** Creates what it has room for. */
  serve(): void;
}

export class SharedCeiling {
  readonly #members = new Set<CeilingMember>();
  /** Those who were starved when they were last looked at: what comes back asks nobody else. */
  readonly #starved = new Set<CeilingMember>();
  readonly #maxTotal: number;
  #isDistributing = false;
  #tickets = 0;
  #grants = 0;

  constructor(maxTotal: number) {
    this.#maxTotal = maxTotal;
  }

  add(member: CeilingMember): void {
    this.#members.add(member);
  }

  remove(member: CeilingMember): void {
    this.#members.delete(member);
    this.#starved.delete(member);
  }

  /** How many resources all members have. O(members). */
  get total(): number {
    let total = 0;
    for (const { size } of this.#members) total += size;
    return total;
  }

  /** How many more resources there may be. */
  get room(): number {
    return this.#maxTotal - this.total;
  }

  /** How many more resources a member may have: none while it is the turn of another. */
  roomFor(member: CeilingMember): number {
    const { room } = this;
    if (room <= 0) return 0;
    const hungriest = this.#longestStarved();
    return hungriest === undefined || hungriest === member ? room : 0;
  }

  nextTicket(): number {
    return ++this.#tickets;
  }

  nextGrant(): number {
    return ++this.#grants;
  }

  /** A member has done for its callers what it could. */
  memberServed(member: CeilingMember): void {
    if (member.isStarved()) this.#starved.add(member);
    this.distributeRoom();
  }

  /** Something has changed that may help those who are starved: there is room, or something is idle. O(1) if there are none. */
  distributeRoom(): void {
    if (this.#isDistributing) return;
    this.#isDistributing = true;
    try {
      for (
        let member = this.#longestStarved();
        member !== undefined;
        member = this.#longestStarved()
      ) {
        if (this.room <= 0) this.#makeRoomFor(member);
        if (this.room <= 0) return;
        const { firstTicket } = member;
        member.serve();
        if (member.isStarved() && member.firstTicket === firstTicket && this.room > 0) return;
      }
    } finally {
      this.#isDistributing = false;
    }
  }

  /**
   * Whether a member has to let go of a resource that came back, though callers of its own wait. O(1) if nobody is starved, else
   * O(members).
   */
  mustYield(member: CeilingMember): boolean {
    if (this.#starved.size === 0 || this.room > 0 || this.#isRoomComing()) return false;
    const hungriest = this.#longestStarved();
    return (
      hungriest !== undefined &&
      hungriest !== member &&
      hungriest.size < member.size &&
      hungriest.firstTicket < member.firstTicket
    );
  }

  #longestStarved(): CeilingMember | undefined {
    let hungriest: CeilingMember | undefined;
    for (const member of this.#starved) {
      if (!member.isStarved()) this.#starved.delete(member);
      else if (hungriest === undefined || member.firstTicket < hungriest.firstTicket) {
        hungriest = member;
      }
    }
    return hungriest;
  }

  #makeRoomFor(hungry: CeilingMember): void {
    if (this.#isRoomComing()) return;
    let coldest: CeilingMember | undefined;
    for (const member of this.#members) {
      if (member === hungry || member.idle === 0) continue;
      if (coldest === undefined || member.lastGrant < coldest.lastGrant) coldest = member;
    }
    coldest?.evictIdle();
  }

  #isRoomComing(): boolean {
    for (const { destroying } of this.#members) if (destroying > 0) return true;
    return false;
  }
}
