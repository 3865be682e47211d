/**
 * A scope of resources that travels in the async context: a request, a job or a test. Code anywhere below registers what it takes, and
 * the end of the scope releases it, the newest first. With a watchdog it is one scope: what is released late is still a leak of it.
 *
 * ```
 *   ResourceScope.run ──▶ watchdog scope ──▶ body, with its awaits ──▶ releases, newest first ──▶ watchdog scope ends
 *                                              │
 *                                ResourceScope.current.use(lease)
 * ```
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { type AsyncVariable, createAsyncVariable } from '../core/async-context.js';
import { guardedCall } from '../core/guarded-call.js';
import { notGenerator } from '../core/not-generator.js';
import {
  aFunction,
  aName,
  checkArgument,
  type OptionTable,
  objectWith,
  optional,
  resolveOptions,
} from '../core/options.js';
import { ContextEndedError } from '../scope/context-errors.js';
import { asyncDisposeMethod } from '../scope/dispose-method.js';
import { type AsyncEnterable, type Enterable, takeAsyncExit } from '../scope/enterable.js';
import type { Failure } from '../scope/run-block.js';

/** The part of a watchdog that a scope uses. */
export interface ScopeWatcher {
  /** Calls `body` as a scope that owns the loans taken within it. */
  scope<T>(name: string, body: () => T): T;
}

/** Options of {@link ResourceScope.run}. */
export interface ResourceScopeOptions {
  /** A watchdog, in which a scope of the same name is opened. @default that of the scope around, if any */
  readonly watchdog?: ScopeWatcher;
}

interface Settings {
  readonly watchdog: ScopeWatcher | undefined;
}

const OPTIONS: OptionTable<Settings> = { watchdog: optional(objectWith('scope')) };

type Release = (failure: Failure | undefined) => unknown;

const currentScope: AsyncVariable<ResourceScope> =
  /* @__PURE__ */ createAsyncVariable<ResourceScope>();

/**
 * The resources of one request, job or test. {@link ResourceScope.run} opens it, and {@link ResourceScope.current} finds it anywhere below,
 * across awaits and timers.
 *
 * @example
 * ```ts
 * import { ResourceScope } from 'tenure/node';
 * import { createPool } from 'tenure/pool';
 * import { Watchdog } from 'tenure/watchdog';
 *
 * using watchdog = new Watchdog();
 * await using pool = createPool({ create: () => ({}), destroy: () => {} });
 * watchdog.watch(pool);
 *
 * const findOrders = async () => {
 *   const lease = await pool.lease();
 *   ResourceScope.current?.use(lease); // Released when the request ends.
 *   return ['order 1'];
 * };
 * await ResourceScope.run('GET /orders', findOrders, { watchdog }); // => ['order 1']
 * pool.borrowed; // => 0
 * await watchdog.assertNoLeaks();
 * ```
 */
export class ResourceScope {
  /** The name that was given to {@link ResourceScope.run}. */
  readonly name: string;
  /** The scope around; `undefined` for an outermost one. */
  readonly parent: ResourceScope | undefined;
  readonly #watchdog: ScopeWatcher | undefined;
  #releases: Release[] | undefined = [];

  private constructor(
    name: string,
    parent: ResourceScope | undefined,
    watchdog: ScopeWatcher | undefined,
  ) {
    this.name = name;
    this.parent = parent;
    this.#watchdog = watchdog;
  }

  /** The scope of the current async flow, which may have ended; `undefined` outside of any scope. */
  static get current(): ResourceScope | undefined {
    return currentScope.get();
  }

