/** Gives each key a number in the order of first use, and keeps what belongs to it. */
export class Numbering<V> {
  readonly values: V[] = [];
  readonly #numbers: Map<string, number> = new Map();

  numberOf(key: string, value: V): number {
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.values.length);
    return this.values.push(value) - 1;
  }
}
