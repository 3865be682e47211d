/** How a result lies in the shared store: with the generations it was loaded in. */

/** A result as it lies in the store. */
export interface Envelope {
  readonly value?: unknown;
  /** When it expires, in milliseconds since 1970. */
  readonly until?: number;
  readonly key: string;
  readonly cache: string;
  /** Its tags with their tokens. */
  readonly tags?: Readonly<Record<string, string>>;
  readonly fence?: number;
}

/** Whether a value that was read is one. */
export function isEnvelope(value: unknown): value is Envelope {
  return typeof value === 'object' && value !== null && 'key' in value && 'cache' in value;
}

/** The token that was read; '' for none. */
export function tokenIn(stored: unknown): string {
  return typeof stored === 'string' ? stored : '';
}
