/** One call of the wrapped function, until its result is stored or discarded. */
import type { PendingNode } from '../../core/pending-node.js';
import type { EntryOptions } from '../entry-options.js';
import type { Key } from '../keys/key-trie.js';
import type { StagedEntry } from '../stores/staged-entry.js';
import type { OwnLoadContext } from './own-load-context.js';

/** Optional fields of a load, allocated on first use. */
export class LoadDetails {
  /** The argument of the `load` option. */
  context: OwnLoadContext | undefined = undefined;
  /** The receiver of the call, if the load asks the shared level. */
  receiver: unknown = undefined;
  /** The options that `set` was called with; `undefined` for a run of the function. */
  own: EntryOptions | undefined = undefined;
  /** The key arguments under which a promise given to `set` is shared. */
  sharedAs: readonly unknown[] | undefined = undefined;
  /** When that promise was given, by the clock of this computer, in milliseconds. */
  givenAt = 0;
  /** What was reported of the load, while the cache is watched. */
  pendingNode: PendingNode | undefined = undefined;
  /** The entry that the load is to replace. */
  replaces: StagedEntry | undefined = undefined;
  /** Whether the cache itself wants the result, whatever its callers do. */
  background = false;
  /** Whether its caller wants neither a stored result nor a shared one. */
  forced = false;
  /** Whether the function has not been called yet. A forced call can then still join. */
  isYetToBegin = false;
  /** How many callers wait with a signal of their own. */
  waiters = 0;
  /** How many callers have begun to wait before the soft limit was set: those of a forced load. They are given no stale result at it. */
  unlimited = 0;
  /** How many invalidations of tags there were before the first since the load began; `undefined` without one since. */
  invalidatedSince: number | undefined = undefined;
  /** The load that has taken the place of this one, because it was forced. */
  supersededBy: Load | undefined = undefined;
  /** Whether it has stored its result although it was superseded. */
  hasStored = false;
  /** The promise for callers that came after such an invalidation. */
  successor: Promise<unknown> | undefined = undefined;
  /** Whether the result has an invalidated tag. */
  isOutdated = false;
  /** Whether all its callers have left, and its key is released. */
  isGivenUp = false;
  /** Whether its callers were given the stale result, because the load takes too long. */
  isAnsweredStale = false;
}

/** Shared by the loads without details, so that a miss allocates one small object. */
const NO_DETAILS: Readonly<LoadDetails> = /* @__PURE__ */ Object.freeze(
  /* @__PURE__ */ new LoadDetails(),
);

/** A running load. While it is current for its key, later callers join it, and its result will be stored. */
export class Load {
  key: Key;
  /** False after `delete`, `clear`, `set` or a newer load for the key: the result is not stored. */
  isCurrent = true;
  /** The load within whose synchronous part this one began. */
  outer: Load | undefined;
  /** The result for its callers: the function's return value, or the promise that they await. */
  result: unknown = undefined;
  /** The promise that its callers await; `undefined` for a load that ended when the function returned. */
  promise: Promise<unknown> | undefined = undefined;
  /** How many callers have the bare promise, and so never leave. */
  callers = 0;
  #details: LoadDetails | undefined = undefined;

  constructor(key: Key, outer: Load | undefined) {
    this.key = key;
    this.outer = outer;
  }

  get hasNoDetails(): boolean {
    return this.#details === undefined;
  }

  /** The optional fields, for reading. */
  get details(): Readonly<LoadDetails> {
    return this.#details ?? NO_DETAILS;
  }

  /** The optional fields, for writing. Allocates them if they are missing. */
  get ownDetails(): LoadDetails {
    this.#details ??= new LoadDetails();
    return this.#details;
  }

  /** Has the result not stored, and aborts the load if no caller waits for it. */
  disown(): void {
    this.isCurrent = false;
    if (this.#isUnwanted) this.abort(undefined);
  }

  /** A caller with a signal has left. Returns true if no other caller wants the result. */
  leave(): boolean {
    this.ownDetails.waiters--;
    return this.#isUnwanted;
  }

  /** Whether a caller gets the result. */
  get hasCaller(): boolean {
    return this.callerCount > 0;
  }

  /** Whether `result` is the stale one that was given at the soft limit, so that its caller does not wait for the load. */
  hasAnswered(result: unknown): boolean {
    return this.details.isAnsweredStale && result === this.result;
  }

  /** How many callers get the result. */
  get callerCount(): number {
    return this.callers + this.details.waiters;
  }

  /** Its callers have been given the stale result, and it goes on for the others. Gives how many there were. */
  answeredStale(): number {
    const details = this.ownDetails;
    const answered = this.callerCount - details.unlimited;
    details.isAnsweredStale = true;
    details.waiters = 0;
    this.callers = details.unlimited;
    return answered;
  }

  /** Aborts the signal that the loader may have taken. */
  abort(reason: unknown): void {
    this.details.context?.abort(reason);
  }

  get #isUnwanted(): boolean {
    const { background, isAnsweredStale, context } = this.details;
    if (this.hasCaller) return false;
    if ((background || isAnsweredStale) && this.isCurrent) return false;
    return this.promise !== undefined && context?.signalTaken === true;
  }
}
