/**
 * Test functions of `node:test` that fail a test which leaks: one that has taken a resource and not released it. The failure names the
 * line that took it. Import `test` from here instead of from `node:test`:
 *
 * ```js
 * import { test } from 'tenure/testing/node';
 * ```
 *
 * Import it before the modules that create pools: it watches what is created from then on.
 *
 * @module
 */
import nodeTest, { type TestContext } from 'node:test';
import type { LeakTestOptions, LeakTestSettings } from './leak-test-options.js';
import { testWatch } from './test-watch.js';
import { type AnyFunction, leakTestOf, type Runner, wrapTest } from './wrapped-test.js';

export { collectGarbage } from './collect-garbage.js';
export { expectNoLeaks } from './expect-no-leaks.js';
export { FakeClock } from './fake-clock.js';
export type { LeakTestOptions } from './leak-test-options.js';
export { settle } from './settle.js';
export { allowLeaks } from './test-watch.js';
export type { AnyFunction } from './wrapped-test.js';

// From the import on: modules that are imported later create their pools before `leakTest` is called.
testWatch().watch();

const NODE: Runner = {
  bodyArguments: 1,
  prepare: ([context], settings) => wrapSubtests(context as TestContext | undefined, settings),
  note: (text, [context]) => {
    for (const line of text.split('\n')) (context as TestContext).diagnostic(line);
  },
};

/** Subtests get scopes of their own, so that the very one that leaks fails. */
function wrapSubtests(context: TestContext | undefined, settings: LeakTestSettings): void {
  if (typeof context?.test !== 'function') return;
  const subtest = wrapTest(context.test.bind(context), NODE, settings);
  Object.defineProperty(context, 'test', { value: subtest, configurable: true, writable: true });
}

/**
 * Wraps `test` or `it` of `node:test`: a test that leaves a loan out fails. The result has `only`, `skip` and `todo`. The subtests of
 * its context are wrapped, too. Hooks run in no test: a loan that `beforeEach` takes belongs to none.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option.
 */
export function leakTest<T extends AnyFunction>(test: T, options: LeakTestOptions = {}): T {
  return leakTestOf(NODE, test, options);
}

/** `test` of `node:test`; a test that leaves a loan out fails. */
export const test: typeof nodeTest = leakTest(nodeTest as unknown as AnyFunction) as never;

/** `it` of `node:test`; a test that leaves a loan out fails. */
export const it: typeof nodeTest.it = leakTest(nodeTest.it as unknown as AnyFunction) as never;
