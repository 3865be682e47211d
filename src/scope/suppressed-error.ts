/// <reference lib="esnext.disposable" preserve="true" />
/**
 * Which SuppressedError the package uses: the platform's where it has one, so that `instanceof` holds for errors that
 * `using` itself throws; ours elsewhere.
 */
import { OwnSuppressedError } from './own-suppressed-error.js';

const platform: { readonly SuppressedError?: SuppressedErrorConstructor } = globalThis;

/** An error that was thrown while another was on its way. */
export type SuppressedError = globalThis.SuppressedError;

/**
 * An error that was thrown while another was on its way: `error` is the later one, `suppressed` the earlier. Both, and
 * everything they suppress in turn, are kept.
 *
 * It is the platform's own class where there is one (Node 24), else an equal one. Compiled `using` on older platforms
 * throws an error of the same name and shape that is no instance of it: ask for `name` where both may occur.
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

/** The error to go on with after `error` was thrown in a disposal while `earlier` was on its way. */
export function suppressing(error: unknown, earlier: unknown): SuppressedError {
  return new SuppressedError(error, earlier, 'An error was suppressed during disposal');
}
