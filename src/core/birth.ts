/**
 * A node that is being made: a resource that its factory creates, an entry that its function loads. While it is made, it owns
 * what its maker leases, and the observer must know it by then. Most makers lease nothing, so the node is reported on first use.
 *
 * ```
 *   new Birth ──maker leases──▶ node is reported
 *       ├──▶ born    the component keeps the node
 *       ├──▶ passed on  the component does not keep it: the caller holds what the maker has leased
 *       └──▶ failed  the node ends, and with it the hold on what the maker has leased
 * ```
 */
import { type Owner, runAsOwner } from './current-owner.js';
import type { NodeId, NodeKind, Observer, Origin } from './probe.js';

/** One node that is being made. */
export class Birth implements Owner {
  readonly #attached: Observer;
  readonly #observer: Observer;
  readonly #kind: NodeKind;
  readonly #origin: Origin | undefined;
  #node: NodeId | undefined = undefined;
  #isOver = false;

  /** `attached` is the observer as it was attached, and `observer` the one that never throws. */
  constructor(attached: Observer, observer: Observer, kind: NodeKind, origin?: Origin) {
    this.#attached = attached;
    this.#observer = observer;
    this.#kind = kind;
    this.#origin = origin;
  }

  get observer(): Observer | undefined {
    return this.#isOver ? undefined : this.#attached;
  }

  /** The node, reported on first use; `undefined` when the making is over. */
  get node(): NodeId | undefined {
    if (this.#isOver) return undefined;
    this.#node ??= this.#observer.allocated(this.#kind, this.#observer.root, this.#origin);
    return this.#node;
  }

  /** Calls the maker, which owns what it leases, across its awaits, if the observer watches what it could lease. */
  make<R>(maker: () => R): R {
    return this.#observer.isAlone === true ? maker() : runAsOwner(this, maker);
  }

  /** Ends the making, and gives the node to the component. */
  born(): NodeId {
    const node = this.node as NodeId;
    this.#isOver = true;
    return node;
  }

  /** Ends the making without a node. Without effect if it is over. */
  failed(): void {
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
      this.#observer.transferred?.(this.#node, this.#origin);
    }
    this.failed();
  }
}
