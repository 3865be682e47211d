/** How many programs of the zoo went how. */
import type { Outcome } from './zoo.js';

export interface Counts {
  readonly programs: number;
  /** Programs with a mistake. */
  readonly leaks: number;
  readonly found: number;
  readonly falseAlarms: number;
  readonly retracted: number;
  readonly failures: number;
  /** Programs that went in any other way than they should. */
  readonly wrong: number;
}

export function isRight({ verdict }: Outcome): boolean {
  return verdict === 'found' || verdict === 'quiet';
}

export function countsOf(outcomes: readonly Outcome[]): Counts {
  const count = (verdict: Outcome['verdict']): number =>
    outcomes.filter((outcome) => outcome.verdict === verdict).length;
  return {
    programs: outcomes.length,
    leaks: outcomes.filter(({ program }) => program.finds !== undefined).length,
    found: count('found'),
    falseAlarms: count('false alarm'),
    retracted: count('noise'),
    failures: count('failed'),
    wrong: outcomes.filter((outcome) => !isRight(outcome)).length,
  };
}

export function sumOf(counts: readonly Counts[]): Counts {
  const sum = (name: keyof Counts): number =>
    counts.reduce((total, { [name]: count }) => total + count, 0);
  return {
    programs: sum('programs'),
    leaks: sum('leaks'),
    found: sum('found'),
    falseAlarms: sum('falseAlarms'),
    retracted: sum('retracted'),
    failures: sum('failures'),
    wrong: sum('wrong'),
  };
}
