/** References from outside a simulated heap that end when they are disposed of. */
/// <reference lib="esnext.disposable" preserve="true" />
import type { Holder } from './heap-scope.js';
import type { HeapState } from './heap-state.js';
import type { Handle } from './memory/handle.js';

/** A reference from outside the heap, until it is disposed of. */
export interface Root extends Disposable {
  /** The node that it holds. */
  readonly node: Handle;
}

/** Holds a node until the root is disposed of, or the heap is. */
export function holdAsRoot(heap: Holder, state: HeapState, node: Handle): Root {
  heap.hold(node);
  let isHeld = true;
  return {
    node,
    [Symbol.dispose]: () => {
      if (!isHeld || state.disposed) return;
      state.throwIfClosed();
      isHeld = false;
      heap.drop(node);
    },
  };
}
