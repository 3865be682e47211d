/**
 * Decides the terms of results and failures: whether they are kept, for how long, and under which tags and weight. Asks the
 * user's callbacks. A callback that throws or returns nonsense is reported, and what it was asked about is not kept.
 *
 * The terms of a result are decided before its load ends, because a callback may invalidate the very load that it is asked about.
 */
import { InvalidArgumentError } from '../core/errors.js';
import { isThenable, onceSettled } from '../core/thenable.js';
import type { EntryOptions } from './entry-options.js';
import type { EntryTerms } from './entry-terms.js';
import type { Callback, MemoizeSettings } from './memoize-options.js';

/** The most tags of one result. It stops an endless iterable. */
export const MAX_TAGS = 10_000;

/** What a load or a caller says of the terms of one result. */
interface OwnTerms extends EntryOptions {
  /** How much longer the result is fresh at most, in milliseconds; negative for a stale one. */
  readonly remaining?: number | undefined;
  /** How old the result is already, in milliseconds. */
  readonly age?: number | undefined;
}

/** Decides on what terms one cache keeps its results and failures. */
export class RetentionPolicy {
  readonly #settings: MemoizeSettings;
  /** The terms of a result that no callback is asked about; `undefined` if such a result is not kept. */
  readonly #default: EntryTerms | undefined;

  constructor(settings: MemoizeSettings) {
    this.#settings = settings;
    const { ttl } = settings;
    this.#default = this.complete({
      ttl: typeof ttl === 'number' ? ttl : Infinity,
      tags: undefined,
      weight: 0,
    });
  }

  /** The terms on which a result is kept; `undefined` if it is not kept. `own` takes precedence over the options. */
  ofResult(settled: unknown, args: readonly unknown[], own?: OwnTerms): EntryTerms | undefined {
    const settings = this.#settings;
    if (own === undefined && !settings.asksCallbacks) return this.#default;
    return this.#guarded('a result', () => {
      const { cacheIf, ttl } = settings;
      if (cacheIf !== undefined && !this.#isWanted(cacheIf(settled, ...args))) return undefined;
      const weight = settings.weigh?.(settled, ...args) ?? 0;
      if (typeof weight !== 'number' || !(weight >= 0)) {
        throw malformed('weigh', 'a number ≥ 0', weight);
      }
      return this.complete({
        ttl: Math.min(
          millisFrom('ttl', own?.ttl ?? ttl, settled, args),
          own?.remaining ?? Infinity,
        ),
        age: own?.age,
        tags: tagsFrom('tags', settings.tags?.(settled, ...args), own?.tags),
        weight,
      });
    });
  }

  /** The terms on which a failure is remembered; `undefined` if it is not. */
  ofFailure(error: unknown, args: readonly unknown[], own?: OwnTerms): EntryTerms | undefined {
    const { negativeTtl, negativeTags } = this.#settings;
    if (negativeTtl === 0) return undefined;
    return this.#guarded('a failure', () => {
      const given = millisFrom('negativeTtl', negativeTtl, error, args);
      const ttl = Math.min(given, own?.remaining ?? Infinity);
      const tags = tagsFrom('negativeTags', negativeTags?.(error, ...args), own?.tags);
      return ttl <= 0 ? undefined : this.complete({ ttl, tags, weight: 0 });
    });
  }

  #isWanted(answer: unknown): boolean {
    if (isThenable(answer)) throw malformed('cacheIf', 'true or false', answer);
    return Boolean(answer);
  }

  /** Adds to terms whether this process keeps what has them; `undefined` if no call would ever be served on them. */
  complete(terms: Omit<EntryTerms, 'keptHere'>): EntryTerms | undefined {
    const { max, maxWeight, staleWhileRevalidate, staleIfError } = this.#settings;
    if (terms.ttl <= 0 && staleWhileRevalidate <= 0 && staleIfError <= 0) return undefined;
    const { weight } = terms;
    return { ...terms, keptHere: max > 0 && weight <= maxWeight && weight < Infinity };
  }

  #guarded(what: string, decide: () => EntryTerms | undefined): EntryTerms | undefined {
    const { onError, name } = this.#settings;
    try {
      return decide();
    } catch (error) {
      onError(error, `the terms of ${what} of the cache '${name}'`);
      return undefined;
    }
  }
}

function millisFrom(
  option: string,
  given: number | Callback<number>,
  value: unknown,
  args: readonly unknown[],
): number {
  const millis = typeof given === 'function' ? given(value, ...args) : given;
  if (typeof millis === 'number' && millis >= 0) return millis;
  throw malformed(option, 'a number of milliseconds ≥ 0', millis);
}

function tagsFrom(option: string, ...lists: unknown[]): ReadonlySet<string> | undefined {
  const tags = new Set<string>();
  let count = 0;
  for (const list of lists) {
    if (list === undefined) continue;
    if (typeof list !== 'object' || list === null || !(Symbol.iterator in list)) {
      throw malformed(option, 'an iterable of strings, such as an array', list);
    }
    for (const tag of list as Iterable<unknown>) {
      if (typeof tag !== 'string') throw malformed(option, 'an iterable of strings', tag);
      if (++count > MAX_TAGS) throw malformed(option, `at most ${MAX_TAGS} tags`, list);
      tags.add(tag);
    }
  }
  return tags.size === 0 ? undefined : tags;
}

function malformed(option: string, expected: string, got: unknown): Error {
  if (isThenable(got)) void onceSettled(got, undefined, () => {}); // The promise that an async callback returned.
  const kind = isThenable(got) ? 'a promise: the callback must not be async' : kindOf(got);
  return new InvalidArgumentError(`memoize: \`${option}\` must return ${expected}, got ${kind}.`);
}

/** What a value is, without the value itself: it may be a secret. */
function kindOf(value: unknown): string {
  return typeof value === 'number' ? String(value) : value === null ? 'null' : typeof value;
}
