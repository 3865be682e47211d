/** One call of the wrapped function, from its beginning until its result is stored or thrown away. */
import type { SharedValue } from '../../scope/shared-value.js';
import type { EntryOptions } from '../entry-options.js';
import type { Key } from '../keys/key-trie.js';
import type { StagedEntry } from '../stores/staged-entry.js';
import type { OwnLoadContext } from './own-load-context.js';

/** What only some loads have. */
export class LoadDetails {
  /** What the `load` option was given. */
  context: OwnLoadContext | undefined = undefined;
  /** What `set` was told about the entry to be. */
  own: EntryOptions | undefined = undefined;
  /** For which arguments the shared level is to have its result, if that was set as a promise. */
  sharedAs: readonly unknown[] | undefined = undefined;
  /** The entry that it is to replace. */
  replaces: StagedEntry | undefined = undefined;
  /** The cache itself wants the result, whoever else does. */
  background = false;
  /** Its caller wants neither what is stored here nor what is shared. */
  forced = false;
  /** Callers who wait with a signal of their own. */
  waiters = 0;
  /** Callers who will be given a lease on the result. */
  lessees = 0;
  /** What those are given, once it has settled. */
  shared: SharedValue<unknown> | undefined = undefined;
  /** Tags that were invalidated since it began: if its result has one of them, it is not stored. */
  suspectTags: Set<string> | undefined = undefined;
  /** What those are given who came after such an invalidation. */
  successor: Promise<unknown> | undefined = undefined;
  /** It brought a result with a suspect tag. */
  tainted = false;
}

/** Most loads are synchronous, short and alike: they share this, and a miss makes one small object. */
const NONE: Readonly<LoadDetails> = Object.freeze(new LoadDetails());

/** A running load; while it is the current one for its key, its result will be stored and later callers join it. */
export class Load {
  key: Key;
  /** False once `delete`, `clear`, `set` or a newer load has overtaken it: what it brings is no longer wanted. */
  isCurrent = true;
  /** The load within whose synchronous part this one began. */
  outer: Load | undefined;
  /** What its callers are given: what the function returned, or the promise that they await. */
  result: unknown = undefined;
  /** That promise; none for a load that was over when the function returned. */
  promise: Promise<unknown> | undefined = undefined;
  /** Somebody has the bare promise and can never leave. */
  joined = false;
  #details: LoadDetails | undefined = undefined;

  constructor(key: Key, outer: Load | undefined) {
    this.key = key;
    this.outer = outer;
  }

  /** Whether there is nothing particular about it. */
  get hasNoDetails(): boolean {
    return this.#details === undefined;
  }

  /** What is particular about it, to be read. */
  get details(): Readonly<LoadDetails> {
    return this.#details ?? NONE;
  }

  /** The same, to be written. */
  get ownDetails(): LoadDetails {
    this.#details ??= new LoadDetails();
    return this.#details;
  }

  /** Nobody stores its result from now on; if nobody waits for it either, it is aborted. */
  disown(): void {
    this.isCurrent = false;
    if (this.#isUnwanted) this.abort(undefined);
  }

  /** A caller who waited with a signal has left; true if that was the last who wanted the result. */
  leave(): boolean {
    this.ownDetails.waiters--;
    return this.#isUnwanted;
  }

  /** Tells the loader, if it listens, that nobody waits. */
  abort(reason: unknown): void {
    this.details.context?.abort(reason);
  }

  get #isUnwanted(): boolean {
    const { waiters, lessees, background, context } = this.details;
    if (this.joined || waiters > 0 || lessees > 0 || (background && this.isCurrent)) return false;
    return this.promise !== undefined && context?.signalTaken === true;
  }
}
