/// <reference lib="esnext.disposable" preserve="true" />
/**
 * Which DisposableStack the package uses: the platform's where it has one (Node 24), ours elsewhere. The choice is made
 * when the module loads, and no global is touched.
 */
import { OwnDisposableStack } from './own-disposable-stack.js';

const platform: { readonly DisposableStack?: DisposableStackConstructor } = globalThis;

/** Resources that are disposed of together, in the reverse of the order in which they were added. */
export type DisposableStack = globalThis.DisposableStack;

/**
 * Collects resources and disposes of them together, the newest first. One that throws does not stop the others; when
 * several throw, they arrive as one `SuppressedError`.
 *
 * - `use(resource)` adds something disposable; `null` and `undefined` are let through.
 * - `adopt(value, onDispose)` adds a value that is not disposable itself.
 * - `defer(onDispose)` adds a callback.
 * - `move()` hands everything to a new stack: what a constructor has collected survives it when it succeeds.
 * - `dispose()` disposes, once; later calls do nothing. After it, adding throws a `ReferenceError`.
 *
 * Adding is O(1), disposing O(n).
 *
 * @example
 * ```ts
 * import { DisposableStack } from 'tenure/scope';
 *
 * const log: string[] = [];
 * {
 *   using stack = new DisposableStack();
 *   stack.defer(() => log.push('first in'));
 *   stack.adopt('last in', (value) => log.push(value));
 * }
 * log; // => ['last in', 'first in']
 * ```
 */
export const DisposableStack: DisposableStackConstructor =
  platform.DisposableStack ?? OwnDisposableStack;
