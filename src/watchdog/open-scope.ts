/** A scope of a watchdog: a named piece of work, such as a request or a job, that owns the loans taken within it. */
/// <reference lib="esnext.disposable" preserve="true" />
import type { Owner } from '../core/current-owner.js';
import {
  aBoolean,
  aFunction,
  aName,
  checkArgument,
  type OptionCheck,
  type OptionTable,
  option,
} from '../core/options.js';
import type { LifetimeNode } from './lifetime-graph.js';

/** How many names of a nest of scopes are told, besides the innermost one. */
const MAX_NAMES = 8;

/** The time of the end of a scope that has not ended. */
const RUNNING = -1;

/** The maximum length of a name. A caller may have put a whole URL into it. */
const MAX_CHARACTERS = 200;

/** Options of {@link Watchdog.openScope}. */
export interface OpenScopeOptions {
  /**
   * Whether it is a request, which is within no other request. The requests of one connection come one after another in one
   * async flow: a scope that the first one enters is still current when the next one begins.
   *
   * @default false
   */
  readonly request?: boolean;
}

/** @internal The options of {@link Watchdog.openScope}, for a check. */
export const OPEN_SCOPE_OPTIONS: OptionTable<Required<OpenScopeOptions>> = {
  request: option(aBoolean, false),
};

/** The scopes of one name, as far as they run for long. */
export interface LongScopes {
  /** One more runs for long. */
  grewOld(): void;
  /** One of these has ended. */
  oldEnded(): void;
}

/** The connection of a request: a socket of `node:net`. */
export interface Connection {
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

/** What a scope asks of the scopes of its watchdog. */
export interface ScopeHost {
  /** Calls `body` with `scope` as the current scope. */
  runWithin<R>(scope: OpenScope, body: () => R): R;
  /** Makes a scope the current one for the rest of the current async flow. */
  enter(scope: OpenScope): void;
  /** Makes the running scope around a scope the current one, or none, for the rest of the current async flow. */
  leave(scope: OpenScope): void;
  /** Ends a scope, if it has not ended, and leaves it if it is the current one. */
  endHere(scope: OpenScope): void;
  /** A running scope has another name. */
  renamed(scope: OpenScope): void;
}

/**
 * A scope of a watchdog. The loans that are taken while its code runs have to be released before it ends: a loan that is still out
 * then, or that is taken later in its async flow, counts as orphaned. `watchdog.scope()` gives it to its body, and
 * `watchdog.openScope()` returns it.
 *
 * @example
 * ```ts
 * import { type OpenScope, Watchdog } from 'tenure/watchdog';
 *
 * using watchdog = new Watchdog();
 * const scope: OpenScope = watchdog.openScope('job 17');
 * scope.run(() => 'work'); // => 'work'
 * scope.rename('nightly job');
 * scope.name; // => 'nightly job'
 * scope.end();
 * scope.ended; // => true
 * ```
 */
export class OpenScope implements Disposable {
  /** @internal The scope around it. */
  readonly outer: OpenScope | undefined;
  /** @internal How many scopes it is nested in, itself included. */
  readonly depth: number;
  /** @internal The owner around the scope: the value whose creation has opened it. */
  readonly around: Owner | undefined;
  /** @internal Whether it is a request, which is within no other request. */
  readonly isRequest: boolean;
  /** @internal Its root in the graph; `null` until something looks for it, and once it is released. */
  node: LifetimeNode | null = null;
  /** @internal When it ended, in milliseconds; {@link RUNNING} before. */
  endedAt: number = RUNNING;
  /** @internal Whether it has ended, and its loans that are out are not settled yet. */
  isEnding = false;
  /** @internal Its neighbours in a list of its host. */
  previous: OpenScope | null = null;
  /** @internal */
  next: OpenScope | null = null;
  /** @internal When a loan was last asked for in it, or a scope opened in it, or its connection was used, in milliseconds. */
  activeAt: number;
  /** @internal The connection that it answers, until it ends. */
  connection: Connection | undefined = undefined;
  /** @internal When it began, in milliseconds. */
  readonly openedAt: number;
  /** @internal What counts it once it runs for long. */
  countedBy: LongScopes | undefined = undefined;
  /** @internal How many of its loans have come back. */
  returned = 0;
  /** @internal How many of its loans are out and not settled. */
  unsettled = 0;
  /**
   * @internal Whether its body returned something else than a promise, or awaited nothing and gave nothing. The watchdog cannot tell
   * when the work that the body has started is over.
   */
  hasReturned = false;
  /** @internal */
  readonly host: ScopeHost;
  /** How many bytes its connection had carried at the last look. */
  #bytes = -1;
  #name: string;
  #path = '';
  /** The path of the scopes around it that {@link #path} begins with. */
  #pathAround: string | undefined = undefined;

