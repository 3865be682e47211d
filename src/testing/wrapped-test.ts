/**
 * Wraps the test function of a runner, so that each test body runs in a scope of its own. The wrapped function has all members of
 * the original: `each`, `only`, `skip`, `concurrent`, …
 */
import { aFunction, checkArgument } from '../core/options.js';
import { leakError, leakNote } from './leak-error.js';
import {
  type LeakTestOptions,
  type LeakTestSettings,
  resolveLeakTestOptions,
} from './leak-test-options.js';
import { type Outcome, testWatch } from './test-watch.js';

/** A function of any kind: a test function, or the body of a test. */
export type AnyFunction = (...args: never[]) => unknown;

/** What a wrapper has to know of a runner. */
export interface Runner {
  /** How many arguments it passes to a body, besides a callback. No body gets a callback if that is `Infinity`. */
  readonly bodyArguments: number;
  /** Gives the full name of the test that runs; `undefined` if only its title is known. */
  currentName?(): string | undefined;
  /** Changes the arguments of a body, such as a context with functions for subtests. */
  prepare?(args: unknown[], settings: LeakTestSettings): void;
  /** Tells of the leaks of a test that has failed. */
  note(text: string, args: readonly unknown[]): void;
}

type Body = (this: unknown, ...args: unknown[]) => unknown;

/** How the tests of one wrapped function are run. */
interface Plan {
  readonly runner: Runner;
  readonly settings: LeakTestSettings;
  /** Whether the tests are expected to fail, so that a leak must not be the failure. */
  readonly isToFail: boolean;
  /** Whether tests run at the same time, so that the runner does not know which one asks. */
  readonly isConcurrent: boolean;
}

/** Members that are test functions themselves. */
const TESTS = new Set([
  'concurrent',
  'failing',
  'fails',
  'it',
  'only',
  'sequential',
  'shuffle',
  'skip',
  'test',
  'todo',
]);

/** Members that give a test function. */
const MAKERS = new Set(['each', 'extend', 'for', 'runIf', 'scoped', 'skipIf']);

/**
 * Wraps a test function as `leakTest` of each runner does: checks the arguments, watches what the options name, and runs each body in a
 * scope of its own.
 */
export function leakTestOf<T extends AnyFunction>(
  runner: Runner,
  test: T,
  options: LeakTestOptions,
): T {
  checkArgument('leakTest', 'test', test, aFunction);
  const settings = resolveLeakTestOptions('leakTest', options);
  testWatch().watch(settings.watch);
  return wrapTest(test, runner, settings);
}

/** Wraps a test function: each body that is given to it runs in a scope of its own. */
export function wrapTest<T extends AnyFunction>(
  test: T,
  runner: Runner,
  settings: LeakTestSettings,
): T {
  return wrap(test, { runner, settings, isToFail: false, isConcurrent: false });
}

function wrap<T extends AnyFunction>(test: T, plan: Plan): T {
  return new Proxy(test, {
    apply: (target, self, args: unknown[]) => Reflect.apply(target, self, withBody(args, plan)),
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function' || typeof name !== 'string') return member;
      if (MAKERS.has(name)) {
        return (...args: unknown[]) => {
          const made = Reflect.apply(member, target, args) as AnyFunction;
          const row = name === 'each' ? rowLength(args[0]) : plan.runner.bodyArguments;
          return wrap(made, { ...plan, runner: { ...plan.runner, bodyArguments: row } });
        };
      }
      if (!TESTS.has(name)) return member;
      return wrap(member as AnyFunction, {
        ...plan,
        isToFail: plan.isToFail || name === 'failing' || name === 'fails',
        isConcurrent: plan.isConcurrent || name === 'concurrent',
      });
    },
  });
}

/** The number of arguments that a table of `each` gives to a body. A table in a template gives one object. */
function rowLength(table: unknown): number {
  const row: unknown = Array.isArray(table) && !('raw' in table) ? table[0] : undefined;
  return Array.isArray(row) ? row.length : 1;
}

/** Wraps the body among the arguments of a test function: the last function, unless it is the title of a test without a body. */
function withBody(args: unknown[], plan: Plan): unknown[] {
  const index = args.findLastIndex((arg) => typeof arg === 'function');
  if (index < 0) return args;
  const body = args[index] as Body;
  const [title] = args;
  const name = typeof title === 'string' ? title : functionName(title) || body.name || 'test';
  return args.with(index, watched(name, body, plan));
}

function functionName(title: unknown): string {
  return typeof title === 'function' ? title.name : '';
}

/** Gives a body that runs in a scope of its own. Runners read the length and the text of a body, so it keeps both. */
function watched(title: string, body: Body, plan: Plan): Body {
  const { runner, settings, isToFail, isConcurrent } = plan;
  async function runInScope(self: unknown, args: readonly unknown[], call: Body): Promise<unknown> {
    const name = (isConcurrent ? undefined : runner.currentName?.()) ?? title;
    const run = (): unknown => Reflect.apply(call, self, args);
    const outcome = await testWatch().run(name, run, settings);
    return settled(name, outcome, isToFail, (text) => runner.note(text, args));
  }
  const wrapped: Body = function (...args) {
    runner.prepare?.(args, settings);
    const done = args.at(-1);
    if (args.length <= runner.bodyArguments || typeof done !== 'function') {
      return runInScope(this, args, body);
    }
    runInScope(this, args.slice(0, -1), promising(body)).then(
      () => done(),
      (error: unknown) => done(error),
    );
    return undefined;
  };
  Object.defineProperties(wrapped, {
    name: { value: body.name, configurable: true },
    length: { value: body.length, configurable: true },
    toString: { value: () => body.toString(), configurable: true },
  });
  return wrapped;
}

/** Gives a body that takes no callback: it returns a promise that settles when the callback is called. */
function promising(body: Body): Body {
  return function (...args) {
    return new Promise<void>((resolve, reject) => {
      const done = (error?: unknown): void => {
        if (error) reject(error);
        else resolve();
      };
      Reflect.apply(body, this, [...args, done]);
    });
  };
}

/** Gives what a test has returned. Throws what it has thrown, or its leaks; the leaks of a failed test are a note. */
export function settled<T>(
  name: string,
  { returned, failure, leaks }: Outcome<T>,
  isToFail: boolean,
  note: (text: string) => void,
): T | undefined {
  const hasLeaks = leaks.length > 0;
  if (failure !== undefined) {
    if (hasLeaks) note(leakNote(name, leaks));
    throw failure.error;
  }
  if (hasLeaks && !isToFail) throw leakError(leaks);
  return returned;
}
