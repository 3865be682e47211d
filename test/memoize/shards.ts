import { hashSlotOf, SLOTS } from '../../src/memoize/shared/hash-slot.js';

/** The shards of a store that has `count` of them, each with a range of hash slots, as a Redis Cluster has. */
export class Shards {
  readonly count: number;

  constructor(count: number) {
    this.count = count;
  }

  /** The shard of a name. */
  of(name: string): number {
    return Math.floor((hashSlotOf(name) * this.count) / SLOTS);
  }

  /** The first `count` keys on some shards. */
  ids(count: number, ...shards: number[]): string[] {
    const ids: string[] = [];
    for (let number = 0; ids.length < count; number++) {
      if (shards.includes(this.of(`{["k${number}"]}`))) ids.push(`k${number}`);
    }
    return ids;
  }
}
