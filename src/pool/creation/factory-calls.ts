/**
 * The factory's methods, made safe to call: each in the pool's own async context, with its timeout, settling exactly
 * once and never by throwing. What settles at once is reported at once, without a timer or a promise.
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

/** Who is told how a creation ended. */
export interface CreationListener<T> {
  /** The resource is there. */
  created(resource: T): void;
  /** It will not be there: `create` failed, or took too long. */
  failed(error: CreateError): void;
  /** It came after it had been given up. */
  late(resource: T): void;
}

/** One call under way. */
interface Attempt<R> {
  call(): R | PromiseLike<R>;
  readonly timeoutMillis: number;
  /** A timer for what nobody waits for does not keep the process alive. */
  readonly background: boolean;
  succeeded(value: R): void;
  failed(error: unknown): void;
  timedOut(): void;
  /** It settled well after the timeout. */
  late?(value: R): void;
}

/** The safe form of a factory's methods. */
export class FactoryCalls<T> {
  readonly #factory: Factory<T>;
  readonly #settings: PoolSettings;
  readonly #clock: Clock;
  readonly #events: PoolEvents;
  readonly #runInContext: RunInContext;
  /** True when a resource that comes back needs to be looked at. */
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

  /** Whether the resource is good; a validation that fails means that it is not. */
  validate(resource: T, settled: (valid: boolean) => void): void {
    const { validate } = this.#factory;
    if (validate === undefined) {
      settled(true);
      return;
    }
    this.#judge(
      'validate',
      () => validate.call(this.#factory, resource),
      (verdict) => settled(verdict !== FAILED && verdict !== false),
    );
  }

  /** Resets and, where asked for, validates a resource that came back: why it cannot stay, or `undefined`. */
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
    this.#judge(
      'reset',
      () => reset.call(this.#factory, resource),
      (outcome) => (outcome === FAILED ? settled('reset') : validated()),
    );
  }

  /** Destroys the resource; settles when it is gone or `destroy` has failed or taken too long. */
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

  #judge(
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
    // A foreign thenable may throw, or settle twice; a promise around it does neither.
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
