/** The properties of a connection that is not lent. Settings and methods that a holder replaces must not reach the next holder. */

/** The own properties that an object has at one moment: before its first loan. */
export class InitialProperties {
  readonly #target: object;
  readonly #own = new Map<PropertyKey, PropertyDescriptor>();
  readonly #state: ReadonlySet<PropertyKey>;

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
  }

  /** Removes the properties that were added since, and restores the others. Throws if that is not possible. */
  restore(): void {
    const target = this.#target as Record<PropertyKey, unknown>;
    for (const key of Reflect.ownKeys(target)) {
      if (!this.#own.has(key) && !this.#isState(key)) delete target[key];
    }
    for (const [key, own] of this.#own) {
      if (!Object.is(target[key], own.value)) Object.defineProperty(target, key, own);
    }
  }

  #isState(key: PropertyKey): boolean {
    return this.#state.has(key) || (typeof key === 'string' && key.startsWith('_'));
  }
}
