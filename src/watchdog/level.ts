/**
 * How much the watchdog looks at, as one word. Costs are for one acquire and release on Node 20 that does nothing in between,
 * and for one that lasts; beside a query over a network all of them vanish, beside an object pool at a million loans a second
 * they do not.
 */

/**
 * - `off`: nothing is watched.
 * - `counters`: nodes and scopes, no stacks, no V8 confirmation (~0.4 and ~0.7 µs).
 * - `simple`: also V8 confirmation of every loan, and a stack for the first 4 loans of a component, for 1 in 128 after
 *   that (100 a second at most), and for the 1,000 that follow a leak whose line is not known (~0.4 and ~1.5 µs).
 * - `advanced`: a stack for every loan, and what it was last used for (~5 µs).
 * - `paranoid`: whole stacks; for tests (~5 to 30 µs).
 */
export type WatchLevel = 'off' | 'counters' | 'simple' | 'advanced' | 'paranoid';

/** What a level means, in figures. */
export interface LevelPlan {
  /** Whether V8 is asked to tell when a loan's capability is collected. */
  readonly confirm: boolean;
  /** One loan in this many has its stack taken, if that is not too often; 1: each; 0: none. */
  readonly stackEvery: number;
  /** This many first loans of each component have their stack taken. */
  readonly stackFirst: number;
  /** How many frames a stack has at most. */
  readonly stackDepth: number;
  /** Whether touches are kept. */
  readonly touches: boolean;
}

/** This many loans have their stacks taken after a leak whose line is not known. */
export const ARMED_LOANS = 1_000;

/** No more loans of a sample than this have their stacks taken in one second. */
export const STACKS_PER_SECOND = 100;

export const LEVELS: Readonly<Record<Exclude<WatchLevel, 'off'>, LevelPlan>> = {
  counters: { confirm: false, stackEvery: 0, stackFirst: 0, stackDepth: 0, touches: false },
  simple: { confirm: true, stackEvery: 128, stackFirst: 4, stackDepth: 10, touches: false },
  advanced: { confirm: true, stackEvery: 1, stackFirst: 0, stackDepth: 10, touches: true },
  paranoid: { confirm: true, stackEvery: 1, stackFirst: 0, stackDepth: 64, touches: true },
};
