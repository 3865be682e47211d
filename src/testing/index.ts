/**
 * Helpers for tests: a clock that a test moves by hand, a collection on demand, and a check that a piece of code leaks nothing.
 *
 * | runner | one line that fails each test that leaks |
 * |---|---|
 * | Vitest | `setupFiles: ['tenure/testing/vitest-setup']` |
 * | Jest | `setupFilesAfterEnv: ['tenure/testing/jest-setup']` |
 * | `node:test` | `import { test } from 'tenure/testing/node'` |
 * | another | {@link expectNoLeaks} |
 *
 * @example
 * ```ts
 * import { createPool } from 'tenure/pool';
 * import { expectNoLeaks } from 'tenure/testing';
 *
 * const leaks = expectNoLeaks(async () => {
 *   const pool = createPool({ create: () => ({}), destroy: () => {} }, { name: 'db' });
 *   await pool.lease(); // Never released.
 * });
 * await leaks.catch((error) => error.code); // => 'TENURE_LEAKS_FOUND'
 * ```
 *
 * @module
 */
export type { Clock, TimerHandle } from '../core/clock.js';
export { InvalidArgumentError, TenureError, type TenureErrorOptions } from '../core/errors.js';
export { NoCollectorError } from '../core/gc-source.js';
export type { Observation, Observer, Watchable } from '../core/probe.js';
export type { LeakReport } from '../watchdog/leak-report.js';
export { LeaksFoundError } from '../watchdog/watchdog-errors.js';
export type { CheckOptions } from '../watchdog/watchdog-options.js';
export { collectGarbage } from './collect-garbage.js';
export { expectNoLeaks } from './expect-no-leaks.js';
export { FakeClock } from './fake-clock.js';
export { type LeakMatchers, leakMatchers, type MatcherResult } from './leak-matchers.js';
export type { LeakTestOptions } from './leak-test-options.js';
export { settle } from './settle.js';
export { allowLeaks } from './test-watch.js';
