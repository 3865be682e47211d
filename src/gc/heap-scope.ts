/** Local variables of a simulated heap: nodes held until a function returns. */
import { InvalidArgumentError } from '../core/errors.js';
import type { HeapState } from './heap-state.js';
import type { Handle } from './memory/handle.js';

/** What is left of {@link Heap} when holding is all that matters. */
export interface Holder {
  hold(node: Handle): void;
  drop(node: Handle): void;
}

/** Calls `body` with a scope, which ends when the body returns or throws. */
export function runInScope<T>(heap: Holder, state: HeapState, body: (locals: HeapScope) => T): T {
  const scope = new HeapScope(heap);
  try {
    const result = body(scope);
    if (result instanceof Promise) {
      result.catch(() => {}); // It is refused, so nobody will wait for it.
      throw new InvalidArgumentError(
        'heap.scope: the body must be synchronous. Hold what an async function needs with `addRoot`.',
      );
    }
    return result;
  } finally {
    if (!state.disposed) scope.end();
  }
}

/** The nodes that the body of {@link Heap.scope} holds, as a function holds what its local variables are bound to. */
export class HeapScope {
  readonly #holder: Holder;
  readonly #locals: Handle[] = [];
  #ended = false;

  /** @internal */
  constructor(holder: Holder) {
    this.#holder = holder;
  }

  /** Holds a node until the scope ends, and returns it. */
  hold(node: Handle): Handle {
    this.#mustNotHaveEnded();
    this.#holder.hold(node);
    return this.adopt(node);
  }

  /** Takes over a hold that the caller has, from `alloc` or `weakref` say: the scope drops it when it ends. */
  adopt(node: Handle): Handle {
    this.#mustNotHaveEnded();
    this.#locals.push(node);
    return node;
  }

  /** @internal Drops the locals in the order in which they were bound, as CPython clears a frame. */
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
