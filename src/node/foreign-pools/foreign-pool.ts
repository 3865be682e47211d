/**
 * A pool of another package, as a component that can be watched. The patched methods of the package report its loans:
 *
 * ```
 *   acquire called ──▶ origin ──▶ resource delivered ──▶ lent ──▶ resource given back ──▶ returned
 * ```
 *
 * Such a loan has no lease: its holder gives the resource itself back. V8 can therefore never prove that the loan is lost. The
 * rules *orphaned*, *tenured* and *exhausted* find it.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { AlreadyWatchedError } from '../../core/errors.js';
import { GuardedObserver } from '../../core/guarded-observer.js';
import {
  type ComponentStats,
  type EntryPoint,
  type NodeId,
  type Observation,
  type Observer,
  type Origin,
  observe,
  type Watchable,
} from '../../core/probe.js';

/** What the package of a pool knows of it. */
export interface ForeignPoolFacts {
  /** The name of the pool in reports. */
  readonly name: string;
  /** What a holder has to do so that its loan ends on every path, as a clause. */
  readonly releaseAdvice: string;
  /** Gives the figures of the pool. It may throw if a version of the package has no such figures. */
  figures(): ComponentStats;
}

/** A pool of another package. */
export class ForeignPool implements Watchable, Observation {
  readonly kind = 'pool';
  readonly name: string;
  readonly releaseAdvice: string;
  /** The watch over it, once it is watched. */
  watch: Disposable | undefined;
  readonly #facts: ForeignPoolFacts;
  /** The loans that are out, by their resources. */
  readonly #loans = new Map<unknown, NodeId>();
  readonly #nodes = new ResourceNodes();
  #observer: GuardedObserver | null = null;

  constructor(facts: ForeignPoolFacts) {
    this.name = facts.name;
    this.releaseAdvice = facts.releaseAdvice;
    this.#facts = facts;
  }

  /** How many loans are out. */
  get loansOut(): number {
    return this.#loans.size;
  }

  /** Gives the figures of the pool; none if this version of its package does not have them. */
  stats(): ComponentStats {
    try {
      return this.#facts.figures();
    } catch {
      return {};
    }
  }

  /** Takes the line and the scope of the caller of `entry`; `undefined` while no observer is attached. */
  origin(entry: EntryPoint): Origin | undefined {
    return this.#observer?.origin(entry);
  }

  /** Reports that a resource was lent to the caller of `origin`. A loan of it that is out has ended unseen. */
  lent(resource: unknown, origin: Origin): void {
    const observer = this.#observer;
    if (observer === null) return;
    this.returned(resource);
    this.#loans.set(resource, observer.lent(this.#nodes.of(resource, observer), origin));
  }

  /** Reports that a resource came back, or is gone. Without effect if it is not lent. */
  returned(resource: unknown): void {
    const loan = this.#loans.get(resource);
    if (loan === undefined) return;
    this.#loans.delete(resource);
    this.#observer?.freed(loan);
  }

  /** Reports that the pool has ended its resources, lent ones included. Their holders have not given them back. */
  ended(): void {
    for (const loan of this.#loans.values()) this.#observer?.freed(loan, true);
    this.#loans.clear();
  }

  [observe](observer: Observer): Observation {
    if (this.#observer !== null) throw new AlreadyWatchedError(`pool "${this.name}"`);
    this.#observer = new GuardedObserver(observer, `the pool '${this.name}'`);
    return this;
  }

  [Symbol.dispose](): void {
    this.#observer = null;
    this.#loans.clear();
    this.#nodes.clear();
  }
}

/**
 * The nodes of a pool's resources. Packages differ in how a resource leaves its pool, so a node lives as long as its resource:
 * until V8 has collected it.
 */
class ResourceNodes {
  #nodes = new WeakMap<object, NodeId>();
  #observer: GuardedObserver | undefined;
  readonly #deaths = new FinalizationRegistry<NodeId>((node) => this.#observer?.freed(node));

  /** Gives the node of a resource. A primitive value has none of its own: the pool's node stands for it. */
  of(resource: unknown, observer: GuardedObserver): NodeId {
    if ((typeof resource !== 'object' || resource === null) && typeof resource !== 'function') {
      return observer.root;
    }
    let node = this.#nodes.get(resource);
    if (node === undefined) {
      this.#observer = observer;
      node = observer.allocated('resource', observer.root);
      this.#nodes.set(resource, node);
      this.#deaths.register(resource, node);
    }
    return node;
  }

  /** Forgets the nodes: their ids mean nothing after the end of the watch. */
  clear(): void {
    this.#nodes = new WeakMap();
    this.#observer = undefined;
  }
}
