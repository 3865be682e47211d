/**
 * The scopes of a watchdog. The current scope travels in the async context.
 *
 * ```
 *   run ──▶ body, with its awaits and timers ──▶ no loan is out ──▶ counted as a short life
 *            │                                    some are ──▶ ending ──▶ they come back: a short life
 *            └─ looked for: a root                               └─ 100 to 200 ms: root with the loans, released: they are unheld
 * ```
 *
 * A root takes as long as the rest of a scope, and most scopes end within a tenth of a second and leave no loan behind. So a scope has
 * none until the graph is looked at, or one of its loans is settled.
 */
import { type AsyncVariable, createAsyncVariable } from '../core/async-context.js';
import { currentOwner, type Owner } from '../core/current-owner.js';
import { LinkedList } from '../core/linked-list.js';
import { SETTLED } from '../core/settled.js';
import { isThenable, onceSettled } from '../core/thenable.js';
import type { LifetimeGraph, LifetimeNode } from './lifetime-graph.js';
import { OpenScope, type ScopeHost } from './open-scope.js';
import { OLD_MILLIS } from './populations.js';
import type { ScopeClasses } from './scope-classes.js';

/** What the scopes of a watchdog ask of it, and tell it. */
export interface ScopeListener {
  /** The time of the youngest loans, in milliseconds. It may be some loans old. */
  loanTime(): number;
  /** A scope has ended and has left behind loans that are not settled. Calls {@link Scopes.settleEnded}, now or later. */
  scopeEnding(): void;
  /** Settles the loans of all scopes that are ending: `unsettled` in number. */
  settleLoansOfEnding(unsettled: number): void;
  /** Called when a scope that owns these nodes has another name. */
  scopeRenamed(owned: readonly LifetimeNode[]): void;
  /** Called after the root of a scope has been released. */
  scopeEnded(): void;
}

/** The scopes of one watchdog. */
export class Scopes implements ScopeHost {
  readonly #graph: LifetimeGraph;
  readonly #classes: ScopeClasses;
  readonly #listener: ScopeListener;
  readonly #current: AsyncVariable<OpenScope> = createAsyncVariable();
  /** The scopes that are running and have no root. */
  readonly #rootless = new LinkedList<OpenScope>();
  /** The scopes that are running, have a root, and do not run for long yet; nearly in the order in which they were opened. */
  readonly #young = new LinkedList<OpenScope>();
  /** The scopes that are ending, in the order in which they ended. */
  readonly #ending = new LinkedList<OpenScope>();
  #running = 0;
  #firstOpens: () => void = () => {};

  constructor(graph: LifetimeGraph, classes: ScopeClasses, listener: ScopeListener) {
    this.#graph = graph;
    this.#classes = classes;
    this.#listener = listener;
  }

  /** Calls `listener` when a scope is opened while none is running. */
  whenFirstOpens(listener: () => void): void {
    this.#firstOpens = listener;
  }

  /** Whether a scope is one of these. */
  isOwn(scope: OpenScope): boolean {
    return scope.host === this;
  }

  /** How many scopes are running. */
  get running(): number {
    return this.#running;
  }

  /** Gives the root of a scope; `undefined` if the scope has ended. O(1). */
  rootOf(scope: OpenScope): LifetimeNode | undefined {
    if (scope.node === null && (!scope.ended || scope.isEnding)) {
      if (!scope.isEnding) {
        this.#rootless.remove(scope);
        this.#young.append(scope);
      }
      scope.node = this.#graph.allocateRoot(this.#classes.of(scope.name));
    }
    return scope.node ?? undefined;
  }

