/**
 * The groups of losses of one ledger: by key, by place and by component. A report looks for the groups of the same place and component, so
 * without these indexes a check with a thousand leaks would compare each with each.
 */
import { type Certainty, isSurer } from './certainty.js';
import { groupKey, type LeakGroup } from './leak-group.js';
import { type LeakRule, precedes } from './rules/rules.js';

type Index = Map<string, Set<LeakGroup>>;

export class LeakGroups implements Iterable<LeakGroup> {
  readonly #byKey = new Map<string, LeakGroup>();
  readonly #byPlace: Index = new Map();
  readonly #byComponent: Index = new Map();

  /** How many groups there are. O(1). */
  get size(): number {
    return this.#byKey.size;
  }

  /** Gives the groups. The one that was added last stands last. */
  [Symbol.iterator](): Iterator<LeakGroup> {
    return this.#byKey.values();
  }

  /** Gives the group of a place, a rule and a certainty. O(1). */
  get(place: string, rule: LeakRule, certainty: Certainty): LeakGroup | undefined {
    return this.#byKey.get(groupKey(place, rule, certainty));
  }

  /** Adds a group, or makes it the last one. O(1). */
  add(group: LeakGroup): void {
    const { key } = group;
    if (!this.#byKey.delete(key)) {
      enter(this.#byPlace, group.place, group);
      enter(this.#byComponent, group.placeWithoutLine, group);
    }
    this.#byKey.set(key, group);
  }

  /** Removes a group. O(1). */
  delete(group: LeakGroup): void {
    if (!this.#byKey.delete(group.key)) return;
    leave(this.#byPlace, group.place, group);
    leave(this.#byComponent, group.placeWithoutLine, group);
  }

  /** Gives the groups of lost loans of one place, in the order of the rules, the surest of a rule first. O(groups of the place). */
  lostAt(place: string): LeakGroup[] {
    return [...(this.#byPlace.get(place) ?? [])]
      .filter(({ isOfLoans }) => isOfLoans)
      .sort((a, b) => (isBefore(a, b) ? -1 : 1));
  }

  /** Gives the groups of lost loans of the component of a group whose line is known. O(groups of the component). */
  *lostWithLine({ placeWithoutLine }: LeakGroup): IterableIterator<LeakGroup> {
    for (const group of this.#byComponent.get(placeWithoutLine) ?? []) {
      if (group.line !== '' && group.isOfLoans) yield group;
    }
  }
}

function isBefore(a: LeakGroup, b: LeakGroup): boolean {
  return a.rule === b.rule ? isSurer(a.certainty, b.certainty) : precedes(a.rule, b.rule);
}

function enter(index: Index, key: string, group: LeakGroup): void {
  const groups = index.get(key);
  if (groups === undefined) index.set(key, new Set([group]));
  else groups.add(group);
}

function leave(index: Index, key: string, group: LeakGroup): void {
  const groups = index.get(key);
  if (groups?.delete(group) === true && groups.size === 0) index.delete(key);
}
