/** The levels of watching, as words and as figures. */

/**
 * How much the watchdog records of each loan.
 *
 * | level | records | cost |
 * |---|---|---:|
 * | `off` | nothing | 0 |
 * | `counters` | counts all loans; tracks those within a scope, and of the others at most 100 in a tenth of a second | ~0.04 µs |
 * | `sampled` | counts all loans; tracks the first 100 in each second, the first 4 of a component, its first in each second and 1 in `sampleEvery`, each with its stack; asks V8 to confirm | ~0.05 µs |
 * | `simple` | tracks all loans, asks V8 to confirm, and takes some stacks | ~0.2 µs |
 * | `advanced` | also the stack of each loan | 5 to 100 µs |
 * | `paranoid` | the whole stack of each loan; for tests | 5 µs or more |
 *
 * Each level records the last touch of a loan that is tracked.
 *
 * A loan that is out for a tenth of a second costs about 1 µs more at `simple`. `sampled` takes at most 200 stacks a second.
 * `simple` takes the stacks of the first 4 loans of a component. After that it takes 1 in 128, and outside of scopes the first 10 in each
 * second; at most 20 a second. After a leak whose line is unknown it takes the stacks of the next 1,000 loans. Each level but `paranoid` also
 * uses the stacks that a pool takes for its own errors (`callSites`).
 *
 * A cost is that of one loan and its release outside of any scope, on Node 20. It vanishes beside a query over a network, but not beside an
 * object pool that lends a million times a second.
 */
export type WatchLevel = 'off' | 'counters' | 'sampled' | 'simple' | 'advanced' | 'paranoid';

/** Which loans are tracked; the others are counted: all, a sample, or those that a scope or a value owns. */
export type Tracking = 'all' | 'sampled' | 'scoped';

/** The figures of a level. */
export interface LevelPlan {
  readonly tracking: Tracking;
  /** Whether V8 tells the watchdog when it collects a loan's capability. */
  readonly confirm: boolean;
  /** One tracked loan in this many has its stack taken; 0 takes none. */
  readonly stackEvery: number;
  /** The maximum number of stacks in one second, besides those of the first loans. */
  readonly stacksPerSecond: number;
  /** How many loans of a component have their stacks taken at its start. */
  readonly stackFirst: number;
  /** The maximum number of frames of a stack. */
  readonly stackDepth: number;
  /** Whether components count a misuse that they can make harmless, instead of throwing. */
  readonly countsMisuse: boolean;
}

/** How many loans have their stacks taken after a leak whose line is unknown. */
export const STACKS_AFTER_SITELESS_LEAK = 1_000;

export const LEVELS: Readonly<Record<Exclude<WatchLevel, 'off'>, LevelPlan>> = {
  counters: {
    tracking: 'scoped',
    confirm: false,
    stackEvery: 0,
    stacksPerSecond: 0,
    stackFirst: 0,
    stackDepth: 0,
    countsMisuse: true,
  },
  sampled: {
    tracking: 'sampled',
    confirm: true,
    stackEvery: 1,
    stacksPerSecond: 200,
    stackFirst: 0,
    stackDepth: 10,
    countsMisuse: false,
  },
  simple: {
    tracking: 'all',
    confirm: true,
    stackEvery: 128,
    stacksPerSecond: 20, // In optimized code V8 takes 50 to 100 µs for a stack of ten frames.
    stackFirst: 4,
    stackDepth: 10,
    countsMisuse: false,
  },
  advanced: {
    tracking: 'all',
    confirm: true,
    stackEvery: 1,
    stacksPerSecond: Number.POSITIVE_INFINITY,
    stackFirst: 0,
    stackDepth: 10,
    countsMisuse: false,
  },
  paranoid: {
    tracking: 'all',
    confirm: true,
    stackEvery: 1,
    stacksPerSecond: Number.POSITIVE_INFINITY,
    stackFirst: 0,
    stackDepth: 64,
    countsMisuse: false,
  },
};
