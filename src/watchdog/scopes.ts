/**
 * The scopes of a watchdog: named stretches of work, a request or a job, that own the loans taken within them. The current
 * scope travels in the async context.
 *
 * ```
 *   run ──▶ node held from outside ──▶ body, its awaits and timers ──▶ node released
 *                  │                                                       │
 *                  └──▶ loans that it takes               loans still out are unheld
 * ```
 */
import { type AsyncVariable, createAsyncVariable } from '../core/async-context.js';
import { isThenable } from '../core/thenable.js';
import type { LifetimeGraph, LifetimeNode } from './lifetime-graph.js';

/** A scope that runs or has run. */
export interface ScopeRecord {
  /** Its name behind those of the scopes around it, joined by ` > `. */
  readonly path: string;
  /** Its node, held from outside while it runs; `null` once it has ended. */
  node: LifetimeNode | null;
}

/** Is told of the end of each scope. */
export interface ScopeListener {
  /** Called before the node of a scope is released. */
  scopeEnding(): void;
  /** Called when the node of a scope has been released. */
  scopeEnded(): void;
}

export class Scopes {
  readonly #graph: LifetimeGraph;
  readonly #listener: ScopeListener;
  readonly #current: AsyncVariable<ScopeRecord> = createAsyncVariable();
  #running = 0;

  constructor(graph: LifetimeGraph, listener: ScopeListener) {
    this.#graph = graph;
    this.#listener = listener;
  }

  /** How many scopes are running. */
  get running(): number {
    return this.#running;
  }

  /** The scope of the current async flow, which may have ended; `undefined` outside of any scope. */
  current(): ScopeRecord | undefined {
    return this.#current.get();
  }

  /**
   * Calls `body` as a scope, which ends when `body` returns or throws or, if it returns a promise, when that settles. A
   * thenable that is no promise is adopted as one.
   */
  run<T>(name: string, body: () => T): T {
    const scope = this.#open(name);
    let result: T;
    try {
      result = this.#current.run(scope, body);
    } catch (error) {
      this.#end(scope);
      throw error;
    }
    if (!isThenable(result)) {
      this.#end(scope);
      return result;
    }
    const promise = result instanceof Promise ? result : Promise.resolve(result);
    const end = (): void => this.#end(scope);
    promise.then(end, end);
    return promise as T;
  }

  #open(name: string): ScopeRecord {
    const outer = this.#current.get();
    this.#running++;
    return {
      path: outer === undefined ? name : `${outer.path} > ${name}`,
      node: this.#graph.root('scope'),
    };
  }

  #end(scope: ScopeRecord): void {
    const { node } = scope;
    if (node === null) return;
    this.#listener.scopeEnding();
    scope.node = null;
    this.#running--;
    this.#graph.release(node);
    this.#listener.scopeEnded();
  }
}
