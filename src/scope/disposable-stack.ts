/**
 * Chooses the DisposableStack of the package: the platform's where it has one (Node 24), our own elsewhere. The choice is made
 * when the module loads. No global is changed.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { OwnDisposableStack } from './own-disposable-stack.js';

const platform: { readonly DisposableStack?: DisposableStackConstructor } = globalThis;

/** Resources that are disposed of together, the newest first. */
export type DisposableStack = globalThis.DisposableStack;

/**
 * Collects resources and disposes of them together, the newest first. A disposal that throws does not stop the others. If
 * several throw, their errors are thrown as one `SuppressedError`.
 *
 * | method | effect |
 * |---|---|
 * | `use(resource)` | adds a disposable; takes `null` and `undefined` too |
 * | `adopt(value, onDispose)` | adds a value that is not disposable itself |
 * | `defer(onDispose)` | adds a callback |
 * | `move()` | moves all resources to a new stack, so that a constructor that has succeeded can keep them |
 * | `dispose()` | disposes once; without effect after that, and adding throws a `ReferenceError` |
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
