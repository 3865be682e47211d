/**
 * Safe calls of the factory's methods. Each call runs in the pool's own async context, has a timeout, ends exactly once
 * and never throws. A method that returns no promise ends at once, without a timer.
 */

import type { RunInContext } from '../../core/async-context.js';
import type { Clock } from '../../core/clock.js';
import { isThenable } from '../../core/thenable.js';
import type { DestroyReason, Factory } from '../factory.js';
import {
  CreateError,
  CreateTimeoutError,
  DestroyTimeoutError,
  ValidateTimeoutError,
} from '../pool-errors.js';
import type { PoolEvents } from '../pool-events.js';
import type { PoolSettings } from '../pool-options.js';

/** Told how a creation ended. */
export interface CreationListener<T> {
  /** `create` returned a resource in time. */
  created(resource: T): void;
  /** `create` failed or timed out. */
  failed(error: CreateError): void;
  /** `create` returned a resource after its timeout. */
  late(resource: T): void;
}

/** One running call. */
interface Attempt<R> {
  call(): R | PromiseLike<R>;
  readonly timeoutMillis: number;
  /** Whether no caller waits for it: its timer then does not keep the process alive. */
  readonly background: boolean;
  succeeded(value: R): void;
  failed(error: unknown): void;
  timedOut(): void;
  /** It succeeded after its timeout. */
  late?(value: R): void;
}

/** Calls the methods of one factory. */
export class FactoryCalls<T> {
  readonly #factory: Factory<T>;
  readonly #settings: PoolSettings;
  readonly #clock: Clock;
  readonly #events: PoolEvents;
  readonly #runInContext: RunInContext;
  /** Whether a returned resource has to be reset or validated. */
  readonly inspectsReturns: boolean;

  constructor(
    factory: Factory<T>,
    settings: PoolSettings,
    events: PoolEvents,
    runInContext: RunInContext,
  ) {
    this.#factory = factory;
    this.#settings = settings;
    this.#clock = settings.clock;
    this.#events = events;
    this.#runInContext = runInContext;
    this.inspectsReturns = factory.reset !== undefined || settings.testOnReturn;
  }

  create(
    controller: AbortController,
    attempt: number,
    background: boolean,
    listener: CreationListener<T>,
  ): void {
    const { createTimeoutMillis, name } = this.#settings;
    const { signal } = controller;
    this.#attempt<T>({
      call: () => this.#factory.create({ signal, attempt }),
      timeoutMillis: createTimeoutMillis,
      background,
      succeeded: (resource) => listener.created(resource),
      failed: (cause) => {
        this.#events.emit('factoryCreateError', cause);
        listener.failed(
          new CreateError(`${name}: create() failed. Its \`cause\` says why.`, { cause }),
        );
      },
      timedOut: () => {
        const error = new CreateTimeoutError(name, createTimeoutMillis);
        controller.abort(error);
        this.#events.emit('factoryCreateError', error);
        listener.failed(error);
      },
      late: (resource) => listener.late(resource),
    });
  }

  /** Tells whether the resource is good. A validation that fails or times out means that it is not. */
  validate(resource: T, settled: (valid: boolean) => void): void {
    const { validate } = this.#factory;
    if (validate === undefined) {
      settled(true);
      return;
    }
    this.#check(
      'validate',
      () => validate.call(this.#factory, resource),
      (outcome) => settled(outcome !== FAILED && outcome !== false),
    );
  }

  /** Resets and validates a returned resource, as the options ask. Tells why it cannot stay, or `undefined`. */
  inspectReturn(resource: T, settled: (unfit: DestroyReason | undefined) => void): void {
    const validated = (): void => {
      if (!this.#settings.testOnReturn) settled(undefined);
      else this.validate(resource, (valid) => settled(valid ? undefined : 'invalid'));
    };
    const { reset } = this.#factory;
    if (reset === undefined) {
      validated();
      return;
    }
    this.#check(
      'reset',
      () => reset.call(this.#factory, resource),
      (outcome) => (outcome === FAILED ? settled('reset') : validated()),
    );
  }

  /** Destroys the resource. `settled` is called when it is gone, or when `destroy` has failed or timed out. */
  destroy(resource: T, reason: DestroyReason, background: boolean, settled: () => void): void {
    const { destroyTimeoutMillis, name } = this.#settings;
    const failed = (error: unknown): void => {
      this.#events.emit('factoryDestroyError', error);
      settled();
    };
    this.#attempt<unknown>({
      call: () => this.#factory.destroy(resource, reason),
      timeoutMillis: destroyTimeoutMillis,
      background,
      succeeded: settled,
      failed,
      timedOut: () => failed(new DestroyTimeoutError(name, destroyTimeoutMillis)),
    });
  }

  #check(
    phase: 'validate' | 'reset',
    call: () => unknown,
    settled: (outcome: unknown) => void,
  ): void {
    const { validateTimeoutMillis, name } = this.#settings;
    const failed = (error: unknown): void => {
      this.#events.emit(phase === 'validate' ? 'factoryValidateError' : 'factoryResetError', error);
      settled(FAILED);
    };
    this.#attempt<unknown>({
      call,
      timeoutMillis: validateTimeoutMillis,
      background: false,
      succeeded: settled,
      failed,
      timedOut: () => failed(new ValidateTimeoutError(name, phase, validateTimeoutMillis)),
    });
  }

  #attempt<R>(attempt: Attempt<R>): void {
    this.#runInContext(() => {
      let result: R | PromiseLike<R>;
      try {
        result = attempt.call();
      } catch (error) {
        attempt.failed(error);
        return;
      }
      if (isThenable(result)) this.#await(attempt, result);
      else attempt.succeeded(result);
    });
  }

  #await<R>(attempt: Attempt<R>, result: PromiseLike<R>): void {
    let open = true;
    const close = (): boolean => {
      if (!open) return false;
      open = false;
      if (timer !== undefined) this.#clock.clearTimer(timer);
      return true;
    };
    const timer =
      attempt.timeoutMillis === Number.POSITIVE_INFINITY
        ? undefined
        : this.#clock.setTimer(
            () => {
              open = false;
              attempt.timedOut();
            },
            attempt.timeoutMillis,
            { background: attempt.background },
          );
    // A foreign thenable may throw or settle twice; a promise made from it does neither.
    Promise.resolve(result).then(
      (value) => {
        if (close()) attempt.succeeded(value);
        else attempt.late?.(value);
      },
      (error: unknown) => {
        if (close()) attempt.failed(error);
      },
    );
  }
}

const FAILED: unique symbol = Symbol('failed');
