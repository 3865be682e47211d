/** Drops the oldest of some things, until there is room for one more of at most `most`. */
export function makeRoom<K>(things: Map<K, unknown> | Set<K>, most: number): void {
  for (const oldest of things.keys()) {
    if (things.size < most) return;
    things.delete(oldest);
  }
}
