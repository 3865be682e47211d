/**
 * The smallest component that can be watched. It uses the public probe alone, which shows that components of other packages
 * can be watched.
 */
import {
  type NodeId,
  type Observation,
  type Observer,
  type Origin,
  observe,
  type Watchable,
} from '../../src/watchdog/index.js';

/** The capability of a loan: the one object that can end it. */
export interface MinimalLease {
  release(): void;
  touch(hint?: string): void;
  expectHold(millis: number): void;
}

export class MinimalPool implements Watchable {
  readonly name: string;
  figures: Record<string, number> = {};
  /** Called when the watchdog has the pool look at its loans. */
  looks: () => void = () => {};
  releaseAdvice: string | undefined;
  /** Whether the observer asks for misuse to be counted; `undefined` without one. */
  countsMisuse: boolean | undefined;
  #observer: Observer | null = null;
  #observation: Observation | null = null;
  readonly #resources: { node: NodeId }[] = [];

  constructor(name = 'pool') {
    this.name = name;
  }

  [observe](observer: Observer): Observation {
    this.#observer = observer;
    this.countsMisuse = observer.countsMisuse;
    for (const resource of this.#resources) {
      resource.node = observer.allocated('resource', observer.root);
    }
    this.#observation = {
      kind: 'pool',
      name: this.name,
      ...(this.releaseAdvice === undefined ? {} : { releaseAdvice: this.releaseAdvice }),
      stats: () => this.figures,
      look: () => this.looks(),
      [Symbol.dispose]: () => {
        this.#observer = null;
      },
    };
    return this.#observation;
  }

  /** Adds a resource and gives its number. */
  addResource(): number {
    const node = this.#observer?.allocated('resource', this.#observer.root) ?? 0;
    return this.#resources.push({ node }) - 1;
  }

  /** Reports that a resource was destroyed. */
  destroyResource(resource: number): void {
    this.#observer?.freed(this.#nodeOf(resource));
  }

  /** Makes a request that is never served. */
  requestInVain(): void {
    this.#observer?.origin(this.requestInVain);
  }

  /** Lends a resource at once. */
  lease(resource = 0): MinimalLease {
    return this.#lendTo(resource, this.#observer?.origin(this.lease));
  }

  /** Takes the caller's line now and lends when the result is called, as a pool does for a waiter. */
  leaseLater(resource = 0): () => MinimalLease {
    const origin = this.#observer?.origin(this.leaseLater);
    return () => this.#lendTo(resource, origin);
  }

  /** Lends without a lease, and gives the id that {@link takeBack} needs. */
  lendWithoutLease(resource = 0): NodeId {
    const observer = this.#observer as Observer;
    return observer.lent(this.#nodeOf(resource), observer.origin(this.lendWithoutLease));
  }

  /** Ends a loan by its id. */
  takeBack(loan: NodeId, byForce = false): void {
    this.#observer?.freed(loan, byForce);
  }

  #lendTo(resource: number, origin: Origin | undefined): MinimalLease {
    const observer = this.#observer;
    if (observer === null || origin === undefined) {
      return { release() {}, touch() {}, expectHold() {} };
    }
    let loan: NodeId = 0;
    const lease: MinimalLease = {
      release: () => observer.freed(loan),
      touch: (hint) => observer.touched(loan, hint),
      expectHold: (millis) => observer.expected(loan, millis),
    };
    loan = observer.lent(this.#nodeOf(resource), origin, lease);
    return lease;
  }

  #nodeOf(resource: number): NodeId {
    return (this.#resources[resource] as { node: NodeId }).node;
  }
}
