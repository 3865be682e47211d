/** Contexts without set-up: `suppress` and `nullContext`, after `contextlib` of Python. */
import { aFunction, checkArgument, type OptionCheck } from '../core/options.js';
import type { Enterable, TakenExit } from './enterable.js';
import { takeExit } from './enterable.js';
import { ManagedContext } from './managed-context.js';
import { type Exit, type OutcomeOf, type RunOutcome, runBlock, runOutcomeOf } from './run-block.js';

/** A class whose instances can be thrown. */
export type ErrorClass = abstract new (...args: never[]) => unknown;

/** A value that `instanceof` takes. An arrow function is none. */
const anErrorClass: OptionCheck = (value) =>
  isInstance({}, value as ErrorClass) === undefined ? 'a class' : undefined;

/** What `instanceof` tells; `undefined` if it throws, as for a revoked proxy. */
function isInstance(error: unknown, kind: ErrorClass): boolean | undefined {
  try {
    return error instanceof kind;
  } catch {
    return undefined;
  }
}

/** Runs blocks and handles errors of some classes. Made by {@link suppress}. It can be used any number of times. */
export class Suppression implements Enterable<undefined> {
  /** A suppression has no value. */
  readonly value: undefined = undefined;
  readonly #kinds: readonly ErrorClass[];

  /** @internal */
  constructor(kinds: readonly ErrorClass[]) {
    this.#kinds = kinds;
  }

  /** Calls `block` and gives its result, or `undefined` if it failed with an error of the classes. Throws any other error. */
  run<R>(block: () => R): RunOutcome<R> {
    return runOutcomeOf<R>(this.outcome(block));
  }

  /** Does what {@link run} does, and tells a handled error from a block that gave `undefined`. */
  outcome<R>(block: () => R): OutcomeOf<R> {
    checkArgument('suppress.run', 'block', block, aFunction);
    return runBlock(block, this.#exit);
  }

  /** @hidden */
  [takeExit](): TakenExit<Exit> {
    return { exit: this.#exit, tracked: undefined };
  }

  readonly #exit: Exit = (failure) =>
    failure !== undefined && this.#kinds.some((kind) => isInstance(failure.error, kind));
}

/**
 * Gives a context that handles errors of the classes `kinds`, subclasses included. Without a class it handles none.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if a kind is no class.
 *
 * @example
 * ```ts
 * import { suppress } from 'tenure/scope';
 *
 * const lenient = suppress(SyntaxError);
 * lenient.run(() => JSON.parse('{"port": 80}')); // => { port: 80 }
 * lenient.run(() => JSON.parse('{')); // => undefined
 * lenient.outcome(() => JSON.parse('{')).handled; // => true
 * ```
 */
export function suppress(...kinds: ErrorClass[]): Suppression {
  for (const kind of kinds) checkArgument('suppress', 'kind', kind, anErrorClass);
  return new Suppression(kinds);
}

/**
 * Gives a context that has `value` and does nothing at its end. Use it where a context is optional.
 *
 * @example
 * ```ts
 * import { contextManager, nullContext } from 'tenure/scope';
 *
 * const opened = contextManager(function* (path: string) {
 *   yield `open ${path}`;
 * });
 * const read = (source: string | { text: string }) => {
 *   using file = typeof source === 'string' ? opened(source) : nullContext(source.text);
 *   return file.value;
 * };
 * read('a.txt'); // => 'open a.txt'
 * read({ text: 'inline' }); // => 'inline'
 * ```
 */
export function nullContext<T>(value: T): ManagedContext<T> {
  return new ManagedContext(
    (function* () {
      yield value;
    })(),
    nullContext,
  );
}
