/** The hooks of an adoption: code of the user that runs before and after each loan. */
import type { Clock } from '../../core/clock.js';
import { guardedClock } from '../../core/guarded-clock.js';
import { settledBefore } from '../../core/settled-before.js';
import { PoolError } from '../../pool/pool-errors.js';
import type { AdoptionSettings } from './adopt-options.js';

/** The hooks of one adoption. */
export class Hooks<T> {
  readonly hasOnAcquire: boolean;
  readonly hasReset: boolean;
  readonly #settings: AdoptionSettings<T>;
  readonly #clock: Clock;

  constructor(settings: AdoptionSettings<T>) {
    this.hasOnAcquire = settings.onAcquire !== undefined;
    this.hasReset = settings.reset !== undefined;
    this.#settings = settings;
    this.#clock = guardedClock(settings.clock);
  }

  /** Calls a hook. Rejects with its error, or with `TENURE_POOL_HOOK_TIMEOUT`. */
  async call(name: 'onAcquire' | 'reset', resource: T): Promise<void> {
    const { hookTimeoutMillis } = this.#settings;
    const called = Promise.resolve(this.#settings[name]?.(resource));
    await settledBefore(this.#clock, hookTimeoutMillis, called, (_resolve, reject) =>
      reject(this.#timeoutError(name)),
    );
  }

  #timeoutError(name: string): PoolError {
    const { name: pool, hookTimeoutMillis } = this.#settings;
    return new PoolError(
      `${pool}: ${name}() took longer than ${hookTimeoutMillis} ms. The resource is destroyed. See whether the server answers, or raise \`hookTimeoutMillis\`.`,
      { code: 'TENURE_POOL_HOOK_TIMEOUT', phase: name === 'reset' ? 'reset' : 'validate' },
    );
  }
}
