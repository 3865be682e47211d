/**
 * Makes each test of Jest fail that leaks: one that has taken a resource and not released it. The failure names the line that took
 * it.
 *
 * The setup file `tenure/testing/jest-setup` does so for every test, by one line in the configuration:
 *
 * ```js
 * export default { setupFilesAfterEnv: ['tenure/testing/jest-setup'] };
 * ```
 *
 * tenure consists of ES modules. Jest needs `NODE_OPTIONS=--experimental-vm-modules` for them.
 *
 * @module
 */
import { aFunction, checkArgument } from '../core/options.js';
import { leakMatchers } from './leak-matchers.js';
import type { LeakTestOptions } from './leak-test-options.js';
import { testWatch } from './test-watch.js';
import { type AnyFunction, leakTestOf, type Runner } from './wrapped-test.js';

export { collectGarbage } from './collect-garbage.js';
export { expectNoLeaks } from './expect-no-leaks.js';
export { FakeClock } from './fake-clock.js';
export { leakMatchers } from './leak-matchers.js';
export type { LeakTestOptions } from './leak-test-options.js';
export { settle } from './settle.js';
export { allowLeaks } from './test-watch.js';
export type { AnyFunction } from './wrapped-test.js';

interface JestGlobals {
  expect?: {
    getState?(): { readonly currentTestName?: string };
    extend?(matchers: object): void;
  };
  test?: AnyFunction;
  it?: AnyFunction;
  fit?: AnyFunction;
}

const globals = globalThis as unknown as JestGlobals;

// From the import on: modules that are imported later create their pools before `leakTest` is called.
testWatch().watch();

const JEST: Runner = {
  bodyArguments: 0,
  currentName: () => globals.expect?.getState?.().currentTestName,
  note: (text) => console.error(text),
};

/**
 * Wraps `test` or `it` of Jest: a test that leaves a loan out fails. The result has `each`, `only`, `skip`, `concurrent`, `failing`
 * and `todo`. Hooks of Jest run in no test: a loan that `beforeEach` takes belongs to none. Import this module before those that create
 * pools, or list the pools in `watch`.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option.
 */
export function leakTest<T extends AnyFunction>(test: T, options: LeakTestOptions = {}): T {
  return leakTestOf(JEST, test, options);
}

/**
 * Wraps the global `test`, `it` and `fit` of Jest, for a setup file of `setupFilesAfterEnv`. A test file that imports them from
 * `@jest/globals` gets the wrapped ones, too. It also adds the matcher `expect(watchdog).toHaveNoLeaks()`.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option, or if Jest does not run the
 * file.
 */
export function failOnLeaks(options: LeakTestOptions = {}): void {
  checkArgument('failOnLeaks', 'globalThis.test', globals.test, aFunction);
  globals.expect?.extend?.({ ...leakMatchers });
  for (const name of ['test', 'it', 'fit'] as const) {
    const test = globals[name];
    if (test !== undefined) globals[name] = leakTest(test, options);
  }
}
