/** The classes of scopes in the simulated heap, by the names of the scopes. The scopes of one name are a population. */
import type { BoundedNames } from './bounded-names.js';
import { PlainSource } from './plain-source.js';
import type { Population, Populations } from './populations.js';

/** The kind of scopes in the simulated heap. */
const SCOPE = 'scope';

export class ScopeClasses {
  readonly #names: BoundedNames;
  readonly #populations: Populations;
  readonly #bySite = new Map<string, Population>();
  #lastName: string | undefined;
  #last: Population | undefined;

  constructor(names: BoundedNames, populations: Populations) {
    this.#names = names;
    this.#populations = populations;
  }

  /** Gives the class of the scopes with a name. O(1). */
  of(name: string): number {
    return this.populationOf(name).classId;
  }

  /** Gives the scopes with a name. O(1). */
  populationOf(name: string): Population {
    if (name !== this.#lastName || this.#last === undefined) {
      this.#lastName = name;
      this.#last = this.#find(name);
    }
    return this.#last;
  }

  #find(name: string): Population {
    const site = this.#names.of(name);
    let population = this.#bySite.get(site);
    if (population === undefined) {
      const component = new PlainSource(SCOPE, site);
      population = this.#populations.of({
        kind: SCOPE,
        site,
        isWeak: false,
        countsOld: true,
        component,
      });
      this.#bySite.set(site, population);
    }
    return population;
  }
}
