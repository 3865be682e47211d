/** The properties of a connection that is not lent. Settings and methods that a holder replaces must not reach the next holder. */

/** The own properties that an object has at one moment: before its first loan. */
export class InitialProperties {
  readonly #target: object;
  readonly #own = new Map<PropertyKey, PropertyDescriptor>();
  readonly #keys: readonly PropertyKey[];
  readonly #values: readonly unknown[];
  readonly #state: ReadonlySet<PropertyKey>;
  /** How many properties the target had when none was known to be added. */
  #count = 0;

  /**
   * `state` are the properties that the driver itself changes while the connection is used. Those that begin with `_` are taken for private
   * state of the driver, too.
   */
  constructor(target: object, state: ReadonlySet<PropertyKey> = new Set()) {
    this.#target = target;
    this.#state = state;
    for (const key of Reflect.ownKeys(target)) {
      if (this.#isState(key)) continue;
      this.#own.set(key, Reflect.getOwnPropertyDescriptor(target, key) as PropertyDescriptor);
    }
    this.#keys = [...this.#own.keys()];
    this.#values = [...this.#own.values()].map(({ value }) => value);
  }

  /**
   * Removes the properties that were added since, and restores the others. Throws if that is not possible. Each loan pays for this, 2
   * µs for a client of pg. So the properties are only counted where none was added.
   */
  restore(): void {
    const target = this.#target as Record<PropertyKey, unknown>;
    const keys = Reflect.ownKeys(target);
    const hasOthers = keys.length !== this.#count;
    if (hasOthers) {
      for (const key of keys) {
        if (!this.#own.has(key) && !this.#isState(key)) delete target[key];
      }
    }
    for (let i = 0; i < this.#keys.length; i++) {
      const key = this.#keys[i] as PropertyKey;
      if (target[key] === this.#values[i]) continue;
      Object.defineProperty(target, key, this.#own.get(key) as PropertyDescriptor);
    }
    if (hasOthers) this.#count = Reflect.ownKeys(target).length;
  }

  #isState(key: PropertyKey): boolean {
    return this.#state.has(key) || (typeof key === 'string' && key.startsWith('_'));
  }
}
