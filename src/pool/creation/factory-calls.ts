/**
 * Safe calls of the factory's methods. Each call runs in the pool's own async context, has a timeout, ends exactly once
 * and never throws. A method that returns no promise ends at once, without a timer.
 */
import type { RunInContext } from '../../core/async-context.js';
import type { Clock } from '../../core/clock.js';
import { errorText } from '../../core/error-text.js';
import { guardedAnswer } from '../../core/guarded-answer.js';
import { guardedClock } from '../../core/guarded-clock.js';
import { isThenable } from '../../core/thenable.js';
import type { DestroyReason, Factory } from '../factory.js';
import type { PoolCounters } from '../pool-counters.js';
import {
  CreateError,
  CreateTimeoutError,
  DestroyTimeoutError,
  ValidateTimeoutError,
} from '../pool-errors.js';
import type { PoolEvents } from '../pool-events.js';
import type { PoolSettings } from '../pool-options.js';
import type { Creation } from './creation.js';
import { type FactoryCall, RunningCall } from './running-call.js';
import { UsualTime } from './usual-time.js';

/** Told how a creation ended. */
export interface CreationListener<T> {
  /** `create` returned a resource in time. */
  created(resource: T): void;
  /** `create` failed or timed out. */
  failed(error: CreateError): void;
  /** `create` returned a resource after its timeout. */
  late(resource: T): void;
  /** `create` failed after its timeout. */
  lateFailure(): void;
}

/** A counter of calls that have become slow. */
type SlowCounter = 'slow' | 'slowValidations' | 'slowDestroys';

