/** The callers of `ready` and `warmUp`, which wait until so many resources exist. */

/** One caller's wait. */
interface ReadyWait {
  /** How many resources the caller waits for; what `ready()` waits for changes with `min`. */
  readonly count: () => number;
  resolve(): void;
  reject(error: unknown): void;
}

/** The waits of one pool. */
export class ReadyWaits {
  #waits: ReadyWait[] = [];

  get length(): number {
    return this.#waits.length;
  }

  /** The most resources that a caller waits for; 0 without callers. */
  get wanted(): number {
    return this.#waits.reduce((most, { count }) => Math.max(most, count()), 0);
  }

  /** Adds a caller. The returned function ends its wait without a result. */
  add(wait: ReadyWait): () => void {
    this.#waits.push(wait);
    return () => {
      this.#waits = this.#waits.filter((other) => other !== wait);
    };
  }

  /** Resolves the callers whose resources exist. */
  settle(usable: number): void {
    if (this.#waits.length === 0) return;
    for (const wait of this.#end(({ count }) => count() <= usable)) wait.resolve();
  }

  /** Rejects the callers that wait for more than `most` resources. */
  rejectAbove(most: number, errorFor: (count: number) => Error): void {
    const ended = this.#end(({ count }) => count() > most);
    for (const wait of ended) wait.reject(errorFor(wait.count()));
  }

  /** Rejects all callers. */
  rejectAll(error: unknown): void {
    for (const wait of this.#end(() => true)) wait.reject(error);
  }

  #end(hasEnded: (wait: ReadyWait) => boolean): ReadyWait[] {
    const ended = this.#waits.filter(hasEnded);
    if (ended.length > 0) this.#waits = this.#waits.filter((wait) => !ended.includes(wait));
    return ended;
  }
}
