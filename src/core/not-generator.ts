/** Refuses a generator function where a function is called whose end something waits for. */
import { InvalidArgumentError } from './errors.js';

/**
 * Gives `result`, which the function of `where` has returned. Throws {@link InvalidArgumentError} if it is a generator: its body has not
 * begun, and would run after the end of what the function was given.
 */
export function notGenerator<R>(where: string, result: R): R {
  const kind = (result as { readonly [Symbol.toStringTag]?: unknown } | null | undefined)?.[
    Symbol.toStringTag
  ];
  if (kind === 'AsyncGenerator' || kind === 'Generator') {
    throw new InvalidArgumentError(
      `${where}: the function returned a generator, whose body would run after the end. Loop over it within the function.`,
    );
  }
  return result;
}
