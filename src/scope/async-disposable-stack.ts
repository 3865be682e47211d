/**
 * Chooses the AsyncDisposableStack of the package: the platform's where it has one (Node 24), our own elsewhere. The choice is
 * made when the module loads. No global is changed.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { OwnAsyncDisposableStack } from './own-async-disposable-stack.js';

const platform: { readonly AsyncDisposableStack?: AsyncDisposableStackConstructor } = globalThis;

/** Resources that are disposed of one after another, the newest first. */
export type AsyncDisposableStack = globalThis.AsyncDisposableStack;

/**
 * Collects resources and disposes of them one after another, the newest first, and awaits each disposal. It takes what
 * `await using` takes: a resource with `[Symbol.asyncDispose]`, one with `[Symbol.dispose]`, `null` and `undefined`.
 *
 * Its methods are those of {@link DisposableStack}, with `disposeAsync()` in place of `dispose()`.
 *
 * @example
 * ```ts
 * import { AsyncDisposableStack } from 'tenure/scope';
 *
 * const log: string[] = [];
 * {
 *   await using stack = new AsyncDisposableStack();
 *   stack.defer(() => {
 *     log.push('first in');
 *   });
 *   stack.defer(async () => {
 *     await null;
 *     log.push('last in');
 *   });
 * }
 * log; // => ['last in', 'first in']
 * ```
 */
export const AsyncDisposableStack: AsyncDisposableStackConstructor =
  platform.AsyncDisposableStack ?? OwnAsyncDisposableStack;
