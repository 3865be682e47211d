/**
 * Cleaning actions, after `java.lang.ref.Cleaner`. A Cleaner is a finalizer for code that already ends its objects properly: the
 * action runs once, by `clean()` or by V8, and never because the process ends.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { guardedCall } from '../core/guarded-call.js';
import { reportIgnoredError } from '../core/ignored-error.js';
import { printAs } from '../core/inspect.js';
import { aFunction, type OptionTable, optional, resolveOptions } from '../core/options.js';
import { isThenable, onceSettled } from '../core/thenable.js';
import { checkTarget } from './finalize.js';
import { type Call, PendingCall } from './pending-call.js';

/** Options of a {@link Cleaner}. */
export interface CleanerOptions {
  /**
   * Called with an error of an action that no caller waits for: V8 has started it, or it returned a promise that rejects.
   *
   * @default prints the error with `console.error`
   */
  readonly onError?: (error: unknown) => void;
}

interface CleanerSettings {
  readonly onError: ((error: unknown) => void) | undefined;
}

const OPTIONS: OptionTable<CleanerSettings> = { onError: optional(aFunction) };

/** A registered action. Made by {@link Cleaner.register}. */
export interface Cleanable extends Disposable {
  /** True until the action has run. */
  readonly alive: boolean;
  /** Runs the action now, unless it has run. Throws what the action throws. */
  clean(): void;
  /** Runs the action now, unless it has run. Throws what the action throws. */
  [Symbol.dispose](): void;
}

/**
 * Runs an action once for each registered object: when `clean()` is called, or some turns after V8 has collected the object.
 * Actions of one object run newest first. Neither the Cleaner nor the results of `register` need to be kept.
 *
 * | | {@link finalize} | `Cleaner` |
 * |---|---|---|
 * | runs at the end of the process | yes, unless `atexit` is `false` | no |
 * | errors that no caller waits for | are printed | go to `onError` |
 * | gives the result, can be detached | yes | no |
 *
 * @example
 * ```ts
 * import { Cleaner } from 'tenure/weak';
 *
 * const closed: number[] = [];
 * const cleaner = new Cleaner();
 * const file = { descriptor: 7 };
 * const cleanable = cleaner.register(file, (descriptor) => closed.push(descriptor), 7);
 * cleanable.alive; // => true
 * cleanable.clean();
 * cleanable.clean();
 * closed; // => [7]
 * ```
 */
export class Cleaner {
  readonly #onError: (error: unknown) => void;

  /** @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option. */
  constructor(options: CleanerOptions = {}) {
    const { onError } = resolveOptions<CleanerSettings>('Cleaner', options, OPTIONS);
    this.#onError =
      onError === undefined
        ? (error) => reportIgnoredError('a cleaning action', error)
        : (error) => void guardedCall('onError of a Cleaner', () => onError(error));
  }

  /**
   * Calls `fn(...args)` once, when the result is cleaned or V8 has collected `target`. Neither `fn` nor `args` may reach `target`.
   * O(1).
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if `target` cannot be referred to weakly, if `fn` is no
   * function, or if `target` is `fn` or one of `args`.
   */
  register<A extends unknown[]>(
    target: WeakKey,
    fn: (...args: A) => unknown,
    ...args: A
  ): Cleanable {
    checkTarget('Cleaner.register', target, fn, args);
    const action = new CleaningAction({ fn, args }, this.#onError);
    action.watch(target);
    return new OwnCleanable(action);
  }
}

class CleaningAction extends PendingCall {
  readonly #onError: (error: unknown) => void;

  constructor(call: Call, onError: (error: unknown) => void) {
    super(call);
    this.#onError = onError;
  }

  clean(): void {
    const result = this.run();
    if (isThenable(result)) void onceSettled(result, undefined, this.#onError);
  }

  override died(): void {
    try {
      this.clean();
    } catch (error) {
      this.#onError(error);
    }
  }
}

class OwnCleanable implements Cleanable {
  readonly #action: CleaningAction;

  constructor(action: CleaningAction) {
    this.#action = action;
  }

  get alive(): boolean {
    return this.#action.call !== undefined;
  }

  clean(): void {
    this.#action.clean();
  }

  [Symbol.dispose](): void {
    this.#action.clean();
  }

  static {
    printAs(OwnCleanable.prototype, ({ alive }) => `Cleanable { alive: ${alive} }`);
  }
}
