/** A scope of a watchdog: a named piece of work, such as a request or a job, that owns the loans taken within it. */
/// <reference lib="esnext.disposable" preserve="true" />
import type { Owner } from '../core/current-owner.js';
import type { LifetimeNode } from './lifetime-graph.js';

/** How many names of a nest of scopes are told, besides the innermost one. */
const MOST_NAMES = 8;

/** What a scope asks of the scopes of its watchdog. */
export interface ScopeHost {
  /** Calls `body` with `scope` as the current scope. */
  runWithin<R>(scope: OpenScope, body: () => R): R;
  /** Ends a scope that is running. */
  end(scope: OpenScope): void;
}

/**
 * A scope of a watchdog. The loans that are taken while its code runs have to be released before it ends. `watchdog.scope()` gives it
 * to its body, and `watchdog.openScope()` returns it.
 */
export class OpenScope implements Disposable {
  /** The name that it was opened with. */
  readonly name: string;
  /** @internal The names of the scopes around it and its own, outermost first, joined by ` > `. */
  readonly path: string;
  /** @internal The path of the outermost scopes around it. */
  readonly head: string;
  /** @internal How many scopes it is nested in, itself included. */
  readonly depth: number;
  /** @internal The scope around it. */
  readonly outer: OpenScope | undefined;
  /** @internal Its root while it runs; `null` once it has ended. */
  node: LifetimeNode | null;
  /** @internal The owner around the scope: the value whose creation has opened it. */
  readonly around: Owner | undefined;
  /** @internal When a loan was last asked for in it, or a scope opened in it, in milliseconds. */
  activeAt: number;
  /** @internal How many of its loans are out and not settled. */
  unsettled = 0;
  /** @internal */
  readonly host: ScopeHost;

  /** @internal */
  constructor(
    host: ScopeHost,
    name: string,
    outer: OpenScope | undefined,
    node: LifetimeNode | null,
    around: Owner | undefined,
    now: number,
  ) {
    this.host = host;
    this.name = name;
    this.outer = outer;
    this.node = node;
    this.around = around;
    this.activeAt = now;
    if (outer === undefined) {
      this.depth = 1;
      this.head = name;
      this.path = name;
      return;
    }
    // Of a deep nest only the outermost names and the innermost are told, so that paths stay short.
    this.depth = outer.depth + 1;
    const isDeep = this.depth > MOST_NAMES;
    this.path = isDeep ? `${outer.head} > … > ${name}` : `${outer.path} > ${name}`;
    this.head = isDeep ? outer.head : this.path;
  }

  /** Whether the scope has ended. */
  get ended(): boolean {
    return this.node === null;
  }

  /** Calls `body` in the scope, across its awaits and timers, and gives its result. The scope does not end with it. */
  run<R>(body: () => R): R {
    return this.host.runWithin(this, body);
  }

  /** Ends the scope. What was taken in it and is still out is lost. Without effect the second time. */
  [Symbol.dispose](): void {
    this.host.end(this);
  }
}
