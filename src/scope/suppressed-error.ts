/**
 * Chooses the SuppressedError of the package: the platform's where it has one, our own elsewhere. With the platform's,
 * `instanceof` holds for errors that `using` itself throws.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { OwnSuppressedError } from './own-suppressed-error.js';

const platform: { readonly SuppressedError?: SuppressedErrorConstructor } = globalThis;

/** An error that was thrown while another error was being thrown. */
export type SuppressedError = globalThis.SuppressedError;

/**
 * An error that was thrown while another error was being thrown: `error` is the later one, `suppressed` the earlier. Both are
 * kept, with the errors that they suppress in turn.
 *
 * It is the platform's own class where there is one (Node 24), and an equal one elsewhere. On older platforms a compiled
 * `using` throws an error of this name and shape that is no instance of it. Check `name` where both may occur.
 *
 * @example
 * ```ts
 * import { SuppressedError } from 'tenure/scope';
 *
 * const error = new SuppressedError('the file would not close', 'the disk is full');
 * error.error; // => 'the file would not close'
 * error.suppressed; // => 'the disk is full'
 * error.name; // => 'SuppressedError'
 * ```
 */
export const SuppressedError: SuppressedErrorConstructor =
  platform.SuppressedError ?? OwnSuppressedError;

/** Gives the error to throw after a disposal threw `error` while `earlier` was being thrown. */
export function suppressing(error: unknown, earlier: unknown): SuppressedError {
  return new SuppressedError(error, earlier, 'An error was suppressed during disposal');
}
