/** A column of numbers whose length is not known before it is read. */
export class GrowingColumn<A extends Uint32Array | Int32Array | Float64Array> {
  readonly #make: (length: number) => A;
  #values: A;
  #length = 0;

  constructor(make: (length: number) => A) {
    this.#make = make;
    this.#values = make(1024);
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = this.#make(this.#length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length++] = value;
  }

  /** Gives the values, with room for no more. */
  finish(): A {
    return this.#values.slice(0, this.#length) as A;
  }
}
