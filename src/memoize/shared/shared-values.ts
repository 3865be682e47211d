/**
 * The form in which the values of one cache lie in the store, and the check of values that are read from there. Its hooks are the
 * user's: they may throw, hang or return nonsense. Then a read is a miss, and nothing is written.
 */
import type { Clock } from '../../core/clock.js';
import { InvalidArgumentError } from '../../core/errors.js';
import { inTime } from './in-time.js';
import { SharedStoreError } from './shared-store-error.js';

/** The hooks of one cache. */
export interface ValueHooks {
  readonly serialize: ((value: never) => unknown) | undefined;
  readonly deserialize: ((stored: unknown) => unknown) | undefined;
  readonly validate: ((value: unknown) => boolean | PromiseLike<boolean>) | undefined;
}

/** The values of one cache in the store. */
export class SharedValues {
  readonly #clock: Clock;
  readonly #hooks: ValueHooks;

  private constructor(clock: Clock, hooks: ValueHooks) {
    this.#clock = clock;
    this.#hooks = hooks;
  }

  /** `undefined` without hooks: values then lie in the store as they are, and each is taken. */
  static of(clock: Clock, hooks: ValueHooks): SharedValues | undefined {
    const { serialize, deserialize, validate } = hooks;
    const isPlain = serialize === undefined && deserialize === undefined && validate === undefined;
    return isPlain ? undefined : new SharedValues(clock, hooks);
  }

  /** What is stored for a value. Rejects if the hook throws, or has no answer after `millis`. */
  async stored(value: unknown, millis: number): Promise<unknown> {
    const { serialize } = this.#hooks;
    return serialize === undefined
      ? value
      : this.#inTime('serialize', () => serialize(value as never), millis);
  }

  /**
   * The value of what is stored, as a field of an object; `undefined` if `validate` refuses it. Rejects if a hook throws, or has
   * no answer after `millis`.
   */
  async valueOf(stored: unknown, millis: number): Promise<{ readonly value: unknown } | undefined> {
    const { deserialize, validate } = this.#hooks;
    return this.#inTime(
      'deserialize` or `validate',
      async () => {
        const value = deserialize === undefined ? stored : await deserialize(stored);
        return validate === undefined || isValid(await validate(value)) ? { value } : undefined;
      },
      millis,
    );
  }

  #inTime<T>(hook: string, call: () => T | PromiseLike<T>, millis: number): Promise<T> {
    return inTime(this.#clock, call, millis, {
      onLate: () => new SharedStoreError(`\`${hook}\` took longer than \`storeTimeoutMillis\`.`),
    });
  }
}

function isValid(answer: unknown): boolean {
  if (typeof answer === 'boolean') return answer;
  throw new InvalidArgumentError(
    `sharedCache: \`validate\` must return true or false, got ${answer === null ? 'null' : typeof answer}.`,
  );
}
