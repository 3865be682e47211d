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
    const called = Promise.resolve(this.#settings[name]?.(resource));
    await this.#inTime(called, name === 'reset' ? 'reset' : 'validate', (millis) => {
      return `${name}() took longer than ${millis} ms. The resource is destroyed. See whether the server answers, or raise \`hookTimeoutMillis\`.`;
    });
  }

  /** Waits for what a holder has left open. Rejects with `TENURE_POOL_HOOK_TIMEOUT`. */
  whileOpen(leftOpen: Promise<void>): Promise<void> {
    return this.#inTime(leftOpen, 'reset', (millis) => {
      return `a holder has released a connection with a cursor, a stream or a COPY that did not end within ${millis} ms. The connection is destroyed. End it before the release.`;
    });
  }

  async #inTime(
    work: Promise<unknown>,
    phase: 'reset' | 'validate',
    messageOf: (millis: number) => string,
  ): Promise<void> {
    const { name, hookTimeoutMillis } = this.#settings;
    await settledBefore(this.#clock, hookTimeoutMillis, work, (_resolve, reject) =>
      reject(
        new PoolError(`${name}: ${messageOf(hookTimeoutMillis)}`, {
          code: 'TENURE_POOL_HOOK_TIMEOUT',
          phase,
        }),
      ),
    );
  }
}
