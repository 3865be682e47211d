import { expect, test } from 'vitest';
import { type CeilingMember, SharedCeiling } from '../../src/pool/ceiling/shared-ceiling.js';

/** A member without resources or waiters, which counts how often its size is read. */
function countingMember(): CeilingMember & { reads: number } {
  return {
    reads: 0,
    get size() {
      this.reads++;
      return 0;
    },
    leaving: 0,
    shortfall: 0,
    idle: 0,
    lastGrant: 0,
    firstTicket: Number.POSITIVE_INFINITY,
    isStarved: () => false,
    evictIdle() {},
    serve() {},
    fill() {},
  };
}

test.each([
  [Number.POSITIVE_INFINITY, 0],
  [5, 1],
])(
  'with a ceiling of %d, asking for room reads the size of each other member %d times',
  (maxTotal, reads) => {
    const ceiling = new SharedCeiling(maxTotal);
    const [asking, other] = [countingMember(), countingMember()];
    ceiling.add(asking);
    ceiling.add(other);
    expect(ceiling.roomFor(asking)).toBe(maxTotal);
    expect(other.reads).toBe(reads);
  },
);
