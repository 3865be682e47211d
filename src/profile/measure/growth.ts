/**
 * Tells whether calls retain memory each time, with a bound on the probability of error.
 *
 * A call that leaks retains memory nearly each time. A call that does not retains nothing most times, and now and then some
 * kilobytes: V8 compiles a function, or a table doubles. So the median of what calls retain tells them apart, where a sum or a
 * fitted line does not. The bound is an order statistic: at least half of all calls retain as much as the k-th least of n
 * calls, with an error probability of P(B < k), where B counts the heads of n tosses of a coin.
 *
 * Source: W. R. Thompson, *On Confidence Ranges for the Median*, Annals of Mathematical Statistics 7 (3), 1936.
 */

/** What each call retains. */
export interface Growth {
  /** Median of what calls retained, in bytes. */
  readonly median: number;
  /** Bytes that at least half of the calls retain, with a probability of 99 %. */
  readonly least: number;
}

/** Probability that the bound is wrong. */
const ERROR_PROBABILITY = 0.01;

/** Number of calls below which no bound is as sure as that. */
export const MIN_CALLS = 7;

/** Gives the growth per call; `undefined` for fewer than {@link MIN_CALLS}. `retained` is sorted. O(n · log n). */
export function growthOf(retained: Float64Array): Growth | undefined {
  const n = retained.length;
  if (n < MIN_CALLS) return undefined;
  retained.sort();
  const middle = n >>> 1;
  const upper = retained[middle] as number;
  const median = n % 2 === 1 ? upper : ((retained[middle - 1] as number) + upper) / 2;
  return { median, least: retained[rankOf(n) - 1] as number };
}

/** Gives the greatest k for which n tosses give fewer than k heads with a probability of at most {@link ERROR_PROBABILITY}. */
function rankOf(n: number): number {
  let probability = 0.5 ** n;
  let errorProbability = probability;
  let k = 0;
  while (errorProbability <= ERROR_PROBABILITY) {
    k++;
    probability *= (n - k + 1) / k;
    errorProbability += probability;
  }
  return k;
}
