/** What all copies of this package in a process share. */

/**
 * Gives the value that the copies share under the text of `key`, for `Symbol.for`. The first copy makes it. If the global object is
 * frozen, each copy has a value of its own.
 */
export function sharedByCopies<V>(key: string, make: () => V): V {
  const symbol = Symbol.for(key);
  const shared: V = Reflect.get(globalThis, symbol) ?? make();
  Reflect.set(globalThis, symbol, shared);
  return shared;
}
