/**
 * The events of a pool. There is no event named `error`, so nothing that goes wrong in the background can end the
 * process; and a listener that throws disturbs neither the pool nor the other listeners.
 */

import type { RunInContext } from '../core/async-context.js';
import { reportIgnoredError } from '../core/ignored-error.js';
import { aFunction, checkArgument, oneOf } from '../core/options.js';
import type { DestroyReason } from './factory.js';
import type { AcquireTimeoutError, PoolFullError } from './pool-errors.js';
import type { LoanInfo } from './pool-stats.js';

/** What each event of a pool hands to its listeners. */
export interface PoolEventMap {
  /** A resource was created: the resource. */
  created: unknown;
  /** A resource is gone: which, and why. */
  destroyed: DestroyedResource;
  /** A resource left the pool with its holder: the resource. */
  detached: unknown;
  /** A caller waited in vain: the error it got. */
  acquireTimeout: AcquireTimeoutError;
  /** A caller was refused since too many waited already: the error it got. */
  refused: PoolFullError;
  /** `create` failed or timed out: its error. */
  factoryCreateError: unknown;
  /** `destroy` failed or timed out: its error. */
  factoryDestroyError: unknown;
  /** `validate` failed or timed out: its error. */
  factoryValidateError: unknown;
  /** `reset` failed or timed out: its error. */
  factoryResetError: unknown;
  /** The grace of `close` is over: what is still out, longest first. */
  leasesOut: readonly LoanInfo[];
}

/** What a `destroyed` event tells. */
export interface DestroyedResource {
  /** The resource that is gone. */
  readonly resource: unknown;
  /** Why it was destroyed. */
  readonly reason: DestroyReason;
}

/** Called when something happens in a pool, in the async context that the pool was created in. */
export type PoolListener<E extends keyof PoolEventMap> = (payload: PoolEventMap[E]) => void;

const EVENT_NAMES: readonly (keyof PoolEventMap)[] = [
  'created',
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

const anEvent = oneOf(...EVENT_NAMES);

/** The listeners of one pool. */
export class PoolEvents {
  readonly #listeners = new Map<string, Set<(payload: never) => void>>();
  readonly #runInContext: RunInContext;

  constructor(runInContext: RunInContext) {
    this.#runInContext = runInContext;
  }

  on<E extends keyof PoolEventMap>(event: E, listener: PoolListener<E>): void {
    checkArgument('on', 'event', event, anEvent);
    checkArgument('on', 'listener', listener, aFunction);
    const listeners = this.#listeners.get(event);
    if (listeners === undefined) this.#listeners.set(event, new Set([listener]));
    else listeners.add(listener);
  }

  off<E extends keyof PoolEventMap>(event: E, listener: PoolListener<E>): void {
    this.#listeners.get(event)?.delete(listener);
  }

  emit<E extends keyof PoolEventMap>(event: E, payload: PoolEventMap[E]): void {
    const listeners = this.#listeners.get(event);
    if (listeners === undefined) return;
    this.#runInContext(() => {
      for (const listener of [...listeners]) {
        try {
          (listener as PoolListener<E>)(payload);
        } catch (error) {
          reportIgnoredError(`a listener of ${event}`, error);
        }
      }
    });
  }
}
