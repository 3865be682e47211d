/**
 * A plain model of the pool: lists, without regard to cost. No step takes time: a resource is created when the test
 * says so, and destroyed at once.
 */

/** The state of a request: it waits, has ended, holds the thing with this number, or was rejected with this code. */
export type Standing = 'waits' | 'over' | number | `TENURE_${string}` | 'aborted';

interface Waiting {
  readonly caller: number;
  readonly priority: number;
  readonly deadline: number;
}

interface Creation {
  /** The caller that is rejected if it fails. */
  caller: number | undefined;
  wanted: boolean;
}

export interface Figures {
  readonly size: number;
  readonly available: number;
  readonly borrowed: number;
  readonly pending: number;
  readonly creating: number;
  readonly max: number;
}

export class PlainPool {
  readonly standings: Standing[] = [];
  readonly #fifo: boolean;
  readonly testOnBorrow: boolean;
  #max: number;
  #now = 0;
  #made = 0;
  #idle: number[] = [];
  #held = new Map<number, number>();
  #outdated = new Set<number>();
  #broken = new Set<number>();
  #line: Waiting[] = [];
  #creations: Creation[] = [];
  #isPaused = false;

  constructor(max: number, fifo: boolean, testOnBorrow: boolean) {
    this.#max = max;
    this.#fifo = fifo;
    this.testOnBorrow = testOnBorrow;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  get figures(): Figures {
    return {
      size: this.#size,
      available: this.#idle.length,
      borrowed: this.#held.size,
      pending: this.#line.length,
      creating: this.#creations.length,
      max: this.#max,
    };
  }

  ask(priority: number, timeoutMillis: number): void {
    const caller = this.standings.length;
    this.standings.push('waits');
    const waiting = { caller, priority, deadline: this.#now + timeoutMillis };
    const behind = this.#line.findIndex((other) => other.priority > priority);
    this.#line.splice(behind === -1 ? this.#line.length : behind, 0, waiting);
    this.#serve();
  }

  /** A request that does not wait: it is served at once or not at all. */
  tryToAsk(): void {
    const isReady =
      !this.#isPaused && this.#line.length === 0 && this.#idle.length > 0 && !this.testOnBorrow;
    if (!isReady) this.standings.push('over');
    else this.ask(0, Number.POSITIVE_INFINITY);
  }

  giveBack(caller: number): void {
    const thing = this.#take(caller);
    if (!this.#outdated.has(thing) && this.#size < this.#max) {
      if (this.testOnBorrow) this.#idle.push(thing);
      else this.#offer(thing);
    }
    this.#serve();
  }

  /** Ends a loan whose thing was destroyed or detached. */
  lose(caller: number): void {
    this.#take(caller);
    this.#serve();
  }

  abort(caller: number): void {
    this.#giveUp([caller], 'aborted');
  }

  /** Ends a running creation; `at` is its index in the order of beginning. */
  created(at: number): void {
    const [creation] = this.#creations.splice(at, 1);
    const thing = this.#made++;
    const isExcess = this.#size >= this.#max && (this.#line.length === 0 || this.#isPaused);
    if (creation?.wanted === true && !isExcess) this.#offer(thing);
    this.#serve();
  }

  failed(at: number): void {
    const [creation] = this.#creations.splice(at, 1);
    if (creation?.caller !== undefined) this.#leave(creation.caller, 'TENURE_POOL_CREATE');
    this.#serve();
  }

  /** Breaks a thing. The pool does not notice it before it validates the thing. */
  breakDown(thing: number): void {
    this.#broken.add(thing);
  }

  /** How many things were created in all. */
  get made(): number {
    return this.#made;
  }

  resize(max: number): void {
    this.#max = max;
    while (this.#size > max && this.#idle.length > 0) this.#idle.shift();
    this.#serve();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#serve();
  }

  /** Destroys the idle things with these numbers, and the held ones when they come back. Returns how many there are. */
  evict(isChosen: (thing: number) => boolean): number {
    const held = [...this.#held.values()].filter(isChosen);
    for (const thing of held) this.#outdated.add(thing);
    const idle = this.#idle.filter(isChosen);
    this.#idle = this.#idle.filter((thing) => !isChosen(thing));
    this.#serve();
    return held.length + idle.length;
  }

  invalidate(): void {
    for (const thing of this.#held.values()) this.#outdated.add(thing);
    for (const creation of this.#creations) creation.wanted = false;
    this.#idle = [];
    this.#serve();
  }

  pass(millis: number): void {
    this.#now += millis;
    for (;;) {
      const next = Math.min(...this.#line.map(({ deadline }) => deadline));
      if (next > this.#now) return;
      const expired = this.#line.filter(({ deadline }) => deadline === next);
      this.#giveUp(
        expired.map(({ caller }) => caller),
        'TENURE_POOL_ACQUIRE_TIMEOUT',
      );
    }
  }

  get #size(): number {
    return this.#idle.length + this.#held.size + this.#creations.length;
  }

  #take(caller: number): number {
    const thing = this.#held.get(caller) as number;
    this.#held.delete(caller);
    this.standings[caller] = 'over';
    return thing;
  }

  /** Gives a thing to the first waiter, before any later caller. */
  #offer(thing: number): void {
    const [first] = this.#line;
    if (first === undefined || this.#isPaused) this.#idle.push(thing);
    else this.#lend(thing, first.caller);
  }

  #lend(thing: number, caller: number): void {
    this.#leave(caller, thing);
    this.#held.set(caller, thing);
  }

  #leave(caller: number, standing: Standing): void {
    this.#line = this.#line.filter((waiting) => waiting.caller !== caller);
    for (const creation of this.#creations) {
      if (creation.caller === caller) creation.caller = undefined;
    }
    this.standings[caller] = standing;
  }

  /** Callers leave with nothing: their creations end, or one whose caller is gone for each that has none, unless others need them. */
  #giveUp(callers: readonly number[], standing: Standing): void {
    const theirs = callers.map((caller) =>
      this.#creations.find((creation) => creation.caller === caller),
    );
    for (const caller of callers) this.#leave(caller, standing);
    let ended = 0;
    for (const own of theirs) {
      const left =
        this.#creations.find(({ caller, wanted }) => caller === undefined && !wanted) ??
        this.#creations.find((creation) => creation === own) ??
        this.#creations.find(({ caller }) => caller === undefined);
      const isNeeded = this.#line.length - this.#idle.length - this.#creations.length >= 0;
      if (left === undefined || isNeeded || ended >= this.#max) continue;
      ended++;
      this.#creations = this.#creations.filter((other) => other !== left);
      this.#serve();
    }
    this.#serve();
  }

  #serve(): void {
    if (this.#isPaused) return;
    for (;;) {
      const [first] = this.#line;
      const thing = first && (this.#fifo ? this.#idle.shift() : this.#idle.pop());
      if (first === undefined || thing === undefined) break;
      if (!this.testOnBorrow || !this.#broken.has(thing)) this.#lend(thing, first.caller);
    }
    while (this.#line.length > this.#creations.length && this.#size < this.#max) {
      const next = this.#line.find(
        ({ caller }) => !this.#creations.some((creation) => creation.caller === caller),
      );
      this.#creations.push({ caller: next?.caller, wanted: true });
    }
  }
}