  /**
   * Calls `body` as a scope, awaits it, then releases what was registered, one after another, the newest first. Gives the result of
   * `body`. Scopes nest; what is registered goes to the innermost one.
   *
   * A release that fails does not stop the others. If one error remains, `run` rejects with it; several are gathered in an
   * `AggregateError`, the error of `body` first.
   *
   * Rejects with {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an empty name, a body that is no function, or a malformed
   * option.
   */
  static async run<R>(
    name: string,
    body: (scope: ResourceScope) => R,
    options: ResourceScopeOptions = {},
  ): Promise<Awaited<R>> {
    checkArgument('ResourceScope.run', 'name', name, aName);
    checkArgument('ResourceScope.run', 'body', body, aFunction);
    const { watchdog } = resolveOptions<Settings>('ResourceScope.run', options, OPTIONS);
    const parent = currentScope.get();
    const inherited = parent === undefined ? undefined : parent.#watchdog;
    const scope = new ResourceScope(name, parent, watchdog ?? inherited);
    const run = (): Promise<Awaited<R>> => currentScope.run(scope, () => scope.#run(body));
    return scope.#watchdog === undefined ? run() : scope.#watchdog.scope(name, run);
  }

  /** Whether the scope has ended, or is releasing its resources. */
  get ended(): boolean {
    return this.#releases === undefined;
  }

  /**
   * Registers a resource that is disposable, asynchronously or not, and gives it back.
   *
   * @throws `TypeError` if it has neither `[Symbol.asyncDispose]` nor `[Symbol.dispose]`.
   * @throws {@link ContextEndedError} (`TENURE_CONTEXT_ENDED`) if the scope has ended. The resource is then released at once.
   */
  use<T extends AsyncDisposable | Disposable>(resource: T): T {
    const method = asyncDisposeMethod(resource);
    this.#add(() => Reflect.apply(method, resource, []));
    return resource;
  }

  /**
   * Registers a value that `release` releases, and gives it back.
   *
   * @throws {@link ContextEndedError} (`TENURE_CONTEXT_ENDED`) if the scope has ended. The value is then released at once.
   */
  adopt<T>(value: T, release: (value: T, failure: Failure | undefined) => unknown): T {
    checkArgument('ResourceScope.adopt', 'release', release, aFunction);
    this.#add((failure) => release(value, failure));
    return value;
  }

  /**
   * Registers a callback. It is called with the failure of the body, `{ error }`, or `undefined`, and awaited.
   *
   * @throws {@link ContextEndedError} (`TENURE_CONTEXT_ENDED`) if the scope has ended. The callback is then called at once.
   */
  defer(fn: (failure: Failure | undefined) => unknown): void {
    checkArgument('ResourceScope.defer', 'fn', fn, aFunction);
    this.#add(fn);
  }

  /**
   * Registers a managed context, whose body gets the error of the scope's body, and gives its value. The context cannot handle the
   * error for the scope.
   *
   * @throws {@link ContextEndedError} (`TENURE_CONTEXT_ENDED`) if the context or the scope has ended.
   */
  enter<T>(context: Enterable<T> | AsyncEnterable<T>): T {
    const { exit } = takeAsyncExit('ResourceScope.enter', context);
    this.#add(exit);
    return context.value;
  }

  async #run<R>(body: (scope: ResourceScope) => R): Promise<Awaited<R>> {
    let result: Awaited<R> | undefined;
    let failure: Failure | undefined;
    try {
      result = await notGenerator('ResourceScope.run', body(this));
    } catch (error) {
      failure = { error };
    }
    const errors = await this.#release(failure);
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) {
      throw new AggregateError(errors, `${errors.length} errors at the end of ${this.name}`);
    }
    return result as Awaited<R>;
  }

  /** Releases all resources, and gives the error of the body and those of the releases. */
  async #release(failure: Failure | undefined): Promise<unknown[]> {
    const errors: unknown[] = failure === undefined ? [] : [failure.error];
    const releases = this.#releases ?? [];
    this.#releases = undefined;
    for (let release = releases.pop(); release !== undefined; release = releases.pop()) {
      try {
        await release(failure);
      } catch (error) {
        if (!errors.includes(error)) errors.push(error);
      }
    }
    return errors;
  }

  #add(release: Release): void {
    if (this.#releases !== undefined) {
      this.#releases.push(release);
      return;
    }
    guardedCall(`a release after the end of ${this.name}`, () => release(undefined));
    throw new ContextEndedError(
      `The scope '${this.name}' has ended. What was registered too late was released at once; await the work before the scope ends.`,
    );
  }
}
