/** The callers of `ready` and `warmUp`, which wait until so many resources exist. */

/** How many resources a caller waits for: a number, or what `min` is at the time. */
export type ReadyCount = number | 'min';

/** One caller's wait. */
interface ReadyWait {
  resolve(): void;
  reject(error: unknown): void;
}

/** The waits of one pool. Each request of a service may wait for `ready()`, so callers that wait for the same are one group. */
export class ReadyWaits {
  readonly #settings: { readonly min: number };
  readonly #groups = new Map<ReadyCount, Set<ReadyWait>>();

  constructor(settings: { readonly min: number }) {
    this.#settings = settings;
  }

  get isEmpty(): boolean {
    return this.#groups.size === 0;
  }

  /** The most resources that a caller waits for; 0 without callers. O(groups). */
  get wanted(): number {
    let most = 0;
    for (const count of this.#groups.keys()) most = Math.max(most, this.#numberOf(count));
    return most;
  }

  /** Adds a caller. The returned function ends its wait without a result. O(1). */
  add(count: ReadyCount, wait: ReadyWait): () => void {
    const group = this.#groups.get(count) ?? new Set();
    this.#groups.set(count, group.add(wait));
    return () => {
      group.delete(wait);
      if (group.size === 0 && this.#groups.get(count) === group) this.#groups.delete(count);
    };
  }

  /** Resolves the callers whose resources exist. O(groups), and O(1) for each caller. */
  settle(usable: number): void {
    this.#end(
      (count) => count <= usable,
      (wait) => wait.resolve(),
    );
  }

  /** Rejects the callers that wait for more than `most` resources. */
  rejectAbove(most: number, errorFor: (count: number) => Error): void {
    this.#end(
      (count) => count > most,
      (wait, count) => wait.reject(errorFor(count)),
    );
  }

  /** Rejects all callers. */
  rejectAll(error: unknown): void {
    this.#end(
      () => true,
      (wait) => wait.reject(error),
    );
  }

  #end(hasEnded: (count: number) => boolean, tell: (wait: ReadyWait, count: number) => void): void {
    for (const [key, group] of this.#groups) {
      const count = this.#numberOf(key);
      if (!hasEnded(count)) continue;
      this.#groups.delete(key);
      for (const wait of group) tell(wait, count);
    }
  }

  #numberOf(count: ReadyCount): number {
    return count === 'min' ? this.#settings.min : count;
  }
}
