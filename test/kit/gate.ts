/** A gate holds an async step where a test wants it, so an interleaving is exact instead of likely. */
export class Gate<T = void> {
  /** Settles when the gate is opened or failed. */
  readonly passed: Promise<T>;
  /** Lets everybody through with this value. */
  readonly open: (value: T) => void;
  /** Rejects everybody who waits. */
  readonly fail: (reason: unknown) => void;

  constructor() {
    let open!: (value: T) => void;
    let fail!: (reason: unknown) => void;
    this.passed = new Promise<T>((resolve, reject) => {
      open = resolve;
      fail = reject;
    });
    this.passed.catch(() => {}); // A gate that fails with nobody waiting is no unhandled rejection.
    this.open = open;
    this.fail = fail;
  }
}

/** A line of gates: each call to `next()` waits at a gate of its own, which the test opens by its number. */
export class Gates<T = void> {
  readonly #gates: Gate<T>[] = [];
  #arrived = 0;

  /** Arrives at the next gate and waits there. */
  next(): Promise<T> {
    return this.at(this.#arrived++).passed;
  }

  /** How many have arrived so far. */
  get arrived(): number {
    return this.#arrived;
  }

  /** The gate with this number, from 0; it may be opened before anybody arrives. */
  at(index: number): Gate<T> {
    let gate = this.#gates[index];
    if (gate === undefined) {
      gate = new Gate<T>();
      this.#gates[index] = gate;
    }
    return gate;
  }
}
