/** An invalidation on its way to the store and the bus. */
import { newToken, tokenOfSet } from './envelope.js';

/** One invalidation: the new token of a key, a tag or the whole cache. `what` is a public form. */
export class Invalidation {
  readonly kind: 'key' | 'tag' | 'cache';
  readonly what: string;
  isStored = false;
  isPublished = false;
  /** The attempt that has begun; `undefined` before the first. */
  attempt: Promise<void> | undefined = undefined;
  /** Ends when messages with its second token were sent, or when the bus has refused them. */
  renewal: Promise<void> | undefined = undefined;
  /** Whether the last attempt has ended without success, or was put off. */
  hasFailed = false;
  /** Whether the store was asked. */
  wasTried = false;
  /** The part of the store that it concerns; `undefined` until it is needed. */
  part: number | undefined = undefined;
  #token = newToken();

  constructor(kind: Invalidation['kind'], what: string) {
    this.kind = kind;
    this.what = what;
  }

  get token(): string {
    return this.#token;
  }

  /**
   * Takes another token, before the store is asked once more. It may have had the first one, and one of a later invalidation since. If
   * the first one came back, so would the results from before the later invalidation.
   */
  renewToken(): void {
    this.#token = newToken();
    this.isPublished = false;
  }

  /** Takes the token of a `set`, whose value is to follow. No token was sent yet. */
  takeTokenOfSet(): void {
    this.#token = tokenOfSet();
  }

  /** Told that messages with a token were sent. */
  notePublished(token: string): void {
    if (token === this.#token) this.isPublished = true;
  }
}
