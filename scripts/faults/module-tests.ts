/**
 * Runs tests of a copy of the project, again and again. One vitest serves all runs: it starts once, and transforms only what
 * has changed since. The tests of one run share one process, and the quickest files come first.
 */
import { join } from 'node:path';
import { Writable } from 'node:stream';
import {
  BaseSequencer,
  createVitest,
  type Reporter,
  type TestModule,
  type TestSpecification,
  type Vitest,
} from 'vitest/node';

/** Tests hang if they take this many times as long as they took without a fault. */
const HANGING_FACTOR = 3;

/** The least timeout of a test, in milliseconds. */
const MIN_TEST_TIMEOUT_MILLIS = 3_000;

/** The least timeout of a run, in milliseconds. Only a test that never yields is stopped by it. */
const MIN_RUN_TIMEOUT_MILLIS = 20_000;

/** The timeout of a test and of a run of tests whose durations are not known yet, in milliseconds. */
const UNKNOWN_TIMEOUT_MILLIS = 600_000;

/** How a run of tests ended. */
export interface TestRun {
  /** The first failure; `undefined` if all tests passed. */
  readonly failure: string | undefined;
  readonly millis: number;
}

/** How long the tests of one file took when they last passed. */
interface Durations {
  readonly millis: number;
  readonly slowestTestMillis: number;
}

/** The tests of one copy of the project. */
export class ModuleTests implements AsyncDisposable {
  readonly #vitest: Vitest;
  readonly #ends: RunEnds;

  private constructor(vitest: Vitest, ends: RunEnds) {
    this.#vitest = vitest;
    this.#ends = ends;
  }

  /** Prepares runs of the project at `root`, which has to be the working directory. */
  static async open(root: string): Promise<ModuleTests> {
    const ends = new RunEnds();
    const quickestFirst = class extends BaseSequencer {
      override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
        const millisOf = ({ moduleId }: TestSpecification): number =>
          ends.durationsOf(moduleId)?.millis ?? 0;
        return files.toSorted((a, b) => millisOf(a) - millisOf(b));
      }
    };
    const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
    const vitest = await createVitest(
      'test',
      {
        root,
        watch: false,
        bail: 1,
        fileParallelism: false,
        isolate: true,
        silent: true,
        reporters: [ends],
        sequence: { sequencer: quickestFirst },
      },
      { cacheDir: join(root, '.vite') },
      { stdout: nowhere, stderr: nowhere },
    );
    await vitest.standalone();
    return new ModuleTests(vitest, ends);
  }

  /** Says that a file of the project has changed. */
  changed(file: string): void {
    this.#vitest.invalidateFile(join(this.#vitest.config.root, file));
  }

  /** Runs the tests in these files and folders, up to the first failure. A test that hangs is a failure. */
  async run(tests: readonly string[]): Promise<TestRun> {
    const vitest = this.#vitest;
    const specifications = await this.#specificationsOf(tests);
    if (specifications.length === 0) throw new Error(`There are no tests in ${tests.join(', ')}.`);
    const { testMillis, runMillis } = this.#timeoutsFor(specifications);
    vitest.getRootProject().config.testTimeout = testMillis;
    let isStopped = false;
    const timer = setTimeout(() => {
      isStopped = true;
      void vitest.cancelCurrentRun('keyboard-input');
      void vitest.cancelCurrentRun('keyboard-input'); // The second call kills the process.
    }, runMillis);
    const began = performance.now();
    await vitest.runTestSpecifications(specifications);
    clearTimeout(timer);
    return {
      failure: isStopped ? 'tests that never yield' : this.#ends.failure,
      millis: performance.now() - began,
    };
  }

  /** One of each file. A slow file, which the folders leave out, is taken if it is named. */
  async #specificationsOf(tests: readonly string[]): Promise<TestSpecification[]> {
    const vitest = this.#vitest;
    const byFile = new Map<string, TestSpecification>();
    for (const path of tests) {
      const found = path.endsWith('.ts')
        ? [vitest.getRootProject().createSpecification(join(vitest.config.root, path))]
        : await vitest.globTestSpecifications([path]);
      for (const each of found) byFile.set(each.moduleId, each);
    }
    return [...byFile.values()];
  }

  #timeoutsFor(files: readonly TestSpecification[]): { testMillis: number; runMillis: number } {
    let slowestTestMillis = 0;
    let sumMillis = 0;
    for (const { moduleId } of files) {
      const durations = this.#ends.durationsOf(moduleId);
      if (durations === undefined) {
        return { testMillis: UNKNOWN_TIMEOUT_MILLIS, runMillis: UNKNOWN_TIMEOUT_MILLIS };
      }
      slowestTestMillis = Math.max(slowestTestMillis, durations.slowestTestMillis);
      sumMillis += durations.millis;
    }
    return {
      testMillis: Math.max(MIN_TEST_TIMEOUT_MILLIS, HANGING_FACTOR * slowestTestMillis),
      runMillis: MIN_RUN_TIMEOUT_MILLIS + HANGING_FACTOR * sumMillis,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#vitest.close();
  }
}

/** Remembers the first failure of the last run, and the durations of the files that passed. */
class RunEnds implements Reporter {
  readonly #durations = new Map<string, Durations>();
  failure: string | undefined = undefined;

  durationsOf(file: string): Durations | undefined {
    return this.#durations.get(file);
  }

  onTestRunStart(): void {
    this.failure = undefined;
  }

  onTestModuleEnd(module: TestModule): void {
    this.failure ??= failureIn(module);
    if (module.state() === 'passed') this.#durations.set(module.moduleId, durationsIn(module));
  }

  /** Modules that did not run have the results of an earlier run here, so their results are not looked at. */
  onTestRunEnd(
    _modules: readonly TestModule[],
    unhandled: readonly { readonly message: string }[],
    reason: 'passed' | 'interrupted' | 'failed',
  ): void {
    this.failure ??= unhandled[0]?.message ?? (reason === 'passed' ? undefined : reason);
  }
}

function durationsIn(module: TestModule): Durations {
  const { collectDuration, duration } = module.diagnostic();
  const tests = [...module.children.allTests()];
  return {
    millis: collectDuration + duration,
    slowestTestMillis: Math.max(0, ...tests.map((test) => test.diagnostic()?.duration ?? 0)),
  };
}

function failureIn(module: TestModule): string | undefined {
  const [test] = module.children.allTests('failed');
  if (test !== undefined) return `${module.relativeModuleId}: ${test.fullName}`;
  const [error] = module.errors();
  return error === undefined ? undefined : `${module.relativeModuleId}: ${error.message}`;
}
