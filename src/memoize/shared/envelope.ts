/**
 * The form in which a result is written to the shared store: with the tokens that were present when its load began. Every process
 * that can write to the store can write anything, so each field is checked before it is used, and counts are limited.
 */

import { errorField } from '../../core/error-field.js';
import { isError } from '../../core/is-error.js';
import { CLOCK_SKEW_MILLIS, newRevision, revisionTime } from './revision.js';

/** A result, or a remembered failure, in the shared store. */
export interface Envelope {
  readonly value?: unknown;
  /** Instead of a value: the failure of the load. */
  readonly failure?: SharedFailure;
  /** The name under which it was written. A store may take two names for one: some do not tell capital letters from small ones. */
  readonly name: string;
  /** Tells this write from every other. */
  readonly revision: string;
  /** When its load ended, in milliseconds since 1970, by the clock of the writer. */
  readonly at: number;
  /** How long it is fresh from then on, in milliseconds; `undefined` for no limit. */
  readonly ttl?: number;
  /** The token of its key. */
  readonly key: string;
  /** The token of the cache. */
  readonly cache: string;
  /** Its tags, and the token of each. */
  readonly tags?: readonly (readonly [tag: string, token: string])[];
  /** The fence of the lock under which it was loaded. */
  readonly fence?: number;
}

/** The part of a failure that other processes get. */
export interface SharedFailure {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
}

/** The most tags that are written or read. */
export const MAX_SHARED_TAGS = 1_000;
/** The longest text of a tag or a failure. */
const MAX_TEXT = 10_000;
/** The longest token. */
const MAX_TOKEN = 64;
/** How a token begins that no invalidation has made. */
const FIRST = 'first-';
/** How a token begins that tells when it was made. */
const WITH_TIME = /^[0-9a-z]{9}-/;
/** How a token ends under which the value of a `set` follows. */
const OF_SET = '-set';

/**
 * A value that was read under a name of the store as an envelope; `undefined` if it is none, or one of another name. A copy: a store in
 * memory may give an object whose fields throw, or change. Throws what they throw.
 */
export function envelopeIn(stored: unknown, name: string): Envelope | undefined {
  if (typeof stored !== 'object' || stored === null) return undefined;
  const {
    value,
    name: of,
    revision,
    at,
    ttl,
    key,
    cache,
    tags,
    fence,
    failure,
  } = stored as Record<string, unknown>;
  const isSound =
    of === name &&
    isToken(revision) &&
    isToken(key) &&
    isToken(cache) &&
    isNumber(at) &&
    (ttl === undefined || (isNumber(ttl) && ttl >= 0)) &&
    (fence === undefined || isNumber(fence)) &&
    (tags === undefined || areTags(tags)) &&
    (failure === undefined || isFailure(failure));
  return isSound
    ? ({ value, failure, name, revision, at, ttl, key, cache, tags, fence } as Envelope)
    : undefined;
}

/** A token that no other has, which begins with the present time. */
export function newToken(): string {
  return newRevision();
}

/** A token under which the value of a `set` follows. */
export function tokenOfSet(): string {
  return `${newToken()}${OF_SET}`;
}

/** Whether all that is stored under a token was loaded after the token was written. The value of a `set` was given before. */
export function isOfLoadsAlone(token: string): boolean {
  return token !== '' && !token.endsWith(OF_SET);
}

/**
 * Whether an invalidation may have made a token after `millis`, as far as the clocks agree. A token of an earlier version tells no
 * time.
 */
export function mayBeLater(token: string, millis: number): boolean {
  return WITH_TIME.test(token) && revisionTime(token) > millis - CLOCK_SKEW_MILLIS;
}

/** A token for a name that has none. It tells nothing of whether an earlier one was lost, or replaced. */
export function firstToken(): string {
  return `${FIRST}${newToken()}`;
}

/** Whether an invalidation has made a token, and not a load that found none. */
export function isOfInvalidation(token: string): boolean {
  return token !== '' && !token.startsWith(FIRST);
}

/** The token in a value from the store; '' if there is none, or it could not be read. */
export function tokenIn(stored: unknown): string {
  return isToken(stored) ? stored : '';
}

/** The part of an error that is shared. */
export function failureOf(error: unknown): SharedFailure {
  if (!isError(error)) return { name: 'Error', message: text(error) };
  const code = errorField(error, 'code');
  return {
    name: text(errorField(error, 'name')),
    message: text(errorField(error, 'message')),
    ...(code === undefined ? {} : { code: text(code) }),
  };
}

function text(value: unknown): string {
  return (typeof value === 'string' ? value : typeof value).slice(0, MAX_TEXT);
}

function isToken(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_TOKEN;
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_TEXT;
}

function areTags(tags: unknown): boolean {
  return (
    Array.isArray(tags) &&
    tags.length <= MAX_SHARED_TAGS &&
    tags.every((pair) => Array.isArray(pair) && isText(pair[0]) && isToken(pair[1]))
  );
}

function isFailure(failure: unknown): boolean {
  if (typeof failure !== 'object' || failure === null) return false;
  const { name, message, code } = failure as Record<string, unknown>;
  return isText(name) && isText(message) && (code === undefined || isText(code));
}
