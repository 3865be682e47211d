/**
 * Names of sites in the simulated heap: lines, scopes and components, without ids. Each pair of a kind and a site is a class that
 * the heap counts, for ever. So there is a bound, and what is named beyond it is counted together.
 *
 * Clients choose the names of some scopes, by the paths that they ask for. So these have a bound of their own: a client that asks for
 * thousands of paths does not take the names of lines and components.
 */
import { withoutIds } from './scope-name.js';

/** How many different names are kept. */
const MAX_NAMES = 4_096;

/** How many names are remembered as they came. */
const MAX_RAW_NAMES = 1_024;

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
      if (this.#byRaw.size >= MAX_RAW_NAMES) this.#byRaw.clear();
      this.#byRaw.set(raw, name);
    }
    return name;
  }

  /** Gives a name as it is; the result of `instead`, by default a common name, if there are too many. */
  bounded(name: string, instead: () => string = others): string {
    if (this.#names.has(name)) return name;
    if (name === '' || this.#names.size >= MAX_NAMES) return instead();
    this.#names.add(name);
    return name;
  }
}

function others(): string {
  return OTHERS;
}

/** The names of one watchdog. */
export class SiteNames {
  /** Components and lines: as many as the code of the application has. */
  readonly code: BoundedNames = new BoundedNames();
  /** Scopes. */
  readonly scopes: BoundedNames = new BoundedNames();
  /** Loans: a line and a scope. */
  readonly loans: BoundedNames = new BoundedNames();
}
