/** What a step reads and writes. */

/** By name, whether it is written. */
export type Accesses = ReadonlyMap<string, boolean>;

/** Whether the order of two steps matters: one writes what the other reads or writes. */
export function affect(one: Accesses, other: Accesses): boolean {
  for (const [name, isWritten] of one) {
    const byOther = other.get(name);
    if (byOther !== undefined && (isWritten || byOther)) return true;
  }
  return false;
}

/** Records accesses. */
export class AccessRecord {
  #accesses = new Map<string, boolean>();

  read(name: string): void {
    if (!this.#accesses.has(name)) this.#accesses.set(name, false);
  }

  write(name: string): void {
    this.#accesses.set(name, true);
  }

  /** The accesses since the last call. */
  take(): Accesses {
    const accesses = this.#accesses;
    this.#accesses = new Map();
    return accesses;
  }
}
