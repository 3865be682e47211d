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
import type { GuardedObserver } from '../../core/guarded-observer.js';
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
import { SharedWatch } from '../../core/shared-watch.js';

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
export class ForeignPool implements Watchable {
  readonly name: string;
  readonly releaseAdvice: string;
  /** The watch over it, once it is watched. */
  watch: Disposable | undefined;
  readonly #facts: ForeignPoolFacts;
  /** The loans that are out, by their resources. */
  readonly #loans = new Map<unknown, NodeId>();
  readonly #nodes = new ResourceNodes();
  #watch: ForeignPoolWatch | null = null;

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
    return this.#watch?.observer.origin(entry);
  }

  /** Reports that a resource was lent to the caller of `origin`. A loan of it that is out has ended unseen. */
  lent(resource: unknown, origin: Origin): void {
    if (this.#watch === null) return;
    const { observer } = this.#watch;
    this.returned(resource);
    this.#loans.set(resource, observer.lent(this.#nodes.of(resource, observer), origin));
  }

  /** Reports that a resource came back, or is gone. Without effect if it is not lent. */
  returned(resource: unknown): void {
    const loan = this.#loans.get(resource);
    if (loan === undefined) return;
    this.#loans.delete(resource);
    this.#watch?.observer.freed(loan);
  }

  /** Reports that the pool has ended its resources, lent ones included. Their holders have not given them back. */
  ended(): void {
    for (const loan of this.#loans.values()) this.#watch?.observer.freed(loan, true);
    this.#loans.clear();
  }

  [observe](observer: Observer): Observation {
    this.#watch ??= new ForeignPoolWatch(this, observer, () => {
      this.#watch = null;
      this.#loans.clear();
      this.#nodes.clear();
    });
    return this.#watch.attach(observer);
  }
}

/** The watch over a pool of another package. */
class ForeignPoolWatch extends SharedWatch {
  readonly kind = 'pool';
  readonly name: string;
  override readonly releaseAdvice: string;
  readonly #pool: ForeignPool;
  readonly #unwatched: () => void;

  constructor(pool: ForeignPool, observer: Observer, unwatched: () => void) {
    super(observer, `the pool '${pool.name}'`);
    this.name = pool.name;
    this.releaseAdvice = pool.releaseAdvice;
    this.#pool = pool;
    this.#unwatched = unwatched;
  }

  stats(): ComponentStats {
    return this.#pool.stats();
  }

  /** Resources are reported when they are first lent. */
  protected override reportPresent(): void {}

  protected override ended(): void {
    this.#unwatched();
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
