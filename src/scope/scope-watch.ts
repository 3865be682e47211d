/**
 * Reports managed contexts and stacks to an observer. Each is a loan from the time it is made until it is ended: the caller's scope
 * holds it, and it alone can end itself. A stack holds what was put into it.
 *
 * ```
 *   scope ──▶ loan ──▶ stack ──▶ resource
 *                        └─────▶ loan of a context that was entered into it
 * ```
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { endAutomaticWatch } from '../core/created-components.js';
import type { Owner } from '../core/current-owner.js';
import { AlreadyWatchedError } from '../core/errors.js';
import { GuardedObserver } from '../core/guarded-observer.js';
import {
  type ComponentStats,
  type EntryPoint,
  type NodeId,
  type Observation,
  type Observer,
  type Origin,
  observe,
  type Watchable,
} from '../core/probe.js';

/** What is reported of one context or stack. It owns the loans whose ends were put into it. */
export class Tracked implements Owner {
  readonly #watch: ScopeWatch;
  readonly node: NodeId;
  readonly loan: NodeId;
  readonly #held: NodeId[] = [];
  #ended = false;

  /** @internal */
  constructor(watch: ScopeWatch, node: NodeId, loan: NodeId) {
    this.#watch = watch;
    this.node = node;
    this.loan = loan;
  }

  /** The observer as it was attached; `undefined` after the end. */
  get observer(): Observer | undefined {
    return this.#ended ? undefined : this.#watch.attached;
  }

  /** Reports that `heir` holds all loans that this one held. */
  passOn(heir: Tracked): void {
    if (!this.#ended) this.#watch.observer.transferred(this.node, heir);
  }

  /** Reports that a stack holds a resource, or another context or stack. */
  holds(other: Tracked | undefined): void {
    if (this.#ended) return;
    if (other === undefined) this.#held.push(this.#watch.observer.allocated('resource', this.node));
    else this.#watch.observer.referenced(this.node, other.loan);
  }

  /** Reports the end. */
  ended(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#watch.ended(this, this.#held);
  }
}

/** One observer's watch over the contexts and stacks of the process. */
class ScopeWatch implements Observation {
  readonly kind = 'scope';
  readonly name = 'scope';
  /** The observer as it was attached. */
  readonly attached: Observer;
  readonly observer: GuardedObserver;
  readonly #unwatched: () => void;
  #isOver = false;
  #open = 0;

  constructor(observer: Observer, unwatched: () => void) {
    this.attached = observer;
    this.observer = new GuardedObserver(observer, 'contexts and stacks');
    this.#unwatched = unwatched;
  }

  stats(): ComponentStats {
    return { open: this.#open };
  }

  opened(kind: 'context' | 'stack', origin: Origin, capability: WeakKey): Tracked {
    const node = this.observer.allocated(kind, this.observer.root);
    this.#open++;
    return new Tracked(this, node, this.observer.lent(node, origin, capability));
  }

  ended(tracked: Tracked, held: readonly NodeId[]): void {
    if (this.#isOver) return;
    this.#open--;
    for (const node of held) this.observer.freed(node);
    this.observer.freed(tracked.loan);
    this.observer.freed(tracked.node);
  }

  [Symbol.dispose](): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#unwatched();
  }
}

type Constructor = new (...args: never[]) => unknown;

/** The contexts and stacks of the process, as a component that can be watched. */
export class ScopeResources implements Watchable {
  #watch: ScopeWatch | null = null;

  /** @internal Takes the line and the scope of a caller of `entry`; `undefined` while no observer is attached. */
  origin(entry: EntryPoint | Constructor): Origin | undefined {
    return this.#watch?.observer.origin(entry as EntryPoint);
  }

  /** @internal Reports a context or a stack; `undefined` without an origin. */
  opened(
    kind: 'context' | 'stack',
    origin: Origin | undefined,
    capability: WeakKey,
  ): Tracked | undefined {
    return origin === undefined ? undefined : this.#watch?.opened(kind, origin, capability);
  }

  /**
   * Attaches an observer, such as a watchdog. It is told of each context and stack that is made from now on.
   *
   * @throws {@link AlreadyWatchedError} (`TENURE_ALREADY_WATCHED`) while another observer is attached.
   */
  [observe](observer: Observer): Observation {
    endAutomaticWatch(this);
    if (this.#watch !== null) throw new AlreadyWatchedError('scopeResources');
    this.#watch = new ScopeWatch(observer, () => {
      this.#watch = null;
    });
    return this.#watch;
  }
}

/**
 * The managed contexts and the stacks of the process: those of `contextManager`, `asyncContextManager`, `RunStack` and
 * `AsyncRunStack`. Give it to a watchdog, which then names the line of a context that no code has ended, and of a stack that was
 * dropped with resources in it. A `DisposableStack` of the platform cannot be watched.
 *
 * Without an observer, a context pays one null check.
 *
 * @example
 * ```ts
 * import { contextManager, scopeResources } from 'tenure/scope';
 * import { Watchdog } from 'tenure/watchdog';
 *
 * using watchdog = new Watchdog();
 * watchdog.watch(scopeResources);
 * const opened = contextManager(function* () {
 *   yield 'open';
 * });
 * watchdog.scope('job', () => {
 *   opened(); // Never ended.
 * });
 * const [leak] = await watchdog.check();
 * leak?.component.name; // => 'scope'
 * ```
 */
export const scopeResources: ScopeResources = /* @__PURE__ */ new ScopeResources();
