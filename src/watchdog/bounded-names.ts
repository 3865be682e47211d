/**
 * Names of sites in the simulated heap: lines, scopes and components, without ids. Each pair of a kind and a site is a class that
 * the heap counts, for ever. So there is a bound, and what is named beyond it is counted together.
 */
import { withoutIds } from './scope-name.js';

/** How many different names are kept. */
const MOST_NAMES = 4_096;

/** How many names are remembered as they came. */
const MOST_RAW_NAMES = 1_024;

/** The name of what is counted together. */
const OTHERS = 'others';

export class BoundedNames {
  readonly #names = new Set<string>();
  readonly #byRaw = new Map<string, string>();

  /** Gives the name without ids, or a common one if there are too many. Amortised O(length). */
  of(raw: string): string {
    let name = this.#byRaw.get(raw);
    if (name === undefined) {
      name = this.bounded(withoutIds(raw));
      if (this.#byRaw.size >= MOST_RAW_NAMES) this.#byRaw.clear();
      this.#byRaw.set(raw, name);
    }
    return name;
  }

  /** Gives a name as it is, or a common one if there are too many. */
  bounded(name: string): string {
    if (name === '') return OTHERS;
    if (this.#names.has(name)) return name;
    if (this.#names.size >= MOST_NAMES) return OTHERS;
    this.#names.add(name);
    return name;
  }
}
