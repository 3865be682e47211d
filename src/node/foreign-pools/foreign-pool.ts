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
import type { PeerWatch } from '../../core/adopted-peers.js';
import { type Clock, systemClock } from '../../core/clock.js';
import {
  type ComponentStats,
  type EntryPoint,
  type Observation,
  type Observer,
  type Origin,
  observe,
  type Watchable,
} from '../../core/probe.js';
import { SharedWatch } from '../../core/shared-watch.js';
import { LentResources } from './lent-resources.js';

/** What the package of a pool knows of it. */
export interface ForeignPoolFacts {
  /** The name of the pool in reports. */
  readonly name: string;
  /** What a holder has to do so that its loan ends on every path, as a clause. */
  readonly releaseAdvice: string;
  /** Gives the figures of the pool. It may throw if a version of the package has no such figures. */
  figures(): ComponentStats;
  /** Called with a resource before its caller has it. */
  readonly lending?: (resource: unknown) => void;
}

/** A pool of another package. */
export class ForeignPool implements Watchable, PeerWatch {
  readonly name: string;
  readonly releaseAdvice: string;
  /** The watch over it, once it is watched. */
  watch: Disposable | undefined;
  readonly #facts: ForeignPoolFacts;
  readonly #clock: Clock;
  #watch: ForeignPoolWatch | null = null;
  #refusals = 0;
  #returns = 0;

  constructor(facts: ForeignPoolFacts, clock: Clock = systemClock) {
    this.name = facts.name;
    this.releaseAdvice = facts.releaseAdvice;
    this.#facts = facts;
    this.#clock = clock;
  }

  /** How many loans are out. */
  get loansOut(): number {
    return this.#watch?.resources.length ?? 0;
  }

  /** Who gets the reports of its loans, as `Observer.receiver` of the probe; `undefined` while no watchdog watches it. */
  get receiver(): object | undefined {
    return this.#watch?.observer.main?.receiver;
  }

  /**
   * Gives the figures of the pool, how many callers got no resource, and how many resources came back; none if this version of its package
   * does not have the figures.
   */
  stats(): ComponentStats {
    try {
      return { ...this.#facts.figures(), refusals: this.#refusals, returns: this.#returns };
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
    this.#facts.lending?.(resource);
    this.#watch?.resources.lent(resource, origin);
  }

  hasTold(resource: unknown, receiver: object): boolean {
    return this.receiver === receiver && this.#watch?.resources.isOut(resource) === true;
  }

  /** Notes that a caller got no resource. */
  refused(): void {
    this.#refusals++;
  }

  /** Reports that a resource came back, or is gone: of a loan, or of a call by which the package itself took it. */
  returned(resource: unknown): void {
    this.#returns++;
    this.#watch?.resources.returned(resource);
  }

  /** Reports that the pool has ended its resources, lent ones included. Their holders have not given them back. */
  ended(): void {
    this.#watch?.resources.ended();
  }

  [observe](observer: Observer): Observation {
    this.#watch ??= new ForeignPoolWatch(this, observer, this.#clock, () => {
      this.#watch = null;
    });
    return this.#watch.attach(observer);
  }
}

/** The watch over a pool of another package. */
class ForeignPoolWatch extends SharedWatch {
  readonly kind = 'pool';
  readonly name: string;
  override readonly releaseAdvice: string;
  override readonly tellsLasting = true;
  /** The resources that were lent, and their loans. */
  readonly resources: LentResources;
  readonly #pool: ForeignPool;
  readonly #unwatched: () => void;

  constructor(pool: ForeignPool, observer: Observer, clock: Clock, unwatched: () => void) {
    super(observer, `the pool '${pool.name}'`);
    this.name = pool.name;
    this.releaseAdvice = pool.releaseAdvice;
    this.resources = new LentResources(this.observer, clock);
    this.#pool = pool;
    this.#unwatched = unwatched;
  }

  stats(): ComponentStats {
    return this.#pool.stats();
  }

  override look(): void {
    this.resources.look();
  }

  /** Resources are reported when they are first lent. */
  protected override *present(): Generator<undefined> {}

  protected override ended(): void {
    this.resources.close();
    this.#unwatched();
  }
}
