/** The watch over one component, by the observers that share it. It ends when the last of them leaves, or with the component. */
/// <reference lib="esnext.disposable" preserve="true" />
import { asksForPresent, GuardedObserver } from './guarded-observer.js';
import type { ComponentStats, LoanCounts, NodeId, Observation, Observer } from './probe.js';

export abstract class SharedWatch {
  abstract readonly kind: string;
  abstract readonly name: string;
  readonly releaseAdvice?: string;
  readonly endedBy?: string;
  readonly entryMillis?: number;
  readonly tellsLasting?: boolean;
  readonly lendsShared?: boolean;
  readonly isUnlimited?: boolean;
  readonly observer: GuardedObserver;
  /** The component keeps the answers to its observers, which hold them weakly. */
  readonly #shares = new Map<Observation, Observer>();
  hasEnded = false;

  /** `label` names the component in errors: `the pool 'db'`. Call {@link attach} with the observer next. */
  constructor(observer: Observer, label: string) {
    this.observer = new GuardedObserver(observer, label);
  }

  abstract stats(): ComponentStats;

  /**
   * Attaches the observer that the watch begins with, or a further one. Reports the nodes that exist to it: now, or on demand if the
   * observer asks for them.
   *
   * @throws {@link AlreadyWatchedError} (`TENURE_ALREADY_WATCHED`) if a further observer cannot share the component.
   */
  attach(observer: Observer): Observation {
    if (this.#shares.size > 0) this.observer.join(observer);
    const { kind, name, releaseAdvice, endedBy, entryMillis, tellsLasting } = this;
    const { lendsShared, isUnlimited, loanCounts } = this;
    const present = this.present(observer);
    const reportPresent = (most: number): boolean => {
      for (let count = 0; count < most && this.#shares.has(share); count++) {
        if (present.next().done === true) return false;
      }
      return this.#shares.has(share);
    };
    const share: Observation = {
      kind,
      name,
      releaseAdvice,
      endedBy,
      entryMillis,
      tellsLasting,
      lendsShared,
      isUnlimited,
      stats: () => this.stats(),
      reportPresent,
      ...(this.look !== undefined && { look: () => this.look?.() }),
      ...(loanCounts !== undefined && { loanCounts: () => loanCounts.call(this) }),
      reportLoans: () => this.reportLoans(),
      abandoned: (id) => {
        const loan = this.observer.nodeOf(observer, id);
        if (loan !== undefined) this.abandoned(loan);
      },
      [Symbol.dispose]: () => this.#leave(share, observer),
    };
    this.#shares.set(share, observer);
    if (!asksForPresent(observer)) reportPresent(Infinity);
    return share;
  }

  /** Ends the watches of observers that have ended, if that is left to a later turn. */
  dropEnded(): void {
    for (const [share, { hasEnded }] of this.#shares)
      if (hasEnded === true) share[Symbol.dispose]();
  }

  #leave(share: Observation, observer: Observer): void {
    if (!this.#shares.delete(share)) return;
    if (this.#shares.size === 0) this[Symbol.dispose]();
    else this.observer.leave(observer);
  }

  /** Called before an observer looks at the figures, and before it tells that a loan is lost, if the component has to compare something. */
  look?(): void;

  /** Gives how many loans there are, if the component reports only those that its observers ask for. */
  loanCounts?(): LoanCounts;

  /** Reports the loans that are out by `lasted`. */
  reportLoans(): void {}

  /** Called with a loan that no code can end any more. */
  abandoned(_loan: NodeId): void {}

  /**
   * Reports the nodes that exist to an observer that has come, one in each step at most. The component may change between two steps: a
   * node that begins meanwhile is reported as usual, and must not be reported once more.
   */
  protected abstract present(observer: Observer): Iterator<unknown>;

  /** Lets the component forget the watch. */
  protected abstract ended(): void;

  /** Ends the watch of all observers. */
  [Symbol.dispose](): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.#shares.clear();
    this.ended();
  }
}
