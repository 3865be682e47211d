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

/** How many names of a nest of scopes are told, besides the innermost one. */
const MOST_NAMES = 8;

/** One scope. */
export class ScopeRecord {
  /** The names of the scopes around it and its own, outermost first, joined by ` > `. */
  readonly path: string;
  /** The path of the outermost scopes around it. */
  readonly head: string;
  /** How many scopes it is nested in, itself included. */
  readonly depth: number;
  /** The scope around it. */
  readonly outer: ScopeRecord | undefined;
  /** The owner around the scope: the value whose creation has opened it. */
  readonly around: Owner | undefined;
  /** How many of its loans are out and not settled. */
  unsettled = 0;
  /** Its root; `null` until it holds a settled loan, and once it has ended. */
  node: LifetimeNode | null = null;
  isRunning = true;

  /** Of a deep nest only the outermost names and the innermost are told, so that paths stay short. */
  constructor(name: string, outer: ScopeRecord | undefined, around: Owner | undefined) {
    this.outer = outer;
    this.around = around;
    this.depth = outer === undefined ? 1 : outer.depth + 1;
    if (outer === undefined) this.head = this.path = name;
    else if (this.depth > MOST_NAMES) {
      this.head = outer.head;
      this.path = `${outer.head} > … > ${name}`;
    } else this.head = this.path = `${outer.path} > ${name}`;
  }
}

/** Called at the end of each scope. */
export interface ScopeListener {
  /** Called before the root of a scope is released. */
  scopeEnding(scope: ScopeRecord): void;
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

  /** Gives the root of a scope; `undefined` once the scope has ended. Most scopes lose nothing and need none. */
  nodeOf(scope: ScopeRecord): LifetimeNode | undefined {
    if (!scope.isRunning) return undefined;
    scope.node ??= this.#graph.allocateRoot('scope');
    return scope.node;
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
    try {
      const result = this.#current.run(scope, body);
      if (isThenable(result)) return this.#endWith(scope, result) as T;
      this.#end(scope);
      return result;
    } catch (error) {
      this.#end(scope);
      throw error;
    }
  }

  /** Gives a promise that is handled only by the caller of the scope: an unhandled rejection must stay one. */
  #endWith<T>(scope: ScopeRecord, result: PromiseLike<T>): Promise<T> {
    return Promise.resolve(result).then(
      (value) => {
        this.#end(scope);
        return value;
      },
      (error: unknown) => {
        this.#end(scope);
        throw error;
      },
    );
  }

  #open(name: string): ScopeRecord {
    this.#running++;
    return new ScopeRecord(name, runningScope(this.#current.get()), currentOwner());
  }

  #end(scope: ScopeRecord): void {
    if (!scope.isRunning) return;
    this.#listener.scopeEnding(scope);
    scope.isRunning = false;
    this.#running--;
    const { node } = scope;
    if (node === null) return;
    scope.node = null;
    this.#graph.releaseRoot(node);
    this.#listener.scopeEnded();
  }
}

/** The innermost of these scopes that is running. A job that starts its next run from within itself is not around it. */
function runningScope(scope: ScopeRecord | undefined): ScopeRecord | undefined {
  let running = scope;
  while (running !== undefined && !running.isRunning) running = running.outer;
  return running;
}
