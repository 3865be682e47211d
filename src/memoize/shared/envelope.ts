/** The form in which a result is written to the shared store: with the tokens that were present when its load began. */

/** A result in the shared store. */
export interface Envelope {
  readonly value?: unknown;
  /** When it expires, in milliseconds since 1970. */
  readonly until?: number;
  /** The token of its key. */
  readonly key: string;
  /** The token of the cache. */
  readonly cache: string;
  /** The token of each of its tags, by tag. */
  readonly tags?: Readonly<Record<string, string>>;
  /** The fence of the lock under which it was loaded. */
  readonly fence?: number;
}

/** Whether a value from the store is an envelope. */
export function isEnvelope(value: unknown): value is Envelope {
  return typeof value === 'object' && value !== null && 'key' in value && 'cache' in value;
}

/** The token in a value from the store; '' for none. */
export function tokenIn(stored: unknown): string {
  return typeof stored === 'string' ? stored : '';
}
