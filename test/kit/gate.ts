/** A gate stops an async step where the test wants it, so that an interleaving is exact instead of likely. */
export class Gate<T = void> {
  /** Settles when the gate is opened or failed. */
  readonly passed: Promise<T>;
  /** Resolves each waiting step with this value. */
  readonly open: (value: T) => void;
  /** Rejects each waiting step. */
  readonly fail: (reason: unknown) => void;

  constructor() {
    let open!: (value: T) => void;
    let fail!: (reason: unknown) => void;
    this.passed = new Promise<T>((resolve, reject) => {
      open = resolve;
      fail = reject;
    });
    this.passed.catch(() => {}); // A gate may fail without a waiting step.
    this.open = open;
    this.fail = fail;
  }
}

/** A row of gates. Each call of `next()` waits at a gate of its own, which the test opens by its number. */
export class Gates<T = void> {
  readonly #gates: Gate<T>[] = [];
  #arrived = 0;

  /** Waits at the next gate. */
  next(): Promise<T> {
    return this.at(this.#arrived++).passed;
  }

  /** How many steps have arrived at a gate. */
  get arrived(): number {
    return this.#arrived;
  }

  /** Gives the gate with this number, from 0. It may be opened before a step arrives. */
  at(index: number): Gate<T> {
    let gate = this.#gates[index];
    if (gate === undefined) {
      gate = new Gate<T>();
      this.#gates[index] = gate;
    }
    return gate;
  }
}
