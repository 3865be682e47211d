/** Gives a key as a Map gives it back: 0 for -0. */
export function asMapKey<K>(key: K): K {
  return (key === 0 ? 0 : key) as K;
}
