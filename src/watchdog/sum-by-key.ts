/** Adds up the counts of what has the same key. Of these the last one gives the other fields. In the order of the first ones. O(n). */
export function sumByKey<T extends { readonly count: number }>(
  all: Iterable<T>,
  keyOf: (one: T) => string,
): T[] {
  const byKey = new Map<string, T>();
  for (const one of all) {
    const key = keyOf(one);
    byKey.set(key, { ...one, count: one.count + (byKey.get(key)?.count ?? 0) });
  }
  return [...byKey.values()];
}