  /** Gives each running scope its root. Call it before the heap is looked at or collected. O(scopes without a root). */
  settleAll(): void {
    for (const scope of this.#rootless) this.rootOf(scope);
  }

  /** Gives each running scope that was opened at `time` or before its root. O(1), and O(1) for each of them. */
  settleUntil(time: number): void {
    for (let { first } = this.#rootless; first !== null && first.openedAt <= time; ) {
      this.rootOf(first);
      first = this.#rootless.first;
    }
  }

  /** Counts the scopes that run for long by now. Amortised O(1) for each scope with a root. */
  countOld(now: number): void {
    for (let { first } = this.#young; first !== null; { first } = this.#young) {
      if (now - first.openedAt < OLD_MILLIS) return;
      this.#young.remove(first);
      this.#countAsOld(first);
    }
  }

  /** Settles what the scopes that are ending have left behind, and releases them. */
  settleEnded(): void {
    if (this.#ending.length === 0) return;
    let unsettled = 0;
    for (const scope of this.#ending) unsettled += scope.unsettled;
    this.#listener.settleLoansOfEnding(unsettled);
    for (let scope = this.#ending.shift(); scope !== null; scope = this.#ending.shift()) {
      scope.isEnding = false;
      this.#release(scope);
    }
  }

  /** The last unsettled loan of a scope that is ending has come back. */
  lastLoanReturned(scope: OpenScope): void {
    this.#ending.remove(scope);
    scope.isEnding = false;
    this.#release(scope);
  }

  /** Gives the scope of the current async flow, which may have ended; `undefined` outside of any scope. */
  current(): OpenScope | undefined {
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
  run<T>(name: string, body: (scope: OpenScope) => T): T {
    const scope = this.open(name);
    try {
      const result = this.#current.runWithValue(scope, body);
      if (isThenable(result)) return this.#endWith(scope, result) as T;
      scope.hasReturned = true;
      this.end(scope);
      return result;
    } catch (error) {
      this.end(scope);
      throw error;
    }
  }

  /**
   * Opens a scope within the current one; a request within the innermost scope that is no request. The caller has to end it.
   */
  open(name: string, isRequest: boolean = false): OpenScope {
    const outer = runningScope(this.#current.get(), isRequest);
    const now = this.#listener.loanTime();
    for (let scope = outer; scope !== undefined; scope = scope.outer) scope.activeAt = now;
    if (++this.#running === 1) this.#firstOpens();
    const scope = new OpenScope(this, name, outer, currentOwner(), isRequest, now);
    this.#rootless.append(scope);
    return scope;
  }

  /** Gives a scope that has ended already, for a watchdog that is off. */
  ended(name: string): OpenScope {
    const scope = new OpenScope(this, name, undefined, undefined, false, 0);
    scope.endedAt = 0;
    return scope;
  }

  runWithin<R>(scope: OpenScope, body: () => R): R {
    return this.#current.run(scope, body);
  }

  enter(scope: OpenScope): void {
    this.#current.enter(scope);
  }

  leave(scope: OpenScope): void {
    this.#current.enter(runningScope(scope.outer, false));
  }

  endHere(scope: OpenScope): void {
    this.end(scope);
    if (this.#current.get() === scope) this.leave(scope);
  }

  /** Lets the async context rest until the next scope is entered. Without effect while a scope is running. */
  rest(): void {
    if (this.#running === 0) this.#current.rest();
  }

  renamed(scope: OpenScope): void {
    const { node, name, countedBy } = scope;
    if (node === null) return;
    this.#graph.heap.reclassifyAs(node.handle, this.#classes.of(name));
    this.#listener.scopeRenamed(this.#graph.nodesOwnedBy(node));
    if (countedBy === undefined) return;
    countedBy.oldEnded();
    this.#countAsOld(scope);
  }

  /** Ends a scope. Without effect if it has ended. */
  end(scope: OpenScope): void {
    if (scope.ended) return;
    this.#running--;
    if (scope.node === null) this.#rootless.remove(scope);
    else if (scope.countedBy === undefined) this.#young.remove(scope);
    scope.endedAt = this.#listener.loanTime();
    scope.connection = undefined;
    if (scope.unsettled === 0) {
      this.#release(scope);
      return;
    }
    scope.isEnding = true;
    this.#ending.append(scope);
    this.#listener.scopeEnding();
  }

  #countAsOld(scope: OpenScope): void {
    const population = this.#classes.populationOf(scope.name);
    population.grewOld();
    scope.countedBy = population;
  }

  /** Releases the root of a scope that has ended, or counts the scope if it has none. */
  #release(scope: OpenScope): void {
    const { node } = scope;
    if (node === null) {
      this.#graph.heap.recordShortLife(this.#classes.of(scope.name));
      return;
    }
    scope.node = null;
    scope.countedBy?.oldEnded();
    this.#graph.releaseRoot(node);
    this.#listener.scopeEnded();
  }

  /**
   * Gives a promise that is handled only by the caller of the scope: an unhandled rejection must stay one.
   *
   * A body such as `async () => { next() }` has awaited nothing, so its promise is settled when it is returned. Then the reactions run
   * in the order in which they are added here.
   */
  #endWith<T>(scope: OpenScope, result: PromiseLike<T>): Promise<T> {
    let hasAwaited = false;
    const ended = onceSettled(
      result,
      (value) => {
        scope.hasReturned = !hasAwaited && value === undefined;
        this.end(scope);
        return value;
      },
      (error: unknown) => {
        this.end(scope);
        throw error;
      },
    );
    void SETTLED.then(() => {
      hasAwaited = true;
    });
    return ended;
  }
}

/**
 * The innermost of these scopes that is running. A job that starts its next run from within itself is not around it, and neither
 * is a request around the next request of its connection.
 */
function runningScope(scope: OpenScope | undefined, skipsRequests: boolean): OpenScope | undefined {
  let running = scope;
  while (running !== undefined && (running.ended || (skipsRequests && running.isRequest))) {
    running = running.outer;
  }
  return running;
}
