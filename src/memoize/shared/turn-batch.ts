/** Gathers what is added in one turn, and delivers it together in a microtask. */
export class TurnBatch<T> {
  readonly #deliver: (items: T[]) => void | Promise<void>;
  readonly #items: T[] = [];
  #delivery: Promise<void> | undefined = undefined;

  constructor(deliver: (items: T[]) => void | Promise<void>) {
    this.#deliver = deliver;
  }

  /** Adds an item. The promise ends when it was delivered. */
  add(item: T): Promise<void> {
    this.#items.push(item);
    this.#delivery ??= Promise.resolve().then(() => {
      this.#delivery = undefined;
      return this.#deliver(this.#items.splice(0));
    });
    return this.#delivery;
  }
}
