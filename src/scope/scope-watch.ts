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
import {
  type ComponentStats,
  type EntryPoint,
  type Holder,
  type NodeId,
  type Observation,
  type Observer,
  type Origin,
  observe,
  type Watchable,
} from '../core/probe.js';
import { SharedWatch } from '../core/shared-watch.js';

/** What is reported of one context or stack. It owns the loans whose ends were put into it. */
export class Tracked implements Owner {
  readonly #watch: ScopeWatch;
  readonly reported: NodeId;
  readonly loan: NodeId;
  readonly #held: NodeId[] = [];
  #ended = false;

  /** @internal */
  constructor(watch: ScopeWatch, node: NodeId, loan: NodeId) {
    this.#watch = watch;
    this.reported = node;
    this.loan = loan;
  }

  /** The observer as it was attached; `undefined` after the end. */
  get observer(): Observer | undefined {
    return this.#ended ? undefined : this.#watch.observer.main;
  }

  /** The node as the observer knows it. */
  get node(): NodeId | undefined {
    return this.#watch.observer.idForMain(this.reported);
  }

  /** Reports that `to` holds the context or stack from now on, with what is in it. */
  handOver(to: Holder): void {
    if (!this.#ended) this.#watch.observer.transferred(this.loan, to);
  }

  /** Reports that `heir` holds all resources and loans that this one held. */
  passOn(heir: Tracked): void {
    for (const _ of this.#held) heir.holds(undefined);
    this.#watch.observer.transferred(this.reported, heir);
  }

  /** Reports that a stack holds another context or stack, or a resource. One of another copy of this package counts as a resource. */
  holds(other: Tracked | undefined): void {
    if (other instanceof Tracked) this.#watch.observer.referenced(this.reported, other.loan);
    else this.#held.push(this.#watch.observer.allocated('resource', this.reported));
  }

  /** Reports the end. */
  ended(): void {
    this.#ended = true;
    this.#watch.closed(this, this.#held);
  }
}

/** The watch over the contexts and stacks of the process. */
class ScopeWatch extends SharedWatch {
  readonly kind = 'scope';
  readonly name = 'scope';
  override readonly releaseAdvice =
    'hold it with `using` or `await using`, or dispose of it in a `finally` block';
  override readonly isUnlimited = true;
  readonly #unwatched: () => void;
  #open = 0;

  constructor(observer: Observer, unwatched: () => void) {
    super(observer, 'scopeResources');
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

  closed(tracked: Tracked, held: readonly NodeId[]): void {
    if (this.hasEnded) return;
    this.#open--;
    for (const node of held) this.observer.freed(node);
    this.observer.freed(tracked.loan);
    this.observer.freed(tracked.reported);
  }

  /** What was made before an observer came is left out, because its caller is not known. */
  protected override *present(): Generator<undefined> {}

  protected override ended(): void {
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
   * @throws {@link AlreadyWatchedError} (`TENURE_ALREADY_WATCHED`) while another observer is attached that does not share it.
   */
  [observe](observer: Observer): Observation {
    endAutomaticWatch(this, observer);
    this.#watch ??= new ScopeWatch(observer, () => {
      this.#watch = null;
    });
    return this.#watch.attach(observer);
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
