/** One call of the wrapped function, from its beginning until its result is stored or thrown away. */
import type { Key } from './key-trie.js';

/** A running load; while it is the current one for its key, its result will be stored and later callers join it. */
export class Load {
  readonly key: Key;
  /** False once `delete`, `clear`, `set` or a newer load has overtaken it: what it brings is no longer wanted. */
  current = true;
  /** The load within whose synchronous part this one began. */
  outer: Load | undefined;
  /** What its callers await. */
  promise: Promise<unknown> | undefined = undefined;

  constructor(key: Key, outer: Load | undefined) {
    this.key = key;
    this.outer = outer;
  }
}