  /** @internal `outer` is the scope around it, and `around` the value whose creation has opened it. */
  constructor(
    host: ScopeHost,
    name: string,
    outer: OpenScope | undefined,
    around: Owner | undefined,
    isRequest: boolean,
    now: number,
  ) {
    this.host = host;
    this.outer = outer;
    this.depth = outer === undefined ? 1 : outer.depth + 1;
    this.around = around;
    this.isRequest = isRequest;
    this.openedAt = now;
    this.activeAt = now;
    this.#name = clipped(name);
  }

  /** Its own name. */
  get name(): string {
    return this.#name;
  }

  /**
   * @internal The names of the scopes around it and its own, outermost first, joined by ` > `. Of a deep nest only the outermost
   * names and the innermost are told, so that paths stay short. O(depth).
   */
  get path(): string {
    const around = this.#aroundPath();
    if (around === '') return this.#name;
    if (around !== this.#pathAround) {
      this.#pathAround = around;
      this.#path = `${around} > ${this.#name}`;
    }
    return this.#path;
  }

  /** Whether the scope has ended. */
  get ended(): boolean {
    return this.endedAt !== RUNNING;
  }

  /** @internal Whether it is `other`, or was opened within it. O(depth). */
  isWithin(other: OpenScope): boolean {
    for (let scope: OpenScope | undefined = this; scope !== undefined; scope = scope.outer) {
      if (scope === other) return true;
    }
    return false;
  }

  /**
   * @internal Whether work that it has started may go on, as far as the watchdog knows: its body has returned at once, and no scope
   * around it has ended in another way. O(depth).
   */
  mayGoOn(): boolean {
    for (let scope: OpenScope | undefined = this; scope !== undefined; scope = scope.outer) {
      if (!scope.ended) return true;
      if (!scope.hasReturned) return false;
    }
    return true;
  }

  /** @internal Looks whether its connection, or that of a scope around it, has carried more bytes since the last look. O(depth). */
  lookAtConnection(now: number): void {
    for (let scope: OpenScope | undefined = this; scope !== undefined; scope = scope.outer) {
      const { connection } = scope;
      const bytes = connection === undefined ? -1 : connection.bytesRead + connection.bytesWritten;
      if (!(bytes > scope.#bytes)) continue;
      scope.#bytes = bytes;
      this.activeAt = now;
    }
  }

  /**
   * Calls `body` in the scope, across its awaits and timers, and gives its result. The scope does not end with it.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a body that is no function.
   */
  run<R>(body: () => R): R {
    checkArgument('scope.run', 'body', body, aFunction);
    return this.host.runWithin(this, body);
  }

  /**
   * Makes it the current scope for the rest of the current async flow: this function, its callers, and what they start from
   * now on. Call it at the start of a flow of its own, such as the listener of a request. Without AsyncLocalStorage in the
   * host it has no effect. It is current until {@link end} or {@link leave} is called in that flow.
   */
  enter(): void {
    this.host.enter(this);
  }

  /** Makes the scope around it current again, or none, for the rest of the current async flow. */
  leave(): void {
    this.host.leave(this);
  }

  /**
   * Gives it another name, for reports that are made from now on. A web framework knows the route of a request only later.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an empty name.
   */
  rename(name: string): void {
    checkArgument('scope.rename', 'name', name, aName);
    const last = this.#name;
    this.#name = clipped(name);
    if (this.#name === last) return;
    this.#pathAround = undefined;
    if (!this.ended) this.host.renamed(this);
  }

  /**
   * Ends the scope. What was taken in it and is still out is lost. The rest of the flow that calls this is in the scope around it, or
   * in none. Without effect the second time.
   */
  end(): void {
    this.host.endHere(this);
  }

  /** Ends the scope, as {@link end} does. */
  [Symbol.dispose](): void {
    this.end();
  }

  /** The path of the scopes around it, as its own path begins. */
  #aroundPath(): string {
    let around = this.outer;
    if (around === undefined) return '';
    const isDeep = this.depth > MAX_NAMES + 1;
    while (around.outer !== undefined && around.depth > MAX_NAMES) around = around.outer;
    return isDeep ? `${around.path} > …` : around.path;
  }
}

/** @internal Expects a scope of a watchdog. */
export const anOpenScope: OptionCheck = (value) =>
  value instanceof OpenScope ? undefined : 'a scope of watchdog.openScope()';

function clipped(name: string): string {
  return name.length > MAX_CHARACTERS ? `${name.slice(0, MAX_CHARACTERS)}…` : name;
}
