/**
 * The scopes of a watchdog: named pieces of work, such as a request or a job, that own the loans taken within them. The
 * current scope travels in the async context.
 *
 * ```
 *   run ──▶ allocate a root ──▶ body, with its awaits and timers ──▶ release the root
 *                                       │                                  │
 *                                it owns its loans              loans still out are unheld
 * ```
 */
import { type AsyncVariable, createAsyncVariable } from '../core/async-context.js';
import { currentOwner, type Owner } from '../core/current-owner.js';
import { isThenable } from '../core/thenable.js';
import type { LifetimeGraph, LifetimeNode } from './lifetime-graph.js';

/** One scope. */
export interface ScopeRecord {
  /** The names of the scopes around it and its own, outermost first, joined by ` > `. */
  readonly path: string;
  /** Its root while it runs; `null` once it has ended. */
  node: LifetimeNode | null;
  /** The owner around the scope: the value whose creation has opened it. */
  readonly around: Owner | undefined;
}

/** Called at the end of each scope. */
export interface ScopeListener {
  /** Called before the root of a scope is released. */
  scopeEnding(): void;
  /** Called after the root of a scope has been released. */
  scopeEnded(): void;
}

/** The scopes of one watchdog. */
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

  /** Gives the scope of the current async flow, which may have ended; `undefined` outside of any scope. */
  current(): ScopeRecord | undefined {
    return this.#current.get();
  }

  /** Gives the value that is being created in the current async flow, unless a scope was opened within the creation. */
  currentOwner(): Owner | undefined {
    const owner = currentOwner();
    return owner === undefined || owner === this.#current.get()?.around ? undefined : owner;
  }

  /**
   * Calls `body` as a scope and gives its result. The scope ends when `body` returns or throws or, if it returns a promise,
   * when that settles. Another thenable is adopted as a promise.
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
      node: this.#graph.allocateRoot('scope'),
      around: currentOwner(),
    };
  }

  #end(scope: ScopeRecord): void {
    const { node } = scope;
    if (node === null) return;
    this.#listener.scopeEnding();
    scope.node = null;
    this.#running--;
    this.#graph.releaseRoot(node);
    this.#listener.scopeEnded();
  }
}
