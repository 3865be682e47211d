/**
 * The messages on the bus. A message names invalidated keys and tags in their public form, each with its new token. It comes before
 * the store has the token, so a receiver believes the store only when it finds that token there (`announcements.ts`).
 */
import type { Invalidation } from './invalidation.js';

/** The most invalidations in one message. */
const MAX_IN_MESSAGE = 500;
/** The longest text of the names in one message, unless it has only one. */
const MAX_CHARACTERS = 100_000;
/** The longest public form or token that is read. Longer texts are written as digests. */
const MAX_FORM = 600;
/** The longest message that is read. */
const MAX_READ = 1_000_000;

/** What a message says of one invalidation. */
export interface Announced {
  readonly kind: 'key' | 'tag' | 'cache';
  readonly what: string;
  readonly token: string;
}

/** An invalidation of another process, and the message about it. */
export interface Received extends Announced {
  readonly from: unknown;
  /** The number of the message: greater than that of each earlier message of its sender. `NaN` if it has none. */
  readonly order: number;
}

/** Writes messages about invalidations of one cache. `nextOrder` numbers them. */
export function* messagesAbout(
  from: string,
  cache: string,
  invalidations: readonly Invalidation[],
  nextOrder: () => number,
): IterableIterator<string> {
  let list: [string, string, string][] = [];
  let characters = 0;
  const message = (): string => JSON.stringify({ from, order: nextOrder(), cache, list });
  for (const { kind, what, token } of invalidations) {
    if (
      list.length === MAX_IN_MESSAGE ||
      (list.length > 0 && characters + what.length > MAX_CHARACTERS)
    ) {
      yield message();
      list = [];
      characters = 0;
    }
    list.push([kind, what, token]);
    characters += what.length;
  }
  if (list.length > 0) yield message();
}

/**
 * Reads a message: `undefined` if it is about another cache or from this one itself.
 *
 * @throws `Error` for a message of this cache that is malformed.
 */
export function readMessage(text: string, to: string, cache: string): Received[] | undefined {
  if (text.length > MAX_READ) throw new Error('A message on the bus is too long. It was ignored.');
  const message: unknown = JSON.parse(text);
  if (typeof message !== 'object' || message === null) throw malformed();
  const { from, order: given, cache: about, list } = message as Record<string, unknown>;
  const order = typeof given === 'number' ? given : Number.NaN;
  if (about !== cache || from === to) return undefined;
  if (!Array.isArray(list) || list.length > MAX_IN_MESSAGE) throw malformed();
  return list.map((item: unknown) => {
    if (!Array.isArray(item)) throw malformed();
    const [kind, what, token] = item as unknown[];
    if (kind !== 'key' && kind !== 'tag' && kind !== 'cache') throw malformed();
    if (typeof what !== 'string' || what.length > MAX_FORM) throw malformed();
    if (typeof token !== 'string' || token.length > MAX_FORM) throw malformed();
    return { kind, what, token, from, order };
  });
}

function malformed(): Error {
  return new Error('A message on the bus is malformed. It was ignored.');
}
