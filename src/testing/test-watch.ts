/**
 * The watchdog of a test run, and the scope of each test. All functions of `tenure/testing` share it, since one watchdog at a time
 * can watch a component.
 *
 * ```
 *   createPool ──created──▶ TestWatch watches it, until another watchdog does
 *   a test     ──run──────▶ open a scope ──▶ body ──▶ end it ──▶ check its loans ──▶ outcome
 * ```
 *
 * A test is judged by its scope and never by the figures of a pool: tests that run at the same time share pools. A loan that was
 * taken outside of any test belongs to no test.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { type AsyncVariable, createAsyncVariable } from '../core/async-context.js';
import { noteAutomaticWatch, onCreated } from '../core/created-components.js';
import { AlreadyWatchedError } from '../core/errors.js';
import { guardedCall } from '../core/guarded-call.js';
import type { Watchable } from '../core/probe.js';
import { scopeResources } from '../scope/scope-watch.js';
import type { LeakReport } from '../watchdog/leak-report.js';
import type { OpenScope } from '../watchdog/open-scope.js';
import { Watchdog } from '../watchdog/watchdog.js';
import type { LeakTestSettings } from './leak-test-options.js';
import { realClock } from './real-clock.js';

/** What a test has returned or thrown, and what it has left out. */
export interface Outcome<T> {
  /** What its body returned; absent if it threw. */
  readonly returned?: T;
  /** What its body threw. */
  readonly failure?: { readonly error: unknown };
  /** The leaks of the test. */
  readonly leaks: readonly LeakReport[];
}

/** A test that runs. */
interface RunningTest {
  readonly outer: RunningTest | undefined;
  /** Whether it leaves loans out on purpose, or a leak within it was told already. */
  isJudged: boolean;
}

class TestWatch {
  readonly #watchdog = new Watchdog({
    level: 'advanced', // The line of each loan.
    rules: { tenured: false, exhausted: false, 'double-release': false, 'direct-release': false },
    clock: realClock,
    sweepIntervalMillis: Number.POSITIVE_INFINITY,
  });
  readonly #current: AsyncVariable<RunningTest> = createAsyncVariable();
  readonly #watched = new WeakSet<Watchable>();
  #creations: Disposable | undefined;

  /** Watches every component that is created from now on, and those of a list. */
  watch(what: LeakTestSettings['watch'] = 'all'): void {
    this.#add(scopeResources);
    this.#creations ??= onCreated((component) => this.#add(component));
    if (what !== 'all') for (const component of what) this.#add(component);
  }

  /** Runs `body` as a test, and gives its outcome. Never rejects. */
  async run<T>(
    name: string,
    body: () => T | PromiseLike<T>,
    settings: LeakTestSettings,
  ): Promise<Outcome<T>> {
    const outer = this.#current.get();
    const test: RunningTest = { outer, isJudged: false };
    const scope = this.#watchdog.openScope(name);
    let outcome: Pick<Outcome<T>, 'returned' | 'failure'>;
    try {
      const run = (): T | PromiseLike<T> => scope.run(body);
      outcome = { returned: await this.#current.run(test, run) };
    } catch (error) {
      outcome = { failure: { error } };
    }
    scope.end();
    const leaks = test.isJudged ? [] : await this.#leaksOf(name, scope, settings);
    if (leaks.length > 0 && outer !== undefined) outer.isJudged = true;
    return { ...outcome, leaks };
  }

  /** Lets the running test leave loans out. Without effect outside of a test. */
  allowLeaks(): void {
    for (let test = this.#current.get(); test !== undefined; test = test.outer) {
      test.isJudged = true;
    }
  }

  async #leaksOf(
    name: string,
    scope: OpenScope,
    { graceMillis, forceGc, ignore }: LeakTestSettings,
  ): Promise<LeakReport[]> {
    const reports = await this.#watchdog.check({ scope, graceMillis, forceGc });
    return reports
      .filter((report) => guardedCall('the option `ignore`', () => ignore?.(report)) !== true)
      .map((report) => ({ ...report, scope: name })); // Its own name has no ids replaced.
  }

  #add(component: Watchable): void {
    if (this.#watched.has(component)) return;
    try {
      const watch = this.#watchdog.watch(component);
      this.#watched.add(component);
      noteAutomaticWatch(component, watch);
    } catch (error) {
      // A component with a watchdog of its own is that watchdog's.
      if (!(error instanceof AlreadyWatchedError)) throw error;
    }
  }
}

let shared: TestWatch | undefined;

/** Gives the watch that all functions of `tenure/testing` share. */
export function testWatch(): TestWatch {
  shared ??= new TestWatch();
  return shared;
}

/**
 * Lets the running test leave loans out, for a test of what happens when a loan is lost. Without effect outside of a test, or if
 * no function of `tenure/testing` watches the test.
 *
 * @example
 * ```ts
 * import { createPool } from 'tenure/pool';
 * import { allowLeaks, expectNoLeaks } from 'tenure/testing';
 *
 * await expectNoLeaks(async () => {
 *   allowLeaks();
 *   const pool = createPool({ create: () => ({}), destroy: () => {} });
 *   await pool.lease(); // Never released.
 * });
 * ```
 */
export function allowLeaks(): void {
  shared?.allowLeaks();
}
