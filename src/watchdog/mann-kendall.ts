/**
 * The Mann-Kendall test for a trend: do later values tend to be greater than earlier ones? It asks for the signs of differences
 * only, so it assumes no distribution, and one outlier changes little.
 *
 * S is the number of pairs that rise less the number of those that fall. Without a trend it is distributed nearly normally about
 * 0. Groups of equal values make its variance less.
 *
 * Source: H. B. Mann, *Nonparametric Tests Against Trend*, Econometrica 13, 1945; M. G. Kendall, *Rank Correlation Methods*, 1975.
 */

/** Gives the test's z: above 2.33, a rise is by chance in less than one case of a hundred. 0 without variance. O(n²). */
export function mannKendall(values: readonly number[]): number {
  let s = 0;
  const sizes = new Map<number, number>();
  for (const [i, later] of values.entries()) {
    for (let j = 0; j < i; j++) s += Math.sign(later - (values[j] as number));
    sizes.set(later, (sizes.get(later) ?? 0) + 1);
  }
  let variance = term(values.length);
  for (const size of sizes.values()) variance -= term(size);
  if (variance <= 0 || s === 0) return 0;
  return (s - Math.sign(s)) / Math.sqrt(variance / 18);
}

function term(n: number): number {
  return n * (n - 1) * (2 * n + 5);
}
