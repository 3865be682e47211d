/**
 * The events of a pool: generic-pool's, and one for each thing that is counted. There is no event named `error`, so a
 * factory that fails in the background cannot end the process.
 */
import type { RunInContext } from '../core/async-context.js';
import { EventListeners } from '../core/event-listeners.js';
import type { DestroyReason } from './factory.js';
import type { AcquireTimeoutError, PoolFullError } from './pool-errors.js';
import type { LoanInfo } from './pool-stats.js';

/** The payload of each event of a pool with resources of the type `T`. */
export interface PoolEventMap<T = unknown> {
  /** A resource was created: the resource. */
  created: T;
  /** A resource is gone: which, and why. */
  destroyed: DestroyedResource<T>;
  /** A resource was lent: the resource, and how long its caller waited. */
  acquire: AcquiredResource<T>;
  /** A loan ended, in any way: the resource, and how long it was held. */
  release: ReleasedResource<T>;
  /** A resource left the pool with its holder: the resource. */
  detached: T;
  /** A caller's wait timed out: the error that the caller got. */
  acquireTimeout: AcquireTimeoutError;
  /** A caller was refused because too many waited already: the error that the caller got. */
  refused: PoolFullError;
  /** `create` failed or timed out: its error. */
  factoryCreateError: unknown;
  /** `destroy` failed or timed out: its error. */
  factoryDestroyError: unknown;
  /** `validate` failed or timed out: its error. */
  factoryValidateError: unknown;
  /** `reset` failed or timed out: its error. */
  factoryResetError: unknown;
  /** The grace of `close` is over: the loans that are still out, longest first. */
  leasesOut: readonly LoanInfo[];
}

/** The payload of an `acquire` event. While the event has a listener, every loan is timed. */
export interface AcquiredResource<T = unknown> {
  /** The resource that was lent. */
  readonly resource: T;
  /** How long the caller waited, in milliseconds; 0 if the resource was idle. */
  readonly waitMillis: number;
}

/** The payload of a `release` event. While the event has a listener, every loan is timed. */
export interface ReleasedResource<T = unknown> {
  /** The resource that was lent. */
  readonly resource: T;
  /** How long it was held, in milliseconds. */
  readonly holdMillis: number;
}

/** The payload of a `destroyed` event. */
export interface DestroyedResource<T = unknown> {
  /** The resource that is gone. */
  readonly resource: T;
  /** Why it was destroyed. */
  readonly reason: DestroyReason;
}

/**
 * A listener of one event of a pool. It is called in a microtask after the step of the pool that the event tells of, in the
 * async context that the pool was created in. So it may call the pool.
 */
export type PoolListener<E extends keyof PoolEventMap, T = unknown> = (
  payload: PoolEventMap<T>[E],
) => void;

/** The names of all events. */
export const POOL_EVENTS: readonly (keyof PoolEventMap)[] = [
  'created',
  'acquire',
  'release',
  'destroyed',
  'detached',
  'acquireTimeout',
  'refused',
  'factoryCreateError',
  'factoryDestroyError',
  'factoryValidateError',
  'factoryResetError',
  'leasesOut',
];

/** The listeners of one pool. */
export type PoolEvents = EventListeners<PoolEventMap>;

/** Listeners for one pool, called in the pool's own async context. */
export function makePoolEvents(runInContext: RunInContext): PoolEvents {
  return new EventListeners<PoolEventMap>('a pool', POOL_EVENTS, runInContext);
}
