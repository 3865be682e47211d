/**
 * The ablation: one counter at a time is replaced by a constant. If the verdicts on all programs stay the same, the rule does not need
 * the counter.
 */
import type { LeakRule } from '../../src/watchdog/index.js';
import { READINGS, type Readings } from '../../src/watchdog/readings.js';
import { PROGRAMS, type ZooRunner } from './zoo.js';

/** A counter without its use. */
export interface Ablation {
  /** The rule that reads the counter. */
  readonly rule: LeakRule;
  /** The counter. */
  readonly reading: keyof Readings;
  /** What it reads instead, in words. */
  readonly constant: string;
  readonly replaced: Partial<Readings>;
  /** Programs whose verdicts change. */
  readonly programs: readonly string[];
}

export const ABLATIONS: readonly Ablation[] = [
  {
    rule: 'orphaned',
    reading: 'isUnheld',
    constant: 'the count is never 0',
    replaced: { isUnheld: () => false },
    programs: ['an evicted entry holds a lease', 'a shared value ends without its lease'],
  },
  {
    rule: 'cycle',
    reading: 'cycleOf',
    constant: 'no cycle is found',
    replaced: { cycleOf: () => undefined },
    programs: ['two shared values hold each other'],
  },
  {
    rule: 'abandoned',
    reading: 'isCollected',
    constant: 'V8 collects nothing',
    replaced: { isCollected: () => false },
    programs: ['owners in a cycle of objects drop their leases'],
  },
  {
    rule: 'tenured',
    reading: 'generationOf',
    constant: 'each loan is in generation 2',
    replaced: { generationOf: () => 2 },
    programs: ['a loan of half a minute in a burst of others'],
  },
  {
    rule: 'tenured',
    reading: 'neighboursSince',
    constant: 'no neighbour has come back',
    replaced: { neighboursSince: () => 0 },
    programs: ['a request of a route hangs, and its neighbours return'],
  },
  {
    rule: 'tenured',
    reading: 'nestedSince',
    constant: 'no loan of its own scope has come back',
    replaced: { nestedSince: () => 0 },
    programs: ['an export holds a cursor, and looks each row up in its own scope'],
  },
  {
    rule: 'tenured',
    reading: 'longestOf',
    constant: 'no neighbour has ever come back',
    replaced: { longestOf: () => 0 },
    programs: ['a nightly job takes longer as the data grow'],
  },
  {
    rule: 'tenured',
    reading: 'outAtSite',
    constant: 'no loan of the site is out',
    replaced: { outAtSite: () => 0 },
    programs: ['each request keeps a buffer in a list'],
  },
  {
    rule: 'tenured',
    reading: 'returnsSince',
    constant: 'a loan has come back',
    replaced: { returnsSince: () => 1 },
    programs: ['a database is slow for all'],
  },
  {
    rule: 'tenured',
    reading: 'youngCollectionsSince',
    constant: 'two young collections',
    replaced: { youngCollectionsSince: () => 2 },
    programs: ['a slow job in a quiet service'],
  },
  {
    rule: 'tenured',
    reading: 'isKept',
    constant: 'no entry, value or resource keeps what was leased for it',
    replaced: { isKept: () => false },
    programs: ['entries keep their leases for minutes, beside short loans'],
  },
  {
    rule: 'exhausted',
    reading: 'idleMillis',
    constant: 'nothing ever comes back',
    replaced: { idleMillis: () => Number.POSITIVE_INFINITY },
    programs: ['a pool that is too small, and moves'],
  },
  {
    rule: 'growth',
    reading: 'countsOf',
    constant: 'the counts never change',
    replaced: {
      countsOf: (population, scale) =>
        population.countedBy(scale).map((count) => ({ ...count, live: 1_000 })),
    },
    programs: ['a cache without a bound, keyed by a time stamp'],
  },
  {
    rule: 'retained',
    reading: 'generationOfExpected',
    constant: 'each object is in generation 0',
    replaced: { generationOfExpected: () => 0 },
    programs: ['a session is retained'],
  },
  {
    rule: 'double-release',
    reading: 'countsMisuse',
    constant: 'no misuse is counted',
    replaced: { countsMisuse: () => false },
    programs: ['a lease is released twice, and the error is swallowed'],
  },
  {
    rule: 'direct-release',
    reading: 'countsDirectRelease',
    constant: 'nothing is given back past a lease',
    replaced: { countsDirectRelease: () => false },
    programs: ['a client of an adopted pool is given back past its lease'],
  },
];

/** Runs the programs of an ablation with and without the counter. Gives a line for each whose verdict changes. */
export async function flipsOf(ablation: Ablation, runner: ZooRunner): Promise<string[]> {
  const flips: string[] = [];
  const readings: Readings = { ...READINGS, ...ablation.replaced };
  for (const program of PROGRAMS.filter(({ name }) => ablation.programs.includes(name))) {
    const before = await runner.run(program);
    const after = await runner.run(program, 'advanced', readings);
    if (after.verdict === before.verdict) continue;
    flips.push(`${program.name}: ${before.verdict} → ${after.verdict}`);
  }
  return flips;
}
