/** Local variables of a simulated heap: nodes that are held until a function returns. */
import { InvalidArgumentError } from '../core/errors.js';
import { isThenable, onceSettled } from '../core/thenable.js';
import type { HeapState } from './heap-state.js';
import type { Handle } from './memory/handle.js';

/** The part of {@link Heap} that holds nodes. */
export interface NodeHolder {
  hold(node: Handle): void;
  drop(node: Handle): void;
}

/** Calls `body` with a scope, which ends when the body returns or throws. */
export function runInScope<T>(
  heap: NodeHolder,
  state: HeapState,
  body: (locals: HeapScope) => T,
): T {
  const scope = new HeapScope(heap);
  try {
    const result = body(scope);
    if (isThenable(result)) {
      void onceSettled(result, undefined, () => {}); // The heap refuses the promise, so the caller never awaits it.
      throw new InvalidArgumentError(
        'heap.scope: the body must be synchronous. Hold what an async function needs with `addRoot`.',
      );
    }
    return result;
  } finally {
    if (!state.disposed) scope.end();
  }
}

/** Nodes that the body of {@link Heap.scope} holds, as a function holds the values of its local variables. */
export class HeapScope {
  readonly #holder: NodeHolder;
  readonly #locals: Handle[] = [];
  #ended = false;

  /** @internal */
  constructor(holder: NodeHolder) {
    this.#holder = holder;
  }

  /** Holds a node until the scope ends. Returns the node. */
  hold(node: Handle): Handle {
    this.#mustNotHaveEnded();
    this.#holder.hold(node);
    return this.adopt(node);
  }

  /** Takes over a hold of the caller, for example from `alloc` or `weakref`. The scope drops it at its end. */
  adopt(node: Handle): Handle {
    this.#mustNotHaveEnded();
    this.#locals.push(node);
    return node;
  }

  /** @internal Drops the locals in the order of their binding, as CPython clears a frame. */
  end(): void {
    this.#ended = true;
    const errors: unknown[] = [];
    for (const node of this.#locals.splice(0)) {
      try {
        this.#holder.drop(node);
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }

  #mustNotHaveEnded(): void {
    if (!this.#ended) return;
    throw new InvalidArgumentError(
      'heap.scope: the scope has ended. What outlives it is held with `addRoot`.',
    );
  }
}
