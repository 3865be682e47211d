/**
 * The factory of a pool: how a resource is created, destroyed, validated and reset. The first three methods are
 * generic-pool's, so a factory that was written for generic-pool works unchanged.
 */
import { InvalidArgumentError } from '../core/errors.js';
import { aFunction, checkArgument, type OptionCheck } from '../core/options.js';
import { refusePromise } from '../core/refuse-promise.js';

/** The argument of `create`. */
export interface CreateContext {
  /**
   * Aborted when the pool no longer wants the resource: its creation timed out, its last caller has left, a late resource has taken its
   * place, or the pool was closed. While nothing comes of `create`, one creation continues although its caller has left.
   */
  readonly signal: AbortSignal;
  /** 1, or one more than the number of pauses after creations that failed, or did not answer, since the last success. */
  readonly attempt: number;
}

/**
 * Why a resource is destroyed. A holder may give a reason of its own.
 *
 * | reason | the resource |
 * |---|---|
 * | `idle` | was idle for too long |
 * | `lifetime`, `uses` | reached `maxLifetimeMillis`, `maxUses` |
 * | `invalid`, `reset` | was refused by `validate`, or could not be reset |
 * | `discarded` | was given back as broken by its holder |
 * | `abandoned` | was lent by a lease that V8 has collected, see `onAbandoned` |
 * | `broken` | had an error for which `isBroken` answered true |
 * | `evicted` | was chosen by `evict` |
 * | `invalidated` | existed when `invalidate()` was called |
 * | `resize` | was one too many after a `resize` |
 * | `yielded` | was given up for another key of a keyed pool |
 * | `clear`, `close` | was idle when `clear()` or `close()` was called, or came back afterwards |
 * | `forced` | was still borrowed after the grace of a forced close |
 * | `late` | was created after its timeout, when its place was already taken |
 */
export type DestroyReason =
  | 'idle'
  | 'lifetime'
  | 'uses'
  | 'invalid'
  | 'reset'
  | 'discarded'
  | 'abandoned'
  | 'broken'
  | 'evicted'
  | 'invalidated'
  | 'resize'
  | 'yielded'
  | 'clear'
  | 'close'
  | 'forced'
  | 'late'
  | (string & {});

/**
 * Creates, destroys, validates and resets resources. Each call has a timeout. It runs in the async context that the pool was
 * created in, not in that of the request that caused it. A call that throws counts as one whose promise rejects.
 */
export interface Factory<T> {
  /**
   * Creates a resource: any value, falsy ones included. An object must be a new one each time. Equal primitives are
   * allowed; the pool cannot tell them apart.
   */
  create(context: CreateContext): T | PromiseLike<T>;
  /** Destroys a resource. It counts towards `max` until this settles or times out. */
  destroy(resource: T, reason: DestroyReason): unknown;
  /** Whether a resource is still good. Throwing, rejecting and timing out mean that it is not. */
  validate?(resource: T): boolean | PromiseLike<boolean>;
  /** Cleans a resource that came back. Throwing, rejecting and timing out destroy it. */
  reset?(resource: T): unknown;
  /**
   * Whether an error shows that a resource is broken. Asked when the function of `use()` fails, and by `lease.reportError()`: a
   * broken resource is destroyed when it comes back. `pgErrors` and `mysqlErrors` of the integrations have it.
   */
  isBroken?(error: unknown, resource: T): boolean;
  /**
   * Whether an error of `create` says that the server takes no more connections at the moment. The caller then waits for a
   * resource to come back, and `create` is tried again after a pause; the failure is not counted towards `createAttempts`.
   */
  isFull?(error: unknown): boolean;
  /**
   * Whether an error of `create` would be the same at the next attempt: a certificate is not trusted. The caller is rejected at once,
   * not after `createAttempts`. Callers that come later still have `create` tried again, after its pause.
   */
  isPermanent?(error: unknown): boolean;
  /**
   * Whether the holder of a resource uses it although it calls nothing of the pool: its client listens for messages, or a statement runs. Asked
   * by a watchdog of the loans that are out for a second or longer, each time it looks. It does not suspect a loan in use.
   */
  isInUse?(resource: T): boolean;
}

const aFactory: OptionCheck = (value) =>
  typeof value === 'object' && value !== null ? undefined : 'an object with create() and destroy()';

/** Throws {@link InvalidArgumentError} unless `factory` has the methods that a pool calls. */
export function checkFactory(where: string, factory: unknown): void {
  refusePromise(
    factory,
    `${where}: \`factory\` must be an object with create() and destroy(), got a promise. Wait for what it needs within create().`,
  );
  checkArgument(where, 'factory', factory, aFactory);
  const methods = factory as Record<string, unknown>;
  refusePool(where, methods);
  for (const name of ['create', 'destroy']) {
    checkArgument(where, `factory.${name}`, methods[name], aFunction);
  }
  for (const name of ['validate', 'reset', 'isBroken', 'isFull', 'isPermanent', 'isInUse']) {
    if (methods[name] !== undefined) {
      checkArgument(where, `factory.${name}`, methods[name], aFunction);
    }
  }
}

/**
 * Throws {@link InvalidArgumentError} if `factory` has a limit that `options` lacks. Other pools take both as one object, and here the limit would
 * have no effect.
 */
export function refuseLimits(
  where: string,
  factory: object,
  options: { readonly max?: number; readonly min?: number },
): void {
  for (const name of ['max', 'min'] as const) {
    if (options[name] !== undefined || !Object.hasOwn(factory, name)) continue;
    throw new InvalidArgumentError(
      `${where}: \`${name}\` is an option, and no part of a factory. Give the options as the second argument.`,
    );
  }
}

/** A method that pools have, and where the adoption of such a pool is; `''` for a pool of this package. */
const POOLS: readonly (readonly [method: string, subpath: string])[] = [
  ['tryLease', ''],
  ['getConnection', 'mysql2'],
  ['connect', 'pg'],
  ['isBorrowedResource', 'generic-pool'],
  ['numPendingAcquires', 'tarn'],
];

function refusePool(where: string, factory: Readonly<Record<string, unknown>>): void {
  if (factory['create'] !== undefined) return;
  for (const [method, subpath] of POOLS) {
    if (typeof factory[method] !== 'function') continue;
    const use =
      subpath === '' ? 'it as it is' : `\`adoptPool\` of \`tenure/integrations/${subpath}\``;
    throw new InvalidArgumentError(`${where}: this is no factory, but a pool already. Use ${use}.`);
  }
}
