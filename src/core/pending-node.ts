/**
 * A node that is being made: a resource that its factory creates, an entry that its function loads. While it is made, it owns
 * what its maker leases, and the observer must know it by then. Most makers lease nothing, so the node is reported on first use.
 *
 * ```
 *   new PendingNode ──maker leases──▶ node is reported
 *       ├──▶ complete the component keeps the node
 *       ├──▶ passOn   the component does not keep it: the caller holds what the maker has leased
 *       └──▶ fail     the node ends, and with it the hold on what the maker has leased
 * ```
 */
import { type Owner, runAsOwner } from './current-owner.js';
import type { GuardedObserver } from './guarded-observer.js';
import type { NodeId, NodeKind, Observer, Origin } from './probe.js';

/** One node that is being made. */
export class PendingNode implements Owner {
  readonly #observer: GuardedObserver;
  readonly #kind: NodeKind;
  readonly #origin: Origin | undefined;
  #node: NodeId | undefined = undefined;
  #isOver = false;

  constructor(observer: GuardedObserver, kind: NodeKind, origin?: Origin) {
    this.#observer = observer;
    this.#kind = kind;
    this.#origin = origin;
  }

  get observer(): Observer | undefined {
    return this.#isOver ? undefined : this.#observer.main;
  }

  /** The node as the observer knows it, reported on first use; `undefined` when the making is over. */
  get node(): NodeId | undefined {
    return this.#isOver ? undefined : this.#observer.idForMain(this.#reported());
  }

  /** Whether it was reported to this observer, and is not over. */
  isReportedTo(observer: GuardedObserver): boolean {
    return observer === this.#observer && !this.#isOver;
  }

  /** Calls the maker, which owns what it leases, across its awaits, if the observer watches what it could lease. */
  make<R>(maker: () => R): R {
    return this.#observer.isAlone ? maker() : runAsOwner(this, maker);
  }

  /** Ends the making, and gives the node to the component. */
  complete(): NodeId {
    const isKnown = this.#node !== undefined;
    const node = this.#reported();
    this.#isOver = true;
    if (isKnown) this.#observer.made(node);
    return node;
  }

  #reported(): NodeId {
    this.#node ??= this.#observer.allocated(this.#kind, this.#observer.root, this.#origin);
    return this.#node;
  }

  /** Ends the making without a node. Without effect if it is over. */
  fail(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#node !== undefined) this.#observer.freed(this.#node);
  }

  /**
   * Ends the making: the component does not keep what was made, so the caller holds what the maker has leased. Without effect if it is
   * over.
   */
  passOn(): void {
    if (this.#node !== undefined && this.#origin !== undefined && !this.#isOver) {
      this.#observer.transferred(this.#node, this.#origin);
    }
    this.fail();
  }
}
