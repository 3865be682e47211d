/**
 * A scope that its caller opens and ends, for work that no function body spans: a request that ends when its response has been
 * sent, a job that a queue acknowledges later.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { aFunction, aName, checkArgument, type OptionCheck } from '../core/options.js';
import type { ScopeRecord, Scopes } from './scopes.js';

/**
 * A scope that {@link Watchdog.openScope} has opened. It owns the loans that are taken in its async flow. Once it has ended, a
 * loan that is still out, or that is taken later in its async flow, counts as orphaned.
 */
export interface OpenScope extends Disposable {
  /**
   * Makes it the current scope for the rest of the current async flow: this function, its callers, and what they start from
   * now on. Call it at the start of a flow of its own, such as the listener of a request. Without AsyncLocalStorage in the
   * host it has no effect.
   */
  enter(): void;
  /**
   * Calls `body` with this scope as the current one, and gives its result. The scope goes on afterwards.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a body that is no function.
   */
  run<R>(body: () => R): R;
  /**
   * Gives it another name, for reports that are made from now on. A web framework knows the route of a request only later.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an empty name.
   */
  rename(name: string): void;
  /** Ends it. Without effect if it has ended. */
  end(): void;
}

/** Opens a scope of a watchdog. */
export function openScope(scopes: Scopes, name: string): OpenScope {
  return new TrackedScope(scopes, scopes.open(name));
}

class TrackedScope implements OpenScope {
  readonly #scopes: Scopes;
  readonly record: ScopeRecord;

  constructor(scopes: Scopes, record: ScopeRecord) {
    this.#scopes = scopes;
    this.record = record;
  }

  enter(): void {
    this.#scopes.enter(this.record);
  }

  run<R>(body: () => R): R {
    checkArgument('scope.run', 'body', body, aFunction);
    return this.#scopes.within(this.record, body);
  }

  rename(name: string): void {
    checkArgument('scope.rename', 'name', name, aName);
    this.record.rename(name);
  }

  end(): void {
    this.#scopes.end(this.record);
  }

  [Symbol.dispose](): void {
    this.end();
  }
}

/** A scope of a watchdog that watches nothing. */
export const UNTRACKED_SCOPE: OpenScope = {
  enter() {},
  run: (body) => body(),
  rename() {},
  end() {},
  [Symbol.dispose]() {},
};

/** Gives what a watchdog knows of a scope; `undefined` for a scope of a watchdog that watches nothing. */
export function recordOf(scope: OpenScope): ScopeRecord | undefined {
  return scope instanceof TrackedScope ? scope.record : undefined;
}

/** Expects a scope of {@link openScope}. */
export const anOpenScope: OptionCheck = (value) =>
  value instanceof TrackedScope || value === UNTRACKED_SCOPE
    ? undefined
    : 'a scope of watchdog.openScope()';
