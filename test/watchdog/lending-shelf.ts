/** The smallest component that can be watched: a shelf that lends what it holds. Shows that outsiders can join in. */
import {
  type NodeId,
  type Observation,
  type Observer,
  type Origin,
  observe,
  type Watchable,
} from '../../src/watchdog/index.js';

/** Ends a loan. Holding on to it is holding on to the loan. */
export interface Ticket {
  giveBack(): void;
  touch(hint?: string): void;
  expectHold(millis: number): void;
}

export class LendingShelf implements Watchable {
  readonly name: string;
  figures: Record<string, number> = {};
  #observer: Observer | null = null;
  #observation: Observation | null = null;
  readonly #things: { node: NodeId }[] = [];

  constructor(name = 'shelf') {
    this.name = name;
  }

  [observe](observer: Observer): Observation {
    this.#observer = observer;
    for (const thing of this.#things) thing.node = observer.allocated('resource', observer.root);
    this.#observation = {
      kind: 'pool',
      name: this.name,
      stats: () => this.figures,
      [Symbol.dispose]: () => {
        this.#observer = null;
      },
    };
    return this.#observation;
  }

  /** Puts a thing on the shelf and returns its number. */
  put(): number {
    const node = this.#observer?.allocated('resource', this.#observer.root) ?? 0;
    return this.#things.push({ node }) - 1;
  }

  /** Takes a thing off the shelf for good. */
  scrap(thing: number): void {
    this.#observer?.freed(this.#node(thing));
  }

  /** Asks for a thing that is not to be had. */
  askInVain(): void {
    this.#observer?.origin(this.askInVain);
  }

  lend(thing = 0): Ticket {
    return this.#lend(thing, this.#observer?.origin(this.lend));
  }

  /** Takes the caller's line now and lends later, as a pool does for one that waits. */
  lendLater(thing = 0): () => Ticket {
    const origin = this.#observer?.origin(this.lendLater);
    return () => this.#lend(thing, origin);
  }

  /** Lends without a ticket; the returned number ends the loan, through {@link takeBack}. */
  lendBare(thing = 0): NodeId {
    const observer = this.#observer as Observer;
    return observer.lent(this.#node(thing), observer.origin(this.lendBare));
  }

  takeBack(loan: NodeId, byForce = false): void {
    this.#observer?.freed(loan, byForce);
  }

  #lend(thing: number, origin: Origin | undefined): Ticket {
    const observer = this.#observer;
    if (observer === null || origin === undefined) {
      return { giveBack() {}, touch() {}, expectHold() {} };
    }
    let loan: NodeId = 0;
    const ticket: Ticket = {
      giveBack: () => observer.freed(loan),
      touch: (hint) => observer.touched(loan, hint),
      expectHold: (millis) => observer.expected(loan, millis),
    };
    loan = observer.lent(this.#node(thing), origin, ticket);
    return ticket;
  }

  #node(thing: number): NodeId {
    return (this.#things[thing] as { node: NodeId }).node;
  }
}
