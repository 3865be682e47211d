/**
 * What the rules read of the simulated heap and of V8, in one place. A test replaces one reading by a constant, and sees which
 * verdicts change: a rule that decides the same without its counter does not need it.
 */
import type { NodeGeneration } from '../gc/memory/node-generation.js';
import type { Count, Scale } from './count-series.js';
import type { Expectation } from './expectations.js';
import type { Loan } from './loan.js';
import type { Population } from './populations.js';

/** The counters that rules read. */
export interface Readings {
  /** Whether the reference count of a loan's node has dropped to 0 while it was out. */
  isUnheld(loan: Loan): boolean;
  /** The names of the nodes of the unreachable cycle that a collection has found a loan in; `undefined` if there is none. */
  cycleOf(loan: Loan): readonly string[] | undefined;
  /** Whether V8 has collected the capability of a loan. */
  isCollected(loan: Loan): boolean;
  /** The generation of a loan's node. */
  generationOf(loan: Loan): NodeGeneration;
  /** Whether the node that a loan was taken for is whole: it keeps the loan as long as it lives. */
  isKept(loan: Loan): boolean;
  /** How many loans of its site have ended since it was lent; 0 for a loan without a site. */
  neighboursSince(loan: Loan): number;
  /** How many loans of its own scope have come back, if it is one of the first of them; 0 for a loan of a loop. */
  nestedSince(loan: Loan): number;
  /** How long the longest of its neighbours that have ever come back was out, in milliseconds. */
  longestOf(loan: Loan): number;
  /** How many loans of its site are out, itself included, and those of its component that are not tracked. */
  outAtSite(loan: Loan): number;
  /** How many loans of its component have ended since it was lent. */
  returnsSince(loan: Loan): number;
  /** How often young generations of the heap were collected since it was lent. */
  youngCollectionsSince(loan: Loan): number;
  /** How long no loan of its component has ended, in milliseconds, while every resource was out. */
  idleMillis(loan: Loan, now: number): number;
  /** The live objects of a population on a scale of time, the oldest first. */
  countsOf(population: Population, scale: Scale): readonly Count[];
  /** The generation of an object that is expected to die. */
  generationOfExpected(expectation: Expectation): NodeGeneration;
  /** Whether a misuse counts as one. */
  countsMisuse(): boolean;
  /** Whether a resource that the pool underneath has back counts as given back. */
  countsDirectRelease(): boolean;
}

/** The readings of the real counters. */
export const READINGS: Readings = {
  isUnheld: (loan) => loan.isUnheld,
  cycleOf: (loan) => loan.cycle,
  isCollected: (loan) => loan.collected,
  generationOf: (loan) => loan.component.generationOf(loan),
  isKept: ({ origin }) => origin.owner?.isMade === true,
  neighboursSince: ({ site, siteFreedBefore }) =>
    site === undefined ? 0 : site.freed - siteFreedBefore,
  nestedSince: ({ isEarlyInScope, origin: { scope } }) =>
    scope === undefined || !isEarlyInScope ? 0 : scope.returned,
  longestOf: (loan) => loan.component.longestOf(loan),
  outAtSite: (loan) => loan.component.outAtSite(loan),
  returnsSince: ({ component, returnsBefore }) => component.holdTimes.count - returnsBefore,
  youngCollectionsSince: (loan) => loan.youngCollections,
  idleMillis: ({ component }, now) => now - component.shortage.since,
  countsOf: (population, scale) => population.countedBy(scale),
  generationOfExpected: (expectation) => expectation.generation,
  countsMisuse: () => true,
  countsDirectRelease: () => true,
};
