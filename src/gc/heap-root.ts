/** Roots: references from outside a simulated heap that end by disposal. */
/// <reference lib="esnext.disposable" preserve="true" />
import type { NodeHolder } from './heap-scope.js';
import type { HeapState } from './heap-state.js';
import type { Handle } from './memory/handle.js';

/** Reference from outside the heap that ends by disposal. */
export interface Root extends Disposable {
  /** Node that the root holds. */
  readonly node: Handle;
}

/** Holds a node until the root or the heap is disposed of. */
export function holdAsRoot(heap: NodeHolder, state: HeapState, node: Handle): Root {
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
