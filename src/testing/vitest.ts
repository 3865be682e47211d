/**
 * Makes each test of Vitest fail that leaks: one that has taken a resource and not released it. The failure names the line that took
 * it.
 *
 * The setup file `tenure/testing/vitest-setup` does so for every test, by one line in the configuration:
 *
 * ```js
 * export default { test: { setupFiles: ['tenure/testing/vitest-setup'] } };
 * ```
 *
 * @module
 */
import * as vitest from 'vitest';
import { TenureError } from '../core/errors.js';
import type { CheckOptions } from '../watchdog/watchdog-options.js';
import { leakNote } from './leak-error.js';
import { leakMatchers } from './leak-matchers.js';
import { type LeakTestOptions, resolveLeakTestOptions } from './leak-test-options.js';
import { testWatch } from './test-watch.js';
import { type AnyFunction, leakTestOf, type Runner, settled } from './wrapped-test.js';

export { collectGarbage } from './collect-garbage.js';
export { expectNoLeaks } from './expect-no-leaks.js';
export { FakeClock } from './fake-clock.js';
export { leakMatchers } from './leak-matchers.js';
export type { LeakTestOptions } from './leak-test-options.js';
export { settle } from './settle.js';
export { allowLeaks } from './test-watch.js';
export type { AnyFunction } from './wrapped-test.js';

declare module 'vitest' {
  interface Matchers<T> {
    /** Passes if the watchdog finds no leak. Await it. {@link failOnLeaks} adds it. */
    toHaveNoLeaks(options?: CheckOptions): Promise<T>;
  }
}

/** What is used of a test of Vitest. */
interface Task {
  readonly name: string;
  readonly fullTestName?: string;
  readonly fails?: boolean;
  readonly result?: { readonly state: string };
}

type AroundEach = (
  around: (runTest: () => Promise<void>, context: { readonly task: Task }) => Promise<void>,
) => void;

// From the import on: modules that are imported later create their pools before `leakTest` is called.
testWatch().watch();

const note = (text: string): void => console.error(text);

const VITEST: Runner = { bodyArguments: Number.POSITIVE_INFINITY, note };

/**
 * Makes each test of the file fail that leaves a loan out, hooks and fixtures included. Call it in a setup file, for every test, or
 * at the top of a test file or in a `describe`. Each try of a test with `retry` is judged by itself. If a test fails for another
 * reason, its leaks are a note on stderr. It also adds the matcher `expect(watchdog).toHaveNoLeaks()`.
 *
 * @throws {@link TenureError} (`TENURE_RUNNER_TOO_OLD`) for Vitest before 4.1, which has no `aroundEach`.
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option.
 */
export function failOnLeaks(options: LeakTestOptions = {}): void {
  const settings = resolveLeakTestOptions('failOnLeaks', options);
  const { aroundEach } = vitest as { readonly aroundEach?: AroundEach };
  if (aroundEach === undefined) {
    throw new TenureError(
      'failOnLeaks needs Vitest 4.1 or later. Wrap the test function instead: `const test = leakTest(base)`.',
      { code: 'TENURE_RUNNER_TOO_OLD' },
    );
  }
  vitest.expect.extend({ ...leakMatchers });
  const watch = testWatch();
  watch.watch(settings.watch);
  aroundEach(async (runTest, { task }) => {
    const name = task.fullTestName ?? task.name;
    const outcome = await watch.run(name, runTest, settings);
    // `runTest` resolves also if the test fails.
    const hasFailed = task.result?.state === 'fail';
    if (hasFailed && outcome.leaks.length > 0) note(leakNote(name, outcome.leaks));
    else settled(name, outcome, task.fails === true, note);
  });
}

/**
 * Wraps `test` or `it` of Vitest: a test that leaves a loan out fails. The result has all members of the original, such as `each`,
 * `for`, `only`, `skip`, `concurrent`, `fails` and `extend`. It serves every version of Vitest, and one file alone; hooks and fixtures run
 * outside of its scope. Import this module before those that create pools, or list the pools in `watch`.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option.
 */
export function leakTest<T extends AnyFunction>(test: T, options: LeakTestOptions = {}): T {
  return leakTestOf(VITEST, test, options);
}
