/// <reference lib="esnext.disposable" preserve="true" />
/**
 * Which AsyncDisposableStack the package uses: the platform's where it has one (Node 24), ours elsewhere. The choice is
 * made when the module loads, and no global is touched.
 */
import { OwnAsyncDisposableStack } from './own-async-disposable-stack.js';

const platform: { readonly AsyncDisposableStack?: AsyncDisposableStackConstructor } = globalThis;

/** Resources that are disposed of one after another, in the reverse of the order in which they were added. */
export type AsyncDisposableStack = globalThis.AsyncDisposableStack;

/**
 * Collects resources and disposes of them one after another, the newest first, awaiting each. It takes what `await using`
 * takes: a resource with `[Symbol.asyncDispose]`, else one with `[Symbol.dispose]`, else `null` or `undefined`.
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
