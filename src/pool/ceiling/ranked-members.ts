/** Some of the pools under a shared ceiling, in the order of a number that each of them has. */
import { MinHeap, NOT_IN_HEAP } from '../../core/min-heap.js';

/** The place of one member. The rank is the member's number when it was placed last, the need what it lacked then. */
interface Place<M> {
  readonly member: M;
  rank: number;
  need: number;
  heapIndex: number;
}

/** Members, the one with the least number first. */
export class RankedMembers<M> {
  readonly #rankOf: (member: M) => number;
  readonly #needOf: (member: M) => number;
  readonly #places = new Map<M, Place<M>>();
  readonly #heap = new MinHeap<Place<M>>(({ rank }) => rank);

  /** What all members lacked when they were placed. */
  need = 0;

  constructor(rankOf: (member: M) => number, needOf: (member: M) => number = () => 0) {
    this.#rankOf = rankOf;
    this.#needOf = needOf;
  }

  get size(): number {
    return this.#places.size;
  }

  /** The member whose number was the least when it was placed. O(1). */
  get first(): M | undefined {
    return this.#heap.first?.member;
  }

  has(member: M): boolean {
    return this.#places.has(member);
  }

  /** Puts a member where its present number belongs; false if it is there already. O(log n). */
  place(member: M): boolean {
    const rank = this.#rankOf(member);
    const place = this.#places.get(member) ?? this.#add(member, rank);
    const need = this.#needOf(member);
    this.need += need - place.need;
    place.need = need;
    if (place.rank === rank) return false;
    place.rank = rank;
    this.#heap.move(place);
    return true;
  }

  #add(member: M, rank: number): Place<M> {
    const place = { member, rank, need: 0, heapIndex: NOT_IN_HEAP };
    this.#places.set(member, place);
    this.#heap.add(place);
    return place;
  }

  /** Takes a member out, if it is in. O(log n). */
  remove(member: M): void {
    const place = this.#places.get(member);
    if (place === undefined) return;
    this.#places.delete(member);
    this.need -= place.need;
    this.#heap.remove(place);
  }

  /** Gives the members that were placed with less than this number, in no order. O(members given). */
  *below(rank: number, from = 0): IterableIterator<M> {
    const place = this.#heap.at(from);
    if (place === undefined || place.rank >= rank) return;
    yield place.member;
    yield* this.below(rank, 2 * from + 1);
    yield* this.below(rank, 2 * from + 2);
  }
}
