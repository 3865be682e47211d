/** Seeded request sequences: the same keys in the same order on every machine. */

/** A sequence of requests, and the number of keys that they are drawn from. */
export interface Workload {
  readonly name: string;
  readonly keys: Uint32Array;
  readonly universe: number;
}

/** Mulberry32. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Draws ranks from 0, rank r in proportion to 1 / (r + 1)^skew. A table of cumulative weights makes it exact. */
export function zipfRanks(universe: number, skew: number, next: () => number): () => number {
  const cumulative = new Float64Array(universe);
  let sum = 0;
  for (let rank = 0; rank < universe; rank++) {
    sum += (rank + 1) ** -skew;
    cumulative[rank] = sum;
  }
  return () => {
    const target = next() * sum;
    let low = 0;
    let high = universe - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((cumulative[middle] as number) > target) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}

/** Independent requests by popularity. */
export function zipf(skew: number, seed = 1, universe = 100_000, length = 1_000_000): Workload {
  const rank = zipfRanks(universe, skew, random(seed));
  return { name: `zipf ${skew}`, keys: Uint32Array.from({ length }, rank), universe };
}

/**
 * A workload that an LRU list serves badly: requests by popularity, a loop over the same keys, and scans that request each key
 * once. The three take turns in bursts of a hundred requests.
 */
export function mixed(seed = 1, universe = 100_000, length = 1_000_000): Workload {
  const next = random(seed);
  const rank = zipfRanks(universe, 0.99, next);
  const loop = universe / 10;
  const keys = new Uint32Array(length);
  let looped = 0;
  let scanned = 0;
  for (let at = 0; at < length; ) {
    const part = next();
    for (let burst = 0; burst < 100 && at < length; burst++, at++) {
      if (part < 0.7) keys[at] = rank();
      else if (part < 0.9) keys[at] = universe + (looped++ % loop);
      else keys[at] = universe + loop + scanned++;
    }
  }
  return { name: 'zipf + loop + scan', keys, universe };
}
