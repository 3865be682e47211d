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

/** The maximum length of a name. A caller may have put a whole URL into it. */
const MOST_CHARACTERS = 200;

/** One scope. */
export class ScopeRecord {
  /** How many scopes it is nested in, itself included. */
  readonly depth: number;
  /** The scope around it. */
  readonly outer: ScopeRecord | undefined;
  /** Its root while it runs; `null` once it has ended. */
  node: LifetimeNode | null;
  /**
   * Whether its body returned something else than a promise. The watchdog cannot tell when the work that the body has started
   * is over.
   */
  hasReturned = false;
  /** The owner around the scope: the value whose creation has opened it. */
  readonly around: Owner | undefined;
  #name: string;

  constructor(
    name: string,
    outer: ScopeRecord | undefined,
    node: LifetimeNode,
    around: Owner | undefined,
  ) {
    this.#name = clipped(name);
    this.outer = outer;
    this.depth = outer === undefined ? 1 : outer.depth + 1;
    this.node = node;
    this.around = around;
  }

  /** Its own name. */
  get name(): string {
    return this.#name;
  }

  /**
   * The names of the scopes around it and its own, outermost first, joined by ` > `. Of a deep nest only the outermost names
   * and the innermost are told, so that paths stay short. Built when a report reads it, since a scope may be renamed while it
   * runs. O(depth).
   */
  get path(): string {
    const names: string[] = [];
    for (let outer = this.outer; outer !== undefined; outer = outer.outer) {
      if (outer.depth <= MOST_NAMES) names.push(outer.#name);
    }
    names.reverse();
    if (this.depth > MOST_NAMES + 1) names.push('…');
    return [...names, this.#name].join(' > ');
  }

  /** Whether it is `other`, or was opened within it. O(depth). */
  isWithin(other: ScopeRecord | undefined): boolean {
    for (let scope: ScopeRecord | undefined = this; scope !== undefined; scope = scope.outer) {
      if (scope === other) return true;
    }
    return false;
  }

  /**
   * Whether work that it has started may go on, as far as the watchdog knows: its body has returned without a promise, and no
   * scope around it has ended in another way. O(depth).
   */
  mayGoOn(): boolean {
    for (let scope: ScopeRecord | undefined = this; scope !== undefined; scope = scope.outer) {
      if (scope.node !== null) return true;
      if (!scope.hasReturned) return false;
    }
    return true;
  }

  /** Gives it another name. */
  rename(name: string): void {
    this.#name = clipped(name);
  }
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
    const scope = this.open(name);
    try {
      const result = this.within(scope, body);
      if (isThenable(result)) return this.#endWith(scope, result) as T;
      scope.hasReturned = true;
      this.end(scope);
      return result;
    } catch (error) {
      this.end(scope);
      throw error;
    }
  }

  /** Gives a promise that is handled only by the caller of the scope: an unhandled rejection must stay one. */
  #endWith<T>(scope: ScopeRecord, result: PromiseLike<T>): Promise<T> {
    const end = (): void => this.end(scope);
    return Promise.resolve(result).finally(end);
  }

  /** Opens a scope within the current one. The caller has to end it. */
  open(name: string): ScopeRecord {
    const outer = runningScope(this.#current.get());
    this.#running++;
    return new ScopeRecord(name, outer, this.#graph.allocateRoot('scope'), currentOwner());
  }

  /** Calls `body` with a scope as the current one, and gives its result. */
  within<T>(scope: ScopeRecord, body: () => T): T {
    return this.#current.run(scope, body);
  }

  /** Makes a scope the current one for the rest of the current async flow. */
  enter(scope: ScopeRecord): void {
    this.#current.enter(scope);
  }

  /** Ends a scope. Without effect if it has ended. */
  end(scope: ScopeRecord): void {
    const { node } = scope;
    if (node === null) return;
    this.#listener.scopeEnding();
    scope.node = null;
    this.#running--;
    this.#graph.releaseRoot(node);
    this.#listener.scopeEnded();
  }
}

/** The innermost of these scopes that is running. A job that starts its next run from within itself is not around it. */
function runningScope(scope: ScopeRecord | undefined): ScopeRecord | undefined {
  let running = scope;
  while (running !== undefined && running.node === null) running = running.outer;
  return running;
}

function clipped(name: string): string {
  return name.length > MOST_CHARACTERS ? `${name.slice(0, MOST_CHARACTERS)}…` : name;
}
