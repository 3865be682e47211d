/** The classes of scopes in the simulated heap, by the names of the scopes. The scopes of one name are a population. */
import type { BoundedNames } from './bounded-names.js';
import { PlainSource } from './plain-source.js';
import type { Populations } from './populations.js';

/** The kind of scopes in the simulated heap. */
const SCOPE = 'scope';

export class ScopeClasses {
  readonly #names: BoundedNames;
  readonly #populations: Populations;
  readonly #bySite = new Map<string, number>();
  #lastName: string | undefined;
  #lastClass = 0;

  constructor(names: BoundedNames, populations: Populations) {
    this.#names = names;
    this.#populations = populations;
  }

  /** Gives the class of the scopes with a name. O(1). */
  of(name: string): number {
    if (name !== this.#lastName) {
      this.#lastName = name;
      this.#lastClass = this.#find(name);
    }
    return this.#lastClass;
  }

  #find(name: string): number {
    const site = this.#names.of(name);
    let classId = this.#bySite.get(site);
    if (classId === undefined) {
      const component = new PlainSource(SCOPE, site);
      classId = this.#populations.of({ kind: SCOPE, site, isWeak: false, component }).classId;
      this.#bySite.set(site, classId);
    }
    return classId;
  }
}