/** Calls the methods of one factory. */
export class FactoryCalls<T> {
  readonly #factory: Factory<T>;
  readonly #settings: PoolSettings;
  /** A call whose time limit cannot be set would keep its place for ever. */
  readonly #clock: Clock;
  readonly #events: PoolEvents;
  readonly #counters: PoolCounters;
  readonly #runInContext: RunInContext;
  readonly #becameSlow: () => void;
  readonly #usual = {
    create: new UsualTime(Number.POSITIVE_INFINITY),
    destroy: new UsualTime(0),
    validate: new UsualTime(0),
    reset: new UsualTime(0),
  };
  /** Whether a returned resource has to be reset or validated. */
  readonly inspectsReturns: boolean;

  /** `becameSlow` is called when a call has become slow: waiters may have to be served otherwise. */
  constructor(
    factory: Factory<T>,
    settings: PoolSettings,
    events: PoolEvents,
    counters: PoolCounters,
    runInContext: RunInContext,
    becameSlow: () => void,
  ) {
    this.#factory = factory;
    this.#settings = settings;
    this.#clock = guardedClock(settings.clock);
    this.#events = events;
    this.#counters = counters;
    this.#runInContext = runInContext;
    this.#becameSlow = becameSlow;
    this.inspectsReturns = factory.reset !== undefined || settings.testOnReturn;
  }

  /** Whether an error of `create` says that the server takes no more connections at the moment. */
  isFull(error: unknown): boolean {
    return this.#ask('isFull', error);
  }

  /** Whether an error of `create` would be the same at the next attempt. */
  isPermanent(error: unknown): boolean {
    return this.#ask('isPermanent', error);
  }

  /** Whether an error says that the resource is broken. */
  isBroken(error: unknown, resource: T): boolean {
    return this.#ask('isBroken', error, resource);
  }

  /** Whether the holder of a resource uses it, although it asks nothing of the pool; `undefined` if the factory does not tell. */
  get isInUse(): ((resource: T) => boolean) | undefined {
    return this.#factory.isInUse && ((resource) => this.#ask('isInUse', resource));
  }

  /** Begins a creation. Returns the running call, or `undefined` if it has ended already. */
  create(
    { controller, pendingNode }: Pick<Creation, 'controller' | 'pendingNode'>,
    attempt: number,
    isBackground: boolean,
    listener: CreationListener<T>,
  ): RunningCall<T> | undefined {
    const { createTimeoutMillis, name } = this.#settings;
    const { signal } = controller;
    const failed = (error: CreateError, cause: unknown): void => {
      if (!signal.aborted) this.#events.emitLater('factoryCreateError', cause);
      listener.failed(error);
    };
    const create = (): T | PromiseLike<T> => this.#factory.create({ signal, attempt });
    const call = pendingNode === undefined ? create : () => pendingNode.make(create);
    return this.#call<T>(call, this.#usual.create, isBackground, {
      timeoutMillis: createTimeoutMillis,
      setSlow: (isSlow) => this.#setSlow(['slow'], isSlow),
      succeeded: (resource) => listener.created(resource),
      failed: (cause) =>
        failed(
          new CreateError(
            `${name}: create() failed, attempt ${attempt}: ${errorText(cause)}. See its \`cause\`.`,
            { cause },
          ),
          cause,
        ),
      timedOut: (stalledMillis) => {
        const error = new CreateTimeoutError(name, createTimeoutMillis, stalledMillis);
        failed(error, error);
        controller.abort(error);
      },
      late: (resource) => listener.late(resource),
      lateFailure: () => listener.lateFailure(),
    });
  }

  /**
   * Tells whether the resource is good. A validation that fails or times out means that it is not. One in the background does
   * not keep the process alive.
   */
  validate(resource: T, settled: (valid: boolean) => void, isBackground: boolean): void {
    this.#validate(resource, settled, isBackground, ['slow', 'slowValidations']);
  }

  #validate(
    resource: T,
    settled: (valid: boolean) => void,
    isBackground: boolean,
    countedAs: readonly SlowCounter[],
  ): void {
    const { validate } = this.#factory;
    if (validate === undefined) {
      settled(true);
      return;
    }
    this.#check(
      'validate',
      () => validate.call(this.#factory, resource),
      (outcome) => settled(outcome !== FAILED && outcome !== false),
      isBackground,
      countedAs,
    );
  }

  /**
   * Resets and validates a returned resource, as the options ask. Tells why it cannot stay, or `undefined`. `isKept` says after the reset
   * whether the pool still has the resource, and is to keep it.
   */
  inspectReturn(
    resource: T,
    isKept: () => boolean,
    settled: (unfit: DestroyReason | undefined) => void,
  ): void {
    const validity = (valid: boolean): void => settled(valid ? undefined : 'invalid');
    const validated = (): void => {
      if (!this.#settings.testOnReturn || !isKept()) settled(undefined);
      else this.#validate(resource, validity, false, ['slow']);
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
      false,
      ['slow'],
    );
  }

  /**
   * Destroys the resource. `settled` is called when it is gone, or when `destroy` has failed or timed out. A resource without a place is
   * not counted among the slow ones, as it is not among those that are being destroyed.
   */
  destroy(
    resource: T,
    reason: DestroyReason,
    isBackground: boolean,
    settled: () => void,
    hasPlace = true,
  ): void {
    const { destroyTimeoutMillis, name } = this.#settings;
    const failed = (error: unknown): void => {
      this.#events.emitLater('factoryDestroyError', error);
      settled();
    };
    const call = (): unknown => this.#factory.destroy(resource, reason);
    this.#call(call, this.#usual.destroy, isBackground, {
      timeoutMillis: destroyTimeoutMillis,
      setSlow: (isSlow) => this.#setSlow(hasPlace ? ['slowDestroys'] : [], isSlow),
      succeeded: settled,
      failed,
      timedOut: (stalledMillis) =>
        failed(new DestroyTimeoutError(name, destroyTimeoutMillis, stalledMillis)),
    });
  }

  #check(
    phase: 'validate' | 'reset',
    call: () => unknown,
    settled: (outcome: unknown) => void,
    isBackground: boolean,
    countedAs: readonly SlowCounter[],
  ): void {
    const { validateTimeoutMillis, name } = this.#settings;
    const failed = (error: unknown): void => {
      this.#events.emitLater(
        phase === 'validate' ? 'factoryValidateError' : 'factoryResetError',
        error,
      );
      settled(FAILED);
    };
    this.#call(call, this.#usual[phase], isBackground, {
      timeoutMillis: validateTimeoutMillis,
      setSlow: (isSlow) => this.#setSlow(countedAs, isSlow),
      succeeded: settled,
      failed,
      timedOut: (stalledMillis) =>
        failed(new ValidateTimeoutError(name, phase, validateTimeoutMillis, stalledMillis)),
    });
  }

  #call<R>(
    call: () => R | PromiseLike<R>,
    usual: UsualTime,
    isBackground: boolean,
    listener: FactoryCall<R>,
  ): RunningCall<R> | undefined {
    return this.#runInContext(() => {
      let result: R | PromiseLike<R>;
      let isPending: boolean;
      try {
        result = call();
        isPending = isThenable(result);
      } catch (error) {
        listener.failed(error);
        return undefined;
      }
      if (isPending) {
        return new RunningCall(
          listener,
          result as PromiseLike<R>,
          usual,
          this.#clock,
          isBackground,
        );
      }
      listener.succeeded(result as R);
      return undefined;
    });
  }

  #setSlow(countedAs: readonly SlowCounter[], isSlow: boolean): void {
    for (const counter of countedAs) this.#counters[counter] += isSlow ? 1 : -1;
    if (isSlow) this.#becameSlow();
  }

  #ask(
    name: 'isFull' | 'isPermanent' | 'isBroken' | 'isInUse',
    ...args: readonly unknown[]
  ): boolean {
    const method = this.#factory[name] as ((...given: readonly unknown[]) => boolean) | undefined;
    return (
      method !== undefined &&
      guardedAnswer(`${this.#settings.name}: the factory's ${name}`, () =>
        this.#runInContext(() => method.call(this.#factory, ...args)),
      )
    );
  }
}

const FAILED: unique symbol = Symbol('failed');
