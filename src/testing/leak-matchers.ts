/** A matcher for the `expect` of Vitest, Jest and other runners that take matchers in their form. */
import { checkArgument, objectWith } from '../core/options.js';
import { formatReport } from '../watchdog/format-report.js';
import type { Watchdog } from '../watchdog/watchdog.js';
import { type CheckOptions, resolveCheckOptions } from '../watchdog/watchdog-options.js';

/** What a matcher gives to its runner. */
export interface MatcherResult {
  /** Whether the value is as expected. */
  readonly pass: boolean;
  /** Gives the text of the failure. */
  message(): string;
}

/** The matchers of {@link leakMatchers}. */
export interface LeakMatchers {
  /** Passes if a watchdog finds no leak. A loan that comes back within `graceMillis` is none. */
  toHaveNoLeaks(watchdog: unknown, options?: CheckOptions): Promise<MatcherResult>;
}

/** How long a loan may take to come back, in milliseconds, as in the other helpers for tests. */
const GRACE_MILLIS = 100;

/**
 * The matcher `toHaveNoLeaks`, to pass to `expect.extend`. The setup files `tenure/testing/vitest-setup` and `/jest-setup` do so. The
 * matcher is asynchronous: await it.
 *
 * It rejects with {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a value that is no watchdog, and for a malformed
 * option.
 *
 * @example
 * ```ts
 * import { createPool } from 'tenure/pool';
 * import { leakMatchers } from 'tenure/testing';
 * import { Watchdog } from 'tenure/watchdog';
 *
 * // expect.extend(leakMatchers);
 * using watchdog = new Watchdog();
 * await using pool = createPool({ create: () => ({}), destroy: () => {} });
 * watchdog.watch(pool);
 * await watchdog.scope('job', () => pool.use(() => 'rows'));
 * (await leakMatchers.toHaveNoLeaks(watchdog)).pass; // => true
 * ```
 */
export const leakMatchers: LeakMatchers = {
  async toHaveNoLeaks(watchdog, options) {
    checkArgument('toHaveNoLeaks', 'received', watchdog, objectWith('check'));
    const settings = resolveCheckOptions(options ?? {}, { graceMillis: GRACE_MILLIS });
    const leaks = await (watchdog as Watchdog).check(settings as CheckOptions);
    return {
      pass: leaks.length === 0,
      message: () =>
        leaks.length === 0
          ? 'expected the watchdog to find a leak, and it found none'
          : `expected the watchdog to find no leak\n\n${formatReport(leaks)}`,
    };
  },
};
