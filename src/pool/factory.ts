/**
 * What the pool needs from its user: how a resource is made, ended, judged and cleaned. The first three are
 * generic-pool's, so a factory written for it works as it is.
 */
import { InvalidArgumentError } from '../core/errors.js';
import { aFunction, checkArgument } from '../core/options.js';

/** What `create` is told. */
export interface CreateContext {
  /** Aborted when the pool no longer wants the resource: its creation timed out, or the pool was closed. */
  readonly signal: AbortSignal;
  /** 1, or one more than the number of creations that failed in a row before this one. */
  readonly attempt: number;
}

/**
 * Why a resource is destroyed: it was `idle` too long, reached its `lifetime` or number of `uses`, was found `invalid`,
 * could not be `reset`, was `discarded` by its holder, was `invalidated`, was one too many after a `resize`, was `yielded` to
 * another key of a keyed pool, fell to `clear()` or `close()`, was still out when a `forced`
 * close took it, or came so `late` that its place had been given away. A holder may give a reason of its own.
 */
export type DestroyReason =
  | 'idle'
  | 'lifetime'
  | 'uses'
  | 'invalid'
  | 'reset'
  | 'discarded'
  | 'invalidated'
  | 'resize'
  | 'yielded'
  | 'clear'
  | 'close'
  | 'forced'
  | 'late'
  | (string & {});

/**
 * Makes, ends, judges and cleans resources. Each call runs in the async context that the pool was created in, whoever's
 * request caused it, and has a timeout. A call that throws counts as one whose promise rejects.
 */
export interface Factory<T> {
  /**
   * Makes a resource. Any value will do, falsy ones included. An object must be a new one each time; equal primitives
   * are allowed and told apart by nobody.
   */
  create(context: CreateContext): T | PromiseLike<T>;
  /** Ends a resource. Until it settles, or times out, the resource counts towards `max`. */
  destroy(resource: T, reason: DestroyReason): unknown;
  /** Says whether a resource is still good. Throwing, rejecting and timing out mean that it is not. */
  validate?(resource: T): boolean | PromiseLike<boolean>;
  /** Cleans a resource that comes back. Throwing, rejecting and timing out destroy it. */
  reset?(resource: T): unknown;
}

/** Throws {@link InvalidArgumentError} unless `factory` has the methods that a pool calls. */
export function checkFactory(factory: unknown): void {
  if (typeof factory !== 'object' || factory === null) {
    throw new InvalidArgumentError(
      'createPool: the factory must be an object with create() and destroy().',
    );
  }
  const methods = factory as Record<string, unknown>;
  for (const name of ['create', 'destroy']) {
    checkArgument('createPool', `factory.${name}`, methods[name], aFunction);
  }
  for (const name of ['validate', 'reset']) {
    if (methods[name] !== undefined) {
      checkArgument('createPool', `factory.${name}`, methods[name], aFunction);
    }
  }
}
