/** An invalidation on its way to the store and the bus. */
import { newToken } from './envelope.js';

/** One invalidation: the new token of a key, a tag or the whole cache. `what` is a public form. */
export class Invalidation {
  readonly kind: 'key' | 'tag' | 'cache';
  readonly what: string;
  readonly token: string = newToken();
  isStored = false;
  isPublished = false;
  /** Whether its token took the place of another one that came after it. */
  isRepeated = false;
  /** The attempt that has begun; `undefined` before the first. */
  attempt: Promise<void> | undefined = undefined;
  /** Whether the last attempt has ended without success, or was put off. */
  hasFailed = false;
  /** Whether the store was asked. */
  wasTried = false;
  /** The part of the store that it concerns; `undefined` until it is needed. */
  part: number | undefined = undefined;

  constructor(kind: Invalidation['kind'], what: string) {
    this.kind = kind;
    this.what = what;
  }
}
